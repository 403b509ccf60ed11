use super::*;
use crate::client::watch::{self, StatusChange};
use crate::client::{HistoryPage, HistoryQuery, Start};
use crate::model::content::{Content, Media, Segment};
use crate::model::message::{Direction, Message, MessageType, ReplyTo, Sender, Status};
use crate::model::notice::{Notice, NoticeKind};
use crate::protocol::event::MessageDeleted;
use crate::protocol::http::{self, MessageChange};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use std::collections::HashSet;
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

pub fn hear(model: &mut Model, message: Message) {
    model.update(TuiEvent::Watch(watch::WatchEvent::Message(Box::new(message))));
}

/// Lets the model ask until it asks no more; pages come from `store`, in which the oldest is first.
pub fn serve(model: &mut Model, store: &[Message]) -> Vec<Effect> {
    let mut others = Vec::new();
    loop {
        let effects = model.settle();
        if effects.is_empty() {
            return others;
        }
        for effect in effects {
            if let Effect::Ask(ServerRequest::Page { ticket, wanted }) = effect {
                let found = page(store, &wanted);
                model.update(TuiEvent::Reply(ServerReply::Page { ticket, found }));
            } else {
                others.push(effect);
            }
        }
    }
}

/// Reply of a server.
fn page(store: &[Message], wanted: &HistoryQuery) -> HistoryPage {
    if let Some((start, newest)) = &wanted.from {
        return page_from(store, wanted, start, *newest);
    }
    let before = wanted.before.clone().unwrap();
    let before = before.parse::<u64>().unwrap_or_else(|_| {
        let id: Uuid = before.parse().unwrap();
        u64::try_from(id.as_u128()).unwrap()
    });
    let is_wanted = |message: &&Message| {
        message.seq < before
            && wanted.conversation.as_ref().is_none_or(|name| *name == message.recipient)
            && wanted.platform.as_ref().is_none_or(|name| *name == message.platform_or_local())
            && wanted.status.is_none_or(|status| status == message.status)
    };
    let found = store.iter().rev().filter(is_wanted).take(wanted.limit);
    // The API does not tell the `seq`.
    let messages = found.map(|message| Message { seq: 0, ..message.clone() }).collect();
    HistoryPage { messages, ..HistoryPage::default() }
}

/// A message and those after it.
fn page_from(store: &[Message], wanted: &HistoryQuery, start: &Start, newest: u64) -> HistoryPage {
    let is_here = |message: &&Message| {
        wanted.conversation.as_ref().is_none_or(|name| *name == message.recipient)
    };
    let all: Vec<_> = store.iter().filter(is_here).collect();
    let first = match start {
        Start::Message(id) => all.iter().position(|message| message.id.to_string() == *id),
        Start::Unread(count) => {
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
    model.update(TuiEvent::Reply(ServerReply::Conversations(listed)));
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
fn reads(effects: &[Effect]) -> Vec<u128> {
    let read = |effect: &Effect| match effect {
        Effect::Ask(ServerRequest::Read(_, id)) => Some(id.as_u128()),
        _ => None,
    };
    effects.iter().filter_map(read).collect()
}

fn contents(model: &Model) -> Vec<String> {
    model.stream().window().iter().map(|message| message.content.readable().into_owned()).collect()
}

fn many(count: u64) -> Vec<Message> {
    (1..=count).map(|seq| message(seq, "group_1", &format!("number {seq}"))).collect()
}

/// The contents on the screen, from the top.
fn on_screen(model: &Model) -> Vec<String> {
    let shown = model.stream().visible();
    let at = |shown: &stream::Shown| model.stream().window().at(shown.position).unwrap();
    shown.iter().map(|shown| at(shown).content.readable().into_owned()).collect()
}

#[test]
fn a_server_that_is_away_is_shown_and_nothing_is_asked() {
    let mut model = model(80, 24);
    assert_eq!(model.connection(), &ConnectionState::Connecting);
    model.update(TuiEvent::Watch(watch::WatchEvent::Away("no server answers".into())));
    model.update(TuiEvent::Tick(NOON + 1));
    assert_eq!(model.settle(), []);
    assert_eq!(model.connection(), &ConnectionState::Lost("no server answers".into()));
}

#[test]
fn history_and_what_comes_meet_without_a_gap_or_a_double() {
    let mut store = many(250);
    let mut model = model(80, 24);
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 250 }));
    // A message that comes before the first page is answered lies behind it.
    store.push(message(251, "group_1", "number 251"));
    hear(&mut model, store[250].clone());
    serve(&mut model, &store);
    let wanted: Vec<_> =
        store.iter().map(|message| message.content.readable().into_owned()).collect();
    assert!(wanted.ends_with(&contents(&model)));
    assert_eq!(model.stream().window().last(), 0);
}

#[test]
fn older_messages_load_without_a_jump() {
    let store = many(600);
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Tab);
    while contents(&model)[0] != "number 1" {
        press(&mut model, KeyCode::PageUp);
        let before = on_screen(&model);
        serve(&mut model, &store);
        assert_eq!(on_screen(&model), before);
    }
    press(&mut model, KeyCode::Char('g'));
    assert_eq!(on_screen(&model)[0], "number 1");
    press(&mut model, KeyCode::Char('G'));
    assert_eq!(on_screen(&model).last().unwrap(), "number 600");
}

#[test]
fn new_messages_do_not_move_what_is_read_and_are_counted() {
    let store = many(100);
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::PageUp);
    let before = on_screen(&model);
    for seq in 101..=130 {
        hear(&mut model, message(seq, "group_1", &format!("number {seq}")));
    }
    assert_eq!(on_screen(&model), before);
    assert_eq!(model.stream().below(), 30);
    press(&mut model, KeyCode::Char('G'));
    assert_eq!(on_screen(&model).last().unwrap(), "number 130");
    assert_eq!(model.stream().below(), 0);
}

#[test]
fn a_flood_leaves_a_bounded_window_and_what_is_read_in_its_place() {
    let store = many(100);
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::PageUp);
    let before = on_screen(&model);
    for seq in 101..=20_000 {
        hear(&mut model, message(seq, "group_1", "flood"));
    }
    assert_eq!(on_screen(&model), before);
    assert_eq!(model.stream().below(), 19_900);
    assert!(contents(&model).len() <= window::MOST);
    // The newest ones found no room; going there loads them.
    press(&mut model, KeyCode::Char('G'));
    serve(&mut model, &[message(20_000, "group_1", "the last one")]);
    assert_eq!(on_screen(&model), ["the last one"]);
    for seq in 20_001..=25_000 {
        hear(&mut model, message(seq, "group_1", "more"));
    }
    assert!(contents(&model).len() <= window::MOST && model.stream().follows());
}

#[test]
fn unread_messages_are_counted_until_their_conversation_is_open() {
    let store = [message(1, "group_1", "a"), message(2, "group_2", "b")];
    let mut model = connected(80, 24, &store);
    let unread = |model: &Model| -> Vec<_> {
        model.listed().iter().map(|c| (c.name().to_owned(), c.unread)).collect()
    };
    assert_eq!(unread(&model), [("group_2".into(), 0), ("group_1".into(), 0)]);
    hear(&mut model, message(3, "group_1", "c"));
    assert_eq!(unread(&model), [("group_1".into(), 1), ("group_2".into(), 0)]);
    // Going through the list reads nothing; going to write does.
    press(&mut model, KeyCode::Char('j'));
    assert_eq!(model.title(), "group_1");
    assert_eq!(reads(&serve(&mut model, &store)), []);
    press(&mut model, KeyCode::Enter);
    assert_eq!(reads(&serve(&mut model, &store)), [1]);
    assert_eq!(unread(&model)[0], ("group_1".into(), 0));
    model.update(TuiEvent::Reply(ServerReply::Conversation(None)));
    hear(&mut model, message(5, "group_1", "d"));
    assert_eq!(reads(&serve(&mut model, &store)), [5]);
    assert_eq!(unread(&model)[0], ("group_1".into(), 0));
    // Nobody sees what comes while another window has the keyboard.
    model.update(TuiEvent::Reply(ServerReply::Conversation(None)));
    model.update(TuiEvent::Focus(false));
    hear(&mut model, message(6, "group_1", "e"));
    assert_eq!(reads(&serve(&mut model, &store)), []);
    assert_eq!(unread(&model)[0], ("group_1".into(), 1));
    model.update(TuiEvent::Focus(true));
    assert_eq!(reads(&serve(&mut model, &store)), [6]);
    // Sending to a conversation reads it.
    hear(&mut model, message(7, "group_2", "f"));
    hear(&mut model, own(8, "group_2", "mine", Status::Pending));
    assert!(unread(&model).contains(&("group_2".into(), 0)), "{:?}", unread(&model));
}

#[test]
fn the_list_keeps_its_order_while_one_goes_through_it() {
    let store =
        [message(1, "group_1", "a"), message(2, "group_2", "b"), message(3, "group_3", "c")];
    let mut model = connected(80, 24, &store);
    let names =
        |model: &Model| -> Vec<_> { model.listed().iter().map(|c| c.name().to_owned()).collect() };
    press(&mut model, KeyCode::Char('j'));
    hear(&mut model, message(4, "group_1", "d"));
    assert_eq!(names(&model), ["group_3", "group_2", "group_1"]);
    press(&mut model, KeyCode::Char('j'));
    assert_eq!(model.title(), "group_2");
    model.update(TuiEvent::Tick(NOON + HOLD));
    assert_eq!(names(&model), ["group_1", "group_3", "group_2"]);
}

#[test]
fn an_answer_goes_to_the_open_conversation_and_can_be_recalled() {
    let store = many(3);
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('i'));
    assert_eq!(model.notice(), Some("choose a conversation to write to"));
    press(&mut model, KeyCode::Char('j'));
    press(&mut model, KeyCode::Enter);
    type_in(&mut model, "quick? no");
    model.update(TuiEvent::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::ALT)));
    model.update(TuiEvent::Paste("two\r\nlines\u{1b}[31m\tend".into()));
    press(&mut model, KeyCode::Enter);
    let text = "quick? no\ntwo\nlines[31m    end";
    let sent = serve(&mut model, &store);
    let is_sent = |effect: &Effect| match effect {
        Effect::Ask(ServerRequest::Send(message)) => {
            assert_eq!(message.content.as_deref().unwrap().replace('\t', "    "), text);
            assert_eq!(message.platform.as_deref(), Some("qq"));
            message.recipient == "group_1"
        }
        _ => false,
    };
    assert!(sent.iter().any(is_sent), "{sent:?}");
    assert_eq!(model.draft().text(), "");
    press(&mut model, KeyCode::Up);
    assert_eq!(model.draft().text().replace('\t', "    "), text);
}

#[test]
fn each_conversation_has_its_own_unfinished_answer() {
    let store = [message(1, "group_1", "a"), message(2, "group_2", "b")];
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('j'));
    press(&mut model, KeyCode::Char('i'));
    type_in(&mut model, "for two");
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('j'));
    assert_eq!((model.title().as_str(), model.draft().text().as_str()), ("group_1", ""));
    press(&mut model, KeyCode::Char('k'));
    assert_eq!(model.draft().text(), "for two");
}

#[test]
fn statuses_follow_and_failures_can_be_sent_again() {
    let mut model = connected(80, 24, &[own(1, "group_1", "hi", Status::Pending)]);
    let change = StatusChange {
        id: Uuid::from_u128(1),
        status: Status::Failed,
        retry_count: 2,
        updated_at: NOON,
        platform: "qq".into(),
        conversation: "group_1".into(),
        seq: 1,
        last_error: Some("no such group".into()),
    };
    model.update(TuiEvent::Watch(watch::WatchEvent::Status(change)));
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::Char('k'));
    let failed = model.stream().selected().unwrap();
    assert_eq!((failed.status, failed.retry_count), (Status::Failed, 2));
    press(&mut model, KeyCode::Char('x'));
    assert!(model.notice().unwrap().contains("only pending messages"));
    press(&mut model, KeyCode::Char('R'));
    let again = Effect::Ask(ServerRequest::SetStatus(Uuid::from_u128(1), Status::Pending));
    assert!(model.settle().contains(&again));
}

#[test]
fn deleting_asks_first() {
    let mut model = connected(80, 24, &many(3));
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('d'));
    press(&mut model, KeyCode::Char('n'));
    assert_eq!(model.settle(), []);
    press(&mut model, KeyCode::Char('d'));
    press(&mut model, KeyCode::Char('y'));
    let id = Uuid::from_u128(3);
    assert_eq!(model.settle(), [Effect::Ask(ServerRequest::Delete(id))]);
    model.update(TuiEvent::Reply(ServerReply::Deleted(id)));
    assert_eq!(contents(&model), ["number 1", "number 2"]);
    assert_eq!(model.stream().selected().unwrap().content.readable(), "number 2");
}

#[test]
fn a_search_finds_upwards_in_whatever_case() {
    let mut store = many(40);
    store[4].content = "the Needle".into();
    store[20].content = "a needle, too".into();
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('/'));
    type_in(&mut model, "nEEdle");
    press(&mut model, KeyCode::Enter);
    assert_eq!(model.stream().selected().unwrap().content.readable(), "a needle, too");
    press(&mut model, KeyCode::Char('n'));
    assert_eq!(model.stream().selected().unwrap().content.readable(), "the Needle");
    assert!(on_screen(&model).contains(&"the Needle".to_owned()));
    press(&mut model, KeyCode::Char('n'));
    assert_eq!(
        model.notice(),
        Some("no match further up in what is loaded; / and Tab searches everything")
    );
    press(&mut model, KeyCode::Char('N'));
    assert_eq!(model.stream().selected().unwrap().content.readable(), "a needle, too");
}

#[test]
fn a_server_that_cannot_search_does_not_confuse() {
    let mut store = many(500);
    store[480].content = "a needle".into();
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('/'));
    type_in(&mut model, "needle");
    press(&mut model, KeyCode::Tab);
    // The test's server ignores what is searched for, as an old one does.
    let asked = model.settle();
    let is_search = |effect: &Effect| matches!(effect, Effect::Ask(ServerRequest::Page { wanted, .. }) if wanted.query.as_deref() == Some("needle"));
    assert!(asked.iter().any(is_search), "{asked:?}");
    let Effect::Ask(ServerRequest::Page { ticket, wanted }) = &asked[0] else {
        panic!("{asked:?}")
    };
    let found = page(&store, wanted);
    model.update(TuiEvent::Reply(ServerReply::Page { ticket: *ticket, found }));
    assert_eq!(serve(&mut model, &store), []);
    assert_eq!(contents(&model), ["a needle"]);
    press(&mut model, KeyCode::Esc);
    serve(&mut model, &store);
    assert_eq!(contents(&model).last().unwrap(), "number 500");
}

#[test]
fn a_bounded_search_goes_on_where_the_server_ended() {
    let mut model = connected(80, 24, &many(10));
    press(&mut model, KeyCode::Char('/'));
    type_in(&mut model, "x");
    press(&mut model, KeyCode::Tab);
    let asked = model.settle();
    let Effect::Ask(ServerRequest::Page { ticket, .. }) = asked[0] else { panic!("{asked:?}") };
    let found = HistoryPage {
        messages: vec![message(9, "group_1", "x")],
        searched_to: Some("5".into()),
        ..HistoryPage::default()
    };
    model.update(TuiEvent::Reply(ServerReply::Page { ticket, found }));
    let asked = model.settle();
    let Effect::Ask(ServerRequest::Page { wanted, .. }) = &asked[0] else { panic!("{asked:?}") };
    assert_eq!(wanted.before.as_deref(), Some("5"));
}

#[test]
fn filters_limit_the_stream_and_escape_ends_them() {
    let mut store = many(5);
    store[1].status = Status::Failed;
    store[3].platform = Some("wechat".into());
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('f'));
    assert_eq!(model.stream().scope().status, Some(Status::Pending));
    for _ in 0..3 {
        press(&mut model, KeyCode::Char('f'));
    }
    serve(&mut model, &store);
    assert_eq!(contents(&model), ["number 2"]);
    press(&mut model, KeyCode::Esc);
    serve(&mut model, &store);
    press(&mut model, KeyCode::Char('p'));
    serve(&mut model, &store);
    assert_eq!(model.stream().scope().platform.as_deref(), Some("qq"));
    assert_eq!(contents(&model).len(), 4);
}

#[test]
fn another_store_begins_anew() {
    let mut model = connected(80, 24, &many(50));
    model.update(TuiEvent::Watch(watch::WatchEvent::Away("it has gone".into())));
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 2 }));
    serve(&mut model, &many(2));
    assert_eq!(contents(&model), ["number 1", "number 2"]);
}

#[test]
fn the_same_store_goes_on_with_the_events_that_were_missed() {
    let mut store = many(50);
    store.push(own(51, "group_1", "mine", Status::Pending));
    let mut model = connected(80, 24, &store);
    model.settle();
    model.update(TuiEvent::Watch(watch::WatchEvent::Away("it has gone".into())));
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 51 }));
    model.update(TuiEvent::Tick(NOON + 1));
    let asked = model.settle();
    let wanted =
        [ServerRequest::Platforms, ServerRequest::Stats, ServerRequest::Requests].map(Effect::Ask);
    assert_eq!(asked, wanted, "the rest is told");
    let routed =
        Message { platform: Some("wechat".into()), ..own(51, "group_1", "mine", Status::Sent) };
    model.update(TuiEvent::Watch(watch::WatchEvent::Updated(Box::new(routed))));
    assert_eq!(model.stream().window().by_id(Uuid::from_u128(51)).unwrap().status, Status::Sent);
    let deleted = MessageDeleted {
        id: Uuid::from_u128(50),
        platform: "qq".into(),
        conversation: "group_1".into(),
        seq: 50,
    };
    model.update(TuiEvent::Watch(watch::WatchEvent::Deleted(deleted)));
    assert_eq!(contents(&model).len(), 50);
}

#[test]
fn a_store_that_was_replaced_is_loaded_afresh_with_a_word() {
    let mut model = connected(80, 24, &many(50));
    model.settle();
    model.update(TuiEvent::Watch(watch::WatchEvent::StoreReplaced));
    // Its newest message has the same place by chance.
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 50 }));
    serve(&mut model, &many(3));
    assert_eq!(contents(&model), ["number 1", "number 2", "number 3"]);
    assert!(model.notice().is_some_and(|notice| notice.contains("afresh")));
}

#[test]
fn a_conversation_that_was_named_shows_its_name() {
    let mut model = connected(80, 24, &many(2));
    let named = http::Conversation { name: Some("Friends".into()), ..conversation("group_1", 2) };
    model.update(TuiEvent::Watch(watch::WatchEvent::Conversation(named)));
    let listed: Vec<_> = model.listed().iter().map(|known| known.name().to_owned()).collect();
    assert!(listed.contains(&"Friends".to_owned()), "{listed:?}");
}

#[test]
fn a_conversation_has_its_newest_name_everywhere() {
    let named = |seq, name: &str| {
        let name = Some(name.to_owned());
        Message { conversation_name: name, ..message(seq, "group_1", "x") }
    };
    let mut model = connected(100, 20, &[named(1, "Old"), own(2, "group_1", "y", Status::Sent)]);
    hear(&mut model, named(3, "New"));
    serve(&mut model, &[]);
    let names = |model: &Model| -> Vec<_> {
        model.stream().window().iter().map(|m| m.conversation_name.clone().unwrap()).collect()
    };
    assert_eq!(names(&model), ["New", "New", "New"]);
    // Another client was told of one more name first.
    let renamed = http::Conversation { name: Some("Newest".into()), ..conversation("group_1", 3) };
    model.update(TuiEvent::Reply(ServerReply::Conversations(vec![renamed])));
    assert_eq!(names(&model), ["Newest", "Newest", "Newest"]);
}

#[test]
fn what_failed_while_the_server_was_away_is_not_shown_when_it_is_back() {
    let mut model = connected(100, 20, &many(3));
    model.update(TuiEvent::Watch(watch::WatchEvent::Away("gone".into())));
    model.update(TuiEvent::Reply(ServerReply::Failed("no server answers".into())));
    assert_eq!(model.notice(), Some("no server answers"));
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 3 }));
    assert_eq!(model.notice(), None);
}

#[test]
fn bytes_of_a_picture_are_named_and_not_shown() {
    let bytes = format!("base64://{}", "QUJD".repeat(1_000));
    let content = Content::of_type(MessageType::Image, bytes);
    let picture = Message { content, ..message(1, "group_1", "") };
    let model = connected(100, 20, &[picture]);
    let shown = format!("{:?}", model.stream().visible());
    assert!(shown.contains("[image] 3 kB") && !shown.contains("QUJD"), "{shown}");
    // Without a kind it is private, where nobody else can have said it.
    assert_eq!(model.listed()[0].last_line.as_deref(), Some("[image] 3 kB"));
}

fn known(name: &str, last_seq: u64, unread: u64) -> http::Conversation {
    http::Conversation { unread, ..conversation(name, last_seq) }
}

/// Goes from the list to the first conversation, and writes to it.
fn enter(model: &mut Model, store: &[Message]) -> Vec<Effect> {
    press(model, KeyCode::Char('j'));
    press(model, KeyCode::Enter);
    serve(model, store)
}

fn control(model: &mut Model, c: char) {
    model.update(TuiEvent::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)));
}

/// Whether a row for what is new is on the screen, and the message under it.
fn first_new(model: &Model) -> Option<String> {
    let shown = model.stream().visible();
    let first = shown.iter().find(|shown| shown.rows.contains(&rows::Row::Unread))?;
    Some(model.stream().window().at(first.position)?.content.readable().into_owned())
}

#[test]
fn a_conversation_opens_at_its_first_unread_message_however_many_there_are() {
    for (count, unread) in [(100, 3), (100, 60), (600, 500), (90, 90)] {
        let store = many(count);
        let mut model = connected(80, 24, &store);
        let listed = vec![known("group_1", count, unread)];
        model.update(TuiEvent::Reply(ServerReply::Conversations(listed)));
        let asked = enter(&mut model, &store);
        let first = format!("number {}", count - unread + 1);
        assert_eq!(first_new(&model), Some(first.clone()), "{unread} of {count}");
        assert!(on_screen(&model).contains(&first));
        let read = reads(&asked);
        let last = on_screen(&model).last().unwrap().replace("number ", "");
        // What is hidden below was not read.
        assert_eq!(read.len(), 1);
        assert!(read[0] <= last.parse::<u128>().unwrap(), "{read:?}");
        assert!(read[0] + 1 >= last.parse::<u128>().unwrap(), "{read:?}");
        while !model.stream().follows() {
            press(&mut model, KeyCode::PageDown);
            serve(&mut model, &store);
        }
        assert_eq!(on_screen(&model).last().unwrap(), &format!("number {count}"));
        assert!(model.stream().window().iter().count() >= usize::try_from(unread).unwrap());
    }
}

#[test]
fn what_another_client_reads_is_read_here() {
    let store = many(5);
    let mut model = connected(80, 24, &store);
    hear(&mut model, message(6, "group_1", "new"));
    assert_eq!(model.listed()[0].unread, 1);
    model.update(TuiEvent::Watch(watch::WatchEvent::Conversation(known("group_1", 6, 0))));
    assert_eq!(model.listed()[0].unread, 0);
    // What the server has counted already is not counted again.
    model.update(TuiEvent::Watch(watch::WatchEvent::Conversation(known("group_1", 7, 1))));
    hear(&mut model, message(7, "group_1", "newer"));
    assert_eq!(model.listed()[0].unread, 1);
}

#[test]
fn a_reply_names_its_message_and_escape_ends_it() {
    let store = many(3);
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('r'));
    assert_eq!(model.focus(), Focus::Write);
    assert!(model.purpose().unwrap().contains("Alice: number 2"), "{:?}", model.purpose());
    type_in(&mut model, "yes");
    press(&mut model, KeyCode::Enter);
    let sent = serve(&mut model, &store);
    let id = Uuid::from_u128(2).to_string();
    let is_reply = |effect: &Effect| matches!(effect, Effect::Ask(ServerRequest::Send(message)) if message.reply_to.as_ref() == Some(&id));
    assert!(sent.iter().any(is_reply), "{sent:?}");
    assert_eq!(model.purpose(), None);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('r'));
    press(&mut model, KeyCode::Esc);
    assert_eq!((model.purpose(), model.focus()), (None, Focus::Write));
}

#[test]
fn an_edit_keeps_mentions_and_gives_the_draft_back() {
    let mention = Segment::Mention { user: "7".into(), name: Some("Alice".into()), me: false };
    let segments = vec![mention, Segment::Text { text: " helo".into() }];
    let content = Content::of(segments.clone());
    let store = [Message { content, ..own(1, "group_1", "", Status::Sent) }];
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    type_in(&mut model, "unfinished");
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('e'));
    assert_eq!(model.draft().text(), "@Alice helo");
    control(&mut model, 'w');
    type_in(&mut model, "hello");
    press(&mut model, KeyCode::Enter);
    let sent = serve(&mut model, &store);
    let wanted = vec![segments[0].clone(), Segment::Text { text: " hello".into() }];
    let change = MessageChange { segments: Some(wanted), ..MessageChange::default() };
    assert!(
        sent.contains(&Effect::Ask(ServerRequest::Edit(Uuid::from_u128(1), change))),
        "{sent:?}"
    );
    assert_eq!(model.draft().text(), "unfinished");
}

#[test]
fn a_recall_asks_first_and_a_reaction_is_chosen_or_typed() {
    let store = [own(1, "group_1", "x", Status::Sent)];
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('u'));
    assert_eq!(model.notice(), Some("choose a message first, with ↑ or k"));
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('u'));
    press(&mut model, KeyCode::Char('y'));
    let id = Uuid::from_u128(1);
    assert!(serve(&mut model, &store).contains(&Effect::Ask(ServerRequest::Recall(id))));
    for (typed, emoji) in [("heart", "❤"), ("🦀", "🦀")] {
        press(&mut model, KeyCode::Char('+'));
        type_in(&mut model, typed);
        press(&mut model, KeyCode::Enter);
        let reacts = Effect::Ask(ServerRequest::React(id, emoji.into(), true));
        assert!(serve(&mut model, &store).contains(&reacts), "{emoji}");
    }
}

#[test]
fn the_answered_message_is_shown_however_old_it_is() {
    let mut store = many(500);
    let answered = Some(Uuid::from_u128(20));
    store[499].reply_to = Some(Box::new(ReplyTo { id: answered, ..ReplyTo::default() }));
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('a'));
    serve(&mut model, &store);
    assert_eq!(model.stream().selected().unwrap().content.readable(), "number 20");
    assert!(on_screen(&model).contains(&"number 18".to_owned()), "with what was said before");
    // A message that comes meanwhile is there once one has gone down to it.
    store.push(message(501, "group_1", "number 501"));
    hear(&mut model, store[500].clone());
    press(&mut model, KeyCode::Backspace);
    serve(&mut model, &store);
    assert_eq!(model.stream().selected().unwrap().content.readable(), "number 500");
    press(&mut model, KeyCode::Char('G'));
    serve(&mut model, &store);
    assert_eq!(on_screen(&model).last().unwrap(), "number 501");
}

#[test]
fn a_message_that_was_deleted_is_said_to_be_gone() {
    let mut store = many(3);
    let id = Some(Uuid::from_u128(99));
    store[2].reply_to = Some(Box::new(ReplyTo { id, ..ReplyTo::default() }));
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('a'));
    serve(&mut model, &store);
    assert_eq!(model.notice(), Some("that message is not here any more"));
    assert_eq!(contents(&model).len(), 3);
}

#[test]
fn typing_finds_conversations_and_a_typo_makes_none() {
    let store = [message(1, "group_1", "a"), message(2, "group_22", "b")];
    let mut model = connected(80, 24, &store);
    control(&mut model, 'k');
    type_in(&mut model, "g1");
    press(&mut model, KeyCode::Enter);
    serve(&mut model, &store);
    assert_eq!((model.title().as_str(), model.focus()), ("group_1", Focus::Write));
    control(&mut model, 'k');
    type_in(&mut model, "group_222");
    press(&mut model, KeyCode::Enter);
    assert_eq!(model.title(), "group_1");
    assert!(model.picker().is_some());
    press(&mut model, KeyCode::Esc);
    assert!(model.picker().is_none());
}

#[test]
fn a_hit_is_shown_with_what_was_said_around_it() {
    let mut store = many(500);
    store[30].content = "a Ｎｅｅｄｌｅ".into();
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('/'));
    type_in(&mut model, "needle");
    press(&mut model, KeyCode::Tab);
    let hits: Vec<_> = store.iter().filter(|m| scope::contains(m, "needle")).cloned().collect();
    serve(&mut model, &hits);
    assert_eq!(contents(&model), ["a Ｎｅｅｄｌｅ"]);
    assert_eq!(model.stream().scope().conversation, None, "all conversations are searched");
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Enter);
    serve(&mut model, &store);
    assert_eq!(model.title(), "group_1");
    assert!(on_screen(&model).contains(&"number 32".to_owned()));
    let shown = model.stream().visible();
    let marked = |row: &rows::Row| matches!(row, rows::Row::Text { spans, .. } if spans.iter().any(|span| span.is_hit && span.text == "Ｎｅｅｄｌｅ"));
    assert!(shown.iter().flat_map(|shown| &shown.rows).any(marked));
    press(&mut model, KeyCode::Esc);
    serve(&mut model, &hits);
    assert_eq!(contents(&model), ["a Ｎｅｅｄｌｅ"]);
}

#[test]
fn names_are_completed_and_become_mentions() {
    let store = many(3);
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    type_in(&mut model, "hi @al");
    press(&mut model, KeyCode::Tab);
    assert_eq!(model.draft().text(), "hi @al", "Alice, and all");
    type_in(&mut model, "i");
    press(&mut model, KeyCode::Tab);
    type_in(&mut model, "!");
    assert_eq!(model.draft().text(), "hi @Alice !");
    press(&mut model, KeyCode::Enter);
    let sent = serve(&mut model, &store);
    let mentions = |effect: &Effect| matches!(effect, Effect::Ask(ServerRequest::Send(message)) if message.segments.as_ref().is_some_and(|all| matches!(&all[1], Segment::Mention { user, .. } if user == "7")));
    assert!(sent.iter().any(mentions), "{sent:?}");
    // Where there is nothing to complete, Tab goes on to the next pane.
    press(&mut model, KeyCode::Tab);
    assert_eq!(model.focus(), Focus::List);
}

#[test]
fn the_path_of_a_file_is_completed_and_sent() {
    let folder = tempfile::TempDir::new().unwrap();
    for name in ["chart one.png", "chart two.png", "other.txt"] {
        std::fs::write(folder.path().join(name), "x").unwrap();
    }
    let store = many(3);
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    type_in(&mut model, &format!("/file {}/ch", folder.path().display()));
    press(&mut model, KeyCode::Tab);
    assert!(model.draft().text().ends_with("/chart "), "{}", model.draft().text());
    assert_eq!(model.notice(), Some("chart one.png  chart two.png"));
    type_in(&mut model, "t");
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::Enter);
    let sent = serve(&mut model, &store);
    let path = folder.path().join("chart two.png");
    let is_file = |effect: &Effect| matches!(effect, Effect::Ask(ServerRequest::SendFile(message, sent)) if *sent == path && message.recipient == "group_1");
    assert!(sent.iter().any(is_file), "{sent:?}");
}

#[test]
fn links_and_files_are_opened_and_files_saved() {
    let segments = vec![
        Segment::Text { text: "https://a.b/c".into() },
        Segment::File(Media {
            name: Some("q.pdf".into()),
            media: Some("00".into()),
            ..Media::default()
        }),
    ];
    let store = [Message { content: Content::of(segments), ..message(1, "group_1", "") }];
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('s'));
    let saves = |effect: &Effect| matches!(effect, Effect::Ask(ServerRequest::Fetch(file, Fetching::Save)) if file.name.as_deref() == Some("q.pdf"));
    assert!(serve(&mut model, &store).iter().any(saves));
    // There are two things to open: one is chosen.
    press(&mut model, KeyCode::Char('o'));
    press(&mut model, KeyCode::Enter);
    let effects = serve(&mut model, &store);
    assert!(effects.contains(&Effect::Open("https://a.b/c".into())), "{effects:?}");
}

#[test]
fn people_are_notified_of_what_they_do_not_see() {
    let store = [message(1, "private_1", "a"), message(2, "group_2", "b")];
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('!'));
    let notified = |model: &mut Model, seq: u64, conversation: &str| {
        model.update(TuiEvent::Tick(NOON + seq * 10));
        let new = Message { created_at: NOON + seq * 10, ..message(seq, conversation, "x") };
        hear(model, new);
        let effects = serve(model, &store);
        effects.iter().any(|effect| matches!(effect, Effect::Notify(_)))
    };
    assert!(notified(&mut model, 3, "private_1"));
    assert!(!notified(&mut model, 4, "group_2"), "a group, and nobody is mentioned");
    press(&mut model, KeyCode::Char('j'));
    press(&mut model, KeyCode::Enter);
    let open = model.title();
    assert!(!notified(&mut model, 5, &open), "it is read as it comes");
    model.update(TuiEvent::Focus(false));
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('!'));
    assert!(notified(&mut model, 6, &open), "nobody looks");
}

#[test]
fn waiting_messages_say_what_they_wait_for() {
    let store = [own(1, "group_1", "hi", Status::Pending)];
    let mut model = connected(80, 24, &store);
    model.update(TuiEvent::Tick(NOON - NOON % WAITING + WAITING));
    let asked = model.settle();
    assert!(asked.contains(&Effect::Ask(ServerRequest::Message(Uuid::from_u128(1)))), "{asked:?}");
    let waits =
        Message { waiting: Some("no adapter of qq is connected".into()), ..store[0].clone() };
    model.update(TuiEvent::Reply(ServerReply::Message(Box::new(waits))));
    let shown = format!("{:?}", model.stream().visible());
    assert!(shown.contains("no adapter of qq is connected"), "{shown}");
}

#[test]
fn notices_stand_where_they_came() {
    let store = many(2);
    let mut model = connected(80, 24, &store);
    let listed =
        http::Conversation { last_message: Some(store[1].clone()), ..known("group_1", 2, 0) };
    model.update(TuiEvent::Reply(ServerReply::Conversations(vec![listed])));
    let notice = Notice {
        platform: "qq".into(),
        account: "1".into(),
        conversation: Some("group_1".into()),
        kind: NoticeKind::MemberJoined,
        user: Some(Sender { id: "9".into(), name: "Zoë".into() }),
        operator: None,
        text: String::new(),
        created_at: NOON,
        request: None,
    };
    model.update(TuiEvent::Watch(watch::WatchEvent::Notice(Box::new(notice))));
    enter(&mut model, &store);
    hear(&mut model, message(3, "group_1", "welcome"));
    serve(&mut model, &store);
    let shown = model.stream().visible();
    let of_second = &shown[shown.len() - 2].rows;
    assert!(
        matches!(of_second.last(), Some(rows::Row::Notice(spans)) if spans[0].text == "Zoë joined"),
        "{of_second:?}"
    );
}

#[test]
fn requests_are_answered() {
    let store = many(2);
    let mut model = connected(80, 24, &store);
    let request = http::Request {
        id: 7,
        platform: "qq".into(),
        account: "1".into(),
        conversation: None,
        kind: NoticeKind::FriendRequest,
        user: Some(Sender { id: "9".into(), name: "Zoë".into() }),
        text: "hello".into(),
        created_at: NOON,
        approved: None,
    };
    model.update(TuiEvent::Reply(ServerReply::Requests(vec![request.clone()])));
    assert_eq!(model.waiting_requests(), 1);
    press(&mut model, KeyCode::Char('w'));
    press(&mut model, KeyCode::Enter);
    press(&mut model, KeyCode::Char('n'));
    assert!(model.settle().contains(&Effect::Ask(ServerRequest::Answer(7, false))));
    let answered = http::Request { approved: Some(false), ..request };
    model.update(TuiEvent::Reply(ServerReply::RequestAnswered(Box::new(answered))));
    assert_eq!(model.waiting_requests(), 0);
}

#[test]
fn unfinished_texts_are_not_lost_by_a_slip() {
    let store = many(2);
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    type_in(&mut model, "unfinished");
    control(&mut model, 'c');
    assert_eq!(model.question(), Some(&Question::Quit));
    press(&mut model, KeyCode::Esc);
    assert!(!model.settle().contains(&Effect::Quit));
    control(&mut model, 'u');
    assert_eq!(model.draft().text(), "");
    control(&mut model, 'c');
    assert!(model.settle().contains(&Effect::Quit));
}

#[test]
fn messages_have_fifty_columns_from_eighty_on() {
    for width in 80..=240 {
        let mut model = connected(width, 24, &many(1));
        enter(&mut model, &many(1));
        assert!(model.stream().columns().text >= 50, "{width}: {:?}", model.stream().columns());
        press(&mut model, KeyCode::Esc);
        press(&mut model, KeyCode::Esc);
        assert_eq!(model.focus(), Focus::List);
        assert!(!model.layout().is_folded(), "{width}");
    }
}

#[test]
fn the_mouse_chooses_opens_and_scrolls() {
    let mut model = connected(80, 24, &many(100));
    let layout = model.layout();
    let point = |model: &mut Model, kind, column, row| {
        let modifiers = KeyModifiers::NONE;
        model.update(TuiEvent::Mouse(MouseEvent { kind, column, row, modifiers }));
    };
    let click = MouseEventKind::Down(MouseButton::Left);
    point(&mut model, click, layout.list.x + 3, layout.list.y + 3);
    assert_eq!((model.title().as_str(), model.focus()), ("group_1", Focus::Write));
    serve(&mut model, &many(100));
    let layout = model.layout();
    point(&mut model, click, layout.stream.x + 3, layout.stream.bottom() - 2);
    assert_eq!(model.stream().selected().unwrap().content.readable(), "number 99");
    point(&mut model, click, layout.stream.x + 3, layout.stream.bottom() - 2);
    assert!(model.view().is_some());
    press(&mut model, KeyCode::Esc);
    assert!(model.view().is_none());
    point(&mut model, MouseEventKind::ScrollUp, layout.stream.x + 3, layout.stream.y);
    assert_eq!(on_screen(&model).last().unwrap(), "number 97");
    point(&mut model, click, layout.write.x + 3, layout.write.y);
    assert_eq!(model.focus(), Focus::Write);
}

#[derive(Clone, Debug)]
enum Step {
    /// So many messages are made; the server may be away.
    Make(u64),
    Leave,
    /// It comes back, and repeats some of what was told before.
    Return(u64),
    Press(KeyCode),
    Resize(u16, u16),
    Delete(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keys = prop_oneof![
        Just(KeyCode::Up),
        Just(KeyCode::Down),
        Just(KeyCode::PageUp),
        Just(KeyCode::PageDown),
        Just(KeyCode::Char('g')),
        Just(KeyCode::Char('G')),
        Just(KeyCode::Tab),
        Just(KeyCode::Esc),
        Just(KeyCode::Enter),
    ];
    let step = prop_oneof![
        2 => (1..60u64).prop_map(Step::Make),
        1 => Just(Step::Leave),
        2 => (0..20u64).prop_map(Step::Return),
        4 => keys.prop_map(Step::Press),
        1 => (1..130u16, 1..50u16).prop_map(|(width, height)| Step::Resize(width, height)),
        1 => (1..300u64).prop_map(Step::Delete),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// However the server goes and comes and whatever is pressed: what is loaded is a run of the
    /// conversation's messages without a gap or a double, in order, and up to the newest one that
    /// was told where the stream follows.
    #[test]
    fn nothing_is_missing_doubled_or_out_of_order(steps in steps()) {
        let mut store = many(150);
        let mut model = connected(80, 24, &store);
        let (mut told, mut is_here, mut made) = (150, true, 150);
        for step in steps {
            match step {
                Step::Make(count) => {
                    let new = (made + 1..=made + count)
                        .map(|seq| message(seq, &format!("group_{}", seq % 3), &format!("number {seq}\nline")));
                    store.extend(new);
                    made += count;
                }
                Step::Leave => {
                    is_here = false;
                    model.update(TuiEvent::Watch(watch::WatchEvent::Away("gone".into())));
                }
                Step::Return(again) => {
                    is_here = true;
                    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: told }));
                    let repeated = store.iter().filter(|m| m.seq <= told && m.seq + again > told);
                    repeated.for_each(|m| hear(&mut model, m.clone()));
                }
                Step::Press(code) => press(&mut model, code),
                Step::Resize(width, height) => model.update(TuiEvent::Resize(width, height)),
                Step::Delete(seq) => {
                    store.retain(|message| message.seq != seq);
                    model.update(TuiEvent::Reply(ServerReply::Deleted(Uuid::from_u128(seq.into()))));
                }
            }
            if is_here {
                store.iter().filter(|m| m.seq > told).for_each(|m| hear(&mut model, m.clone()));
                told = made;
            }
            serve(&mut model, &store);
            let loaded: Vec<_> = model.stream().window().iter().map(|m| m.id).collect();
            let scope = model.stream().scope().clone();
            let all: Vec<_> = store.iter().filter(|m| m.seq <= told && scope.has(m)).map(|m| m.id).collect();
            prop_assert_eq!(loaded.iter().collect::<HashSet<_>>().len(), loaded.len());
            let is_run = loaded.is_empty() || all.windows(loaded.len()).any(|run| run == loaded);
            prop_assert!(is_run, "{} of {}", loaded.len(), all.len());
            let is_end = !model.stream().follows() || all.ends_with(&loaded);
            prop_assert!(is_end, "{} of {}", loaded.len(), all.len());
            let rows: usize = model.stream().visible().iter().map(|shown| shown.rows.len()).sum();
            prop_assert!(rows <= usize::from(model.layout().stream.height));
        }
    }
}
