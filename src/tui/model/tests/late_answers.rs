//! Answers that come after events that are newer: the events win.

use super::fixture::{
    NOON, connected, contents, conversation, enter, known, many, message, own, page, press, receive,
};
use crate::client::HistoryPage;
use crate::client::watch::{StatusChange, WatchEvent};
use crate::model::message::{Direction, Message, Status};
use crate::protocol::event::MessageDeleted;
use crate::protocol::http;
use crate::tui::model::*;
use crossterm::event::KeyCode;
use proptest::prelude::*;
use std::collections::VecDeque;
use uuid::Uuid;

fn tell(model: &mut Model, event: WatchEvent) {
    model.update(TuiEvent::Watch(event));
}

fn status(message: &Message) -> WatchEvent {
    WatchEvent::Status(StatusChange {
        id: message.id,
        status: message.status,
        retry_count: message.retry_count,
        updated_at: message.updated_at,
        platform: "qq".into(),
        conversation: message.recipient.clone().into(),
        seq: message.seq,
        last_error: None,
        last_error_code: None,
        last_error_detail: None,
    })
}

fn deletion(seq: u64) -> WatchEvent {
    WatchEvent::Deleted(MessageDeleted {
        id: Uuid::from_u128(seq.into()),
        platform: "qq".into(),
        conversation: "group_1".into(),
        seq,
    })
}

fn answer(model: &mut Model, asked: u64, answer: ServerReply) {
    model.update(TuiEvent::Reply { asked, answer });
}

#[test]
fn the_answer_to_sending_does_not_take_back_what_became_of_the_message() {
    let mut model = connected(80, 24, &many(3));
    let asked = model.told_last();
    let pending = own(4, "group_1", "mine", Status::Pending);
    receive(&mut model, pending.clone());
    tell(&mut model, status(&Message { status: Status::Sent, ..pending.clone() }));
    answer(&mut model, asked, ServerReply::Made(Box::new(pending.clone())));
    assert_eq!(model.stream().window().by_id(pending.id).unwrap().status, Status::Sent);
    // An answer that was asked for later is as new as the event.
    let waits = Message { waiting: Some("the window is closed".into()), ..pending.clone() };
    let asked = model.told_last();
    answer(&mut model, asked, ServerReply::Message(Box::new(waits)));
    assert_eq!(model.stream().window().by_id(pending.id).unwrap().status, Status::Pending);
}

#[test]
fn a_page_has_no_message_that_was_deleted_and_none_as_it_was_before_its_edit() {
    let store = many(300);
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Char('\u{1b}'));
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('g'));
    let wanted: Vec<_> = model.take_effects();
    let page_of = |effect: &Effect| match effect {
        Effect::Ask(ServerRequest::Page { ticket, wanted }) => Some((*ticket, wanted.clone())),
        _ => None,
    };
    let (ticket, wanted) = wanted.iter().find_map(page_of).expect("older messages are asked for");
    let (asked, found) = (model.told_last(), page(&store, &wanted));
    let (first, second) = (found.messages[0].clone(), found.messages[1].clone());
    tell(&mut model, deletion(u64::try_from(first.id.as_u128()).unwrap()));
    let edited = Message { content: "edited".into(), ..second };
    tell(&mut model, WatchEvent::Updated(Box::new(edited.clone())));
    answer(&mut model, asked, ServerReply::Page { ticket, found });
    assert!(model.stream().window().by_id(first.id).is_none());
    let shown = model.stream().window().by_id(edited.id).unwrap();
    assert_eq!(shown.content.readable(), "edited");
}

#[test]
fn an_older_list_does_not_bring_back_what_was_read() {
    let mut model = connected(80, 24, &many(3));
    let asked = model.told_last();
    tell(&mut model, WatchEvent::Conversation(known("group_1", 3, 0)));
    answer(&mut model, asked, ServerReply::Conversations(vec![known("group_1", 3, 2)]));
    assert_eq!(model.listed()[0].unread, 0);
    let asked = model.told_last();
    answer(&mut model, asked, ServerReply::Conversations(vec![known("group_1", 3, 2)]));
    assert_eq!(model.listed()[0].unread, 2);
}

#[test]
fn a_page_that_is_older_than_all_that_is_remembered_is_asked_for_again() {
    let store = many(300);
    let mut model = connected(80, 24, &store);
    let large = "x".repeat(1 << 20);
    let asked = model.told_last();
    for seq in 1..=20 {
        let edited = message(seq, "group_1", &large);
        tell(&mut model, WatchEvent::Updated(Box::new(edited)));
    }
    let before = contents(&model);
    let old = own(300, "group_1", "older", Status::Pending);
    answer(&mut model, asked, ServerReply::Message(Box::new(old.clone())));
    let found = HistoryPage { messages: vec![old], ..HistoryPage::default() };
    answer(&mut model, asked, ServerReply::Page { ticket: 0, found });
    assert_eq!(contents(&model), before);
}

/// A server whose events and answers are under way for some time.
#[derive(Default)]
struct Server {
    messages: Vec<Message>,
    read_to: [u64; 3],
    events: VecDeque<WatchEvent>,
    answers: VecDeque<(u64, ServerReply)>,
    at: u64,
}

fn name(place: usize) -> String {
    format!("group_{place}")
}

impl Server {
    fn conversation(&self, place: usize) -> Option<http::Conversation> {
        let own: Vec<_> = self.messages.iter().filter(|m| m.recipient == name(place)).collect();
        let unread = |m: &&&Message| {
            m.direction == Direction::Inbound
                && u64::try_from(m.id.as_u128()).unwrap() > self.read_to[place]
        };
        Some(http::Conversation {
            last_message: own.last().map(|&last| last.clone()),
            unread: own.iter().filter(unread).count() as u64,
            ..conversation(&name(place), own.last()?.seq)
        })
    }

    fn read(&mut self, place: usize, seq: u64) {
        self.read_to[place] = self.read_to[place].max(seq);
        self.events.extend(self.conversation(place).map(WatchEvent::Conversation));
    }

    fn change(&mut self, step: &Step) {
        self.at += 1;
        match *step {
            Step::Make(place) => {
                let new = message(self.at + 1_000, &name(place), &format!("number {}", self.at));
                self.events.push_back(WatchEvent::Message(Box::new(new.clone())));
                self.messages.push(new);
                self.events.extend(self.conversation(place).map(WatchEvent::Conversation));
            }
            Step::Status(index, status_now) => {
                let at = self.at;
                let Some(message) = self.any(index) else { return };
                (message.status, message.updated_at) = (status_now, NOON + at);
                let event = status(message);
                self.events.push_back(event);
            }
            Step::Edit(index) => {
                let text = format!("edit {}", self.at);
                let Some(message) = self.any(index) else { return };
                message.content = text.as_str().into();
                let event = WatchEvent::Updated(Box::new(message.clone()));
                self.events.push_back(event);
            }
            Step::Delete(index) => {
                let Some(message) = self.any(index) else { return };
                let (id, seq) = (message.id, message.seq);
                let (platform, conversation) = ("qq".into(), message.recipient.clone().into());
                let deleted = MessageDeleted { id, platform, conversation, seq };
                self.events.push_back(WatchEvent::Deleted(deleted));
                self.messages.retain(|message| message.id != id);
            }
            Step::Read(place) => self.read(place, u64::MAX),
            Step::Press(_) | Step::Tell | Step::Answer | Step::Tick => {}
        }
    }

    fn any(&mut self, index: prop::sample::Index) -> Option<&mut Message> {
        let count = self.messages.len();
        (count > 0).then(|| &mut self.messages[index.index(count)])
    }

    /// Answers with what is so now; the answer is under way.
    fn ask(&mut self, asked: u64, request: ServerRequest) {
        let answer = match request {
            ServerRequest::Conversations => {
                ServerReply::Conversations((0..3).filter_map(|c| self.conversation(c)).collect())
            }
            ServerRequest::Page { ticket, wanted } => {
                ServerReply::Page { ticket, found: page(&self.messages, &wanted) }
            }
            ServerRequest::Message(id) => match self.messages.iter().find(|m| m.id == id) {
                Some(message) => ServerReply::Message(Box::new(message.clone())),
                None => ServerReply::Deleted(id),
            },
            ServerRequest::Read(key, id) => {
                let place = (0..3).find(|place| name(*place) == key.conversation).unwrap();
                self.read(place, u64::try_from(id.as_u128()).unwrap());
                ServerReply::Conversation(self.conversation(place).map(Box::new))
            }
            _ => return,
        };
        self.answers.push_back((asked, answer));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Make(usize),
    Status(prop::sample::Index, Status),
    Edit(prop::sample::Index),
    Delete(prop::sample::Index),
    Read(usize),
    Press(KeyCode),
    /// The next event arrives.
    Tell,
    /// The next answer arrives.
    Answer,
    Tick,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keys = [
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Char('g'),
        KeyCode::Char('G'),
        KeyCode::Tab,
        KeyCode::Esc,
        KeyCode::Enter,
        KeyCode::PageUp,
    ];
    let states = [Status::Pending, Status::Sending, Status::Sent, Status::Failed];
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        2 => (0..3usize).prop_map(Step::Make),
        2 => (index(), prop::sample::select(states.to_vec())).prop_map(|(i, s)| Step::Status(i, s)),
        2 => index().prop_map(Step::Edit),
        1 => index().prop_map(Step::Delete),
        1 => (0..3usize).prop_map(Step::Read),
        4 => prop::sample::select(keys.to_vec()).prop_map(Step::Press),
        5 => Just(Step::Tell),
        4 => Just(Step::Answer),
        1 => Just(Step::Tick),
    ];
    proptest::collection::vec(step, 1..80)
}

fn ask(model: &mut Model, server: &mut Server) -> bool {
    let asked = model.told_last();
    let effects = model.take_effects();
    let has_asked = !effects.is_empty();
    for effect in effects {
        if let Effect::Ask(request) = effect {
            server.ask(asked, request);
        }
    }
    has_asked
}

fn take_answer(model: &mut Model, server: &mut Server) -> bool {
    let Some((asked, answered)) = server.answers.pop_front() else { return false };
    answer(model, asked, answered);
    true
}

fn take_event(model: &mut Model, server: &mut Server) -> bool {
    let Some(event) = server.events.pop_front() else { return false };
    tell(model, event);
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// However events and answers overtake each other: once all have come, everything is shown as
    /// the server has it.
    #[test]
    fn in_the_end_all_is_as_the_server_has_it(steps in steps()) {
        let messages: Vec<_> =
            (1..=250).map(|seq| message(seq, &name(usize::from(seq % 5 == 0)), "first")).collect();
        let mut model = connected(80, 24, &messages);
        let mut server = Server { messages, read_to: [250; 3], ..Server::default() };
        for step in steps {
            server.change(&step);
            match step {
                Step::Press(code) => press(&mut model, code),
                Step::Tick => model.update(TuiEvent::Tick(NOON + server.at)),
                Step::Tell => drop(take_event(&mut model, &mut server)),
                Step::Answer => drop(take_answer(&mut model, &mut server)),
                _ => {}
            }
            ask(&mut model, &mut server);
        }
        for second in 1..=3 {
            loop {
                let is_told = take_event(&mut model, &mut server);
                let is_answered = take_answer(&mut model, &mut server);
                if !ask(&mut model, &mut server) && !is_told && !is_answered {
                    break;
                }
            }
            model.update(TuiEvent::Tick(NOON + 1_000 + second));
        }
        for shown in model.stream().window().iter() {
            let now = server.messages.iter().find(|message| message.id == shown.id);
            let now = now.map(|message| (message.status, &message.content));
            prop_assert_eq!(Some((shown.status, &shown.content)), now);
        }
        for place in 0..3 {
            let key = scope::ConversationKey { platform: "qq".into(), conversation: name(place) };
            let shown = model.conversations.get(&key).map(|c| (c.unread, c.last_seq));
            let now = server.conversation(place).map(|c| (c.unread, c.last_seq));
            prop_assert_eq!(shown, now, "{}", name(place));
        }
    }
}
