//! Messages, a model of the terminal client, and a server that answers it from a list of messages.

use crate::client::watch;
use crate::client::{HistoryPage, HistoryQuery, PageStart};
use crate::model::message::{Direction, Message, Sender, Status};
use crate::protocol::http;
use crate::tui::model::*;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use uuid::Uuid;

/// A Monday, 10:00 UTC.
pub const NOON: u64 = 1_795_428_000;

/// A message that came in.
pub fn message(seq: u64, conversation: &str, content: &str) -> Message {
    let id = Uuid::from_u128(seq.into());
    Message {
        status: Status::Sent,
        platform: Some("qq".into()),
        direction: Direction::Inbound,
        sender: Some(Sender { id: "7".into(), name: "Alice".into() }),
        ..Message::new(seq, id, content.into(), conversation.into(), NOON + seq)
    }
}

/// A message of one's own.
pub fn own(seq: u64, conversation: &str, content: &str, status: Status) -> Message {
    let came = message(seq, conversation, content);
    Message { status, direction: Direction::Outbound, sender: None, ..came }
}

pub fn conversation(name: &str, last_seq: u64) -> http::Conversation {
    http::Conversation {
        platform: "qq".into(),
        conversation: name.into(),
        last_seq,
        last_at: NOON + last_seq,
        ..http::Conversation::default()
    }
}

/// A model before the server answers.
pub fn model(width: u16, height: u16) -> Model {
    Model::new("http://test:8080".into(), (width, height), TimeZone::UTC, NOON, Level::Off)
}

pub fn receive(model: &mut Model, message: Message) {
    model.update(TuiEvent::Watch(watch::WatchEvent::Message(Box::new(message))));
}

/// An answer to a request that was made after all events.
pub fn reply(answer: ServerReply) -> TuiEvent {
    TuiEvent::Reply { asked: u64::MAX, answer }
}

/// Lets the model ask until it asks no more; pages come from `store`, in which the oldest is first.
pub fn serve(model: &mut Model, store: &[Message]) -> Vec<Effect> {
    let mut others = Vec::new();
    loop {
        let effects = model.take_effects();
        if effects.is_empty() {
            return others;
        }
        for effect in effects {
            if let Effect::Ask(ServerRequest::Page { ticket, wanted }) = effect {
                let found = page(store, &wanted);
                model.update(reply(ServerReply::Page { ticket, found }));
            } else {
                others.push(effect);
            }
        }
    }
}

/// Reply of a server.
pub fn page(store: &[Message], wanted: &HistoryQuery) -> HistoryPage {
    if let Some((start, newest)) = &wanted.from {
        return page_from(store, wanted, start, *newest);
    }
    let before = wanted.before.clone().unwrap();
    let before = before.parse::<u64>().unwrap_or_else(|_| {
        let id: Uuid = before.parse().unwrap();
        u64::try_from(id.as_u128()).unwrap()
    });
    let place =
        |message: &Message| (if wanted.by_time { message.created_at } else { 0 }, message.seq);
    let end = match store.iter().find(|message| message.seq >= before) {
        Some(message) if message.seq == before => place(message),
        // It was deleted; its neighbour was said at about the same time.
        Some(next) if wanted.by_time => (next.created_at, 0),
        None if wanted.by_time => (u64::MAX, 0),
        _ => (0, before),
    };
    let is_wanted = |message: &&Message| {
        place(message) < end
            && wanted.conversation.as_ref().is_none_or(|name| *name == message.recipient)
            && wanted.platform.as_ref().is_none_or(|name| *name == message.platform_or_local())
            && wanted.status.is_none_or(|status| status == message.status)
    };
    let mut found: Vec<_> = store.iter().filter(is_wanted).collect();
    found.sort_by_key(|message| std::cmp::Reverse(place(message)));
    // The API does not tell the `seq`.
    let found = found.into_iter().take(wanted.limit);
    let messages = found.map(|message| Message { seq: 0, ..message.clone() }).collect();
    HistoryPage { messages, ..HistoryPage::default() }
}

/// A message and those after it.
fn page_from(
    store: &[Message],
    wanted: &HistoryQuery,
    start: &PageStart,
    newest: u64,
) -> HistoryPage {
    let is_here = |message: &&Message| {
        wanted.conversation.as_ref().is_none_or(|name| *name == message.recipient)
    };
    let all: Vec<_> = store.iter().filter(is_here).collect();
    let first = match start {
        PageStart::Message(id) => all.iter().position(|message| message.id.to_string() == *id),
        PageStart::Unread(count) => {
            let inbound = |message: &&Message| message.direction == Direction::Inbound;
            let inbound: Vec<_> = all.iter().filter(|message| inbound(message)).collect();
            let place = inbound.len().checked_sub(usize::try_from(*count).unwrap());
            let first = place.map(|place| inbound[place].id);
            let last_page = all.len().saturating_sub(wanted.limit);
            let found = first.and_then(|first| all.iter().position(|m| m.id == first));
            // Where somebody read them meanwhile, the server gives the newest page.
            found.or(Some(last_page).filter(|_| !all.is_empty()))
        }
    };
    let Some(first) = first else {
        return HistoryPage { reaches_newest: true, ..HistoryPage::default() };
    };
    let found: Vec<_> = all[first..].iter().take(wanted.limit + 1).collect();
    let reaches_newest = found.last().unwrap().seq >= newest;
    let messages =
        found.iter().rev().map(|message| Message { seq: 0, ..(**message).clone() }).collect();
    HistoryPage { messages, searched_to: None, reaches_newest }
}

/// A model that is connected to a store, in which the oldest message is first.
pub fn connected(width: u16, height: u16, store: &[Message]) -> Model {
    let mut model = model(width, height);
    let since = store.last().map_or(0, |message| message.seq);
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since }));
    let mut names: Vec<_> = store.iter().map(|message| message.recipient.clone()).collect();
    names.sort();
    names.dedup();
    let last = |name: &String| store.iter().rev().find(|message| message.recipient == *name);
    let listed = names.iter().map(|name| conversation(name, last(name).unwrap().seq)).collect();
    model.update(reply(ServerReply::Conversations(listed)));
    serve(&mut model, store);
    model
}

pub fn press(model: &mut Model, code: KeyCode) {
    model.update(TuiEvent::Key(KeyEvent::new(code, KeyModifiers::NONE)));
}

pub fn type_in(model: &mut Model, text: &str) {
    for c in text.chars() {
        press(model, KeyCode::Char(c));
    }
}

/// The messages up to which the server is told that everything was read.
pub fn reads(effects: &[Effect]) -> Vec<u128> {
    let read = |effect: &Effect| match effect {
        Effect::Ask(ServerRequest::Read(_, id)) => Some(id.as_u128()),
        _ => None,
    };
    effects.iter().filter_map(read).collect()
}

pub fn contents(model: &Model) -> Vec<String> {
    model.stream().window().iter().map(|message| message.content.readable().into_owned()).collect()
}

pub fn many(count: u64) -> Vec<Message> {
    (1..=count).map(|seq| message(seq, "group_1", &format!("number {seq}"))).collect()
}

/// The contents on the screen, from the top.
pub fn on_screen(model: &Model) -> Vec<String> {
    let shown = model.stream().visible();
    let at = |shown: &stream::Shown| model.stream().window().at(shown.position).unwrap();
    shown.iter().map(|shown| at(shown).content.readable().into_owned()).collect()
}

pub fn known(name: &str, last_seq: u64, unread: u64) -> http::Conversation {
    http::Conversation { unread, ..conversation(name, last_seq) }
}

/// Goes from the list to the first conversation, and writes to it.
pub fn enter(model: &mut Model, store: &[Message]) -> Vec<Effect> {
    press(model, KeyCode::Char('j'));
    press(model, KeyCode::Enter);
    serve(model, store)
}

pub fn control(model: &mut Model, c: char) {
    model.update(TuiEvent::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)));
}

/// Whether a row for what is new is on the screen, and the message under it.
pub fn first_new(model: &Model) -> Option<String> {
    let shown = model.stream().visible();
    let first = shown.iter().find(|shown| shown.rows.contains(&rows::ScreenRow::Unread))?;
    Some(model.stream().window().at(first.position)?.content.readable().into_owned())
}
