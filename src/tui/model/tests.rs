use super::*;
use crate::client::watch::{self, StatusChange};
use crate::client::{HistoryPage, HistoryQuery};
use crate::model::content::Content;
use crate::model::message::{Direction, Message, MessageType, Sender, Status};
use crate::protocol::event::MessageDeleted;
use crate::protocol::http;
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
    Model::new("http://test:8080".into(), (width, height), TimeZone::UTC, NOON)
}

pub fn hear(model: &mut Model, message: Message) {
    model.update(Event::Watch(watch::Event::Message(Box::new(message))));
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
            if let Effect::Ask(Request::Page { ticket, wanted }) = effect {
                let found = page(store, &wanted);
                model.update(Event::Reply(Reply::Page { ticket, found }));
            } else {
                others.push(effect);
            }
        }
    }
}

/// Reply of a server.
fn page(store: &[Message], wanted: &HistoryQuery) -> HistoryPage {
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
    HistoryPage { messages, searched_to: None }
}

/// A model that is connected to a store, in which the oldest message is first.
pub fn connected(width: u16, height: u16, store: &[Message]) -> Model {
    let mut model = model(width, height);
    let since = store.last().map_or(0, |message| message.seq);
    model.update(Event::Watch(watch::Event::Here { since }));
    let mut names: Vec<_> = store.iter().map(|message| message.recipient.clone()).collect();
    names.sort();
    names.dedup();
    let last = |name: &String| store.iter().rev().find(|message| message.recipient == *name);
    let listed = names.iter().map(|name| conversation(name, last(name).unwrap().seq)).collect();
    model.update(Event::Reply(Reply::Conversations(listed)));
    serve(&mut model, store);
    model
}

pub fn press(model: &mut Model, code: KeyCode) {
    model.update(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
}

pub fn type_in(model: &mut Model, text: &str) {
    for c in text.chars() {
        press(model, KeyCode::Char(c));
    }
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
    model.update(Event::Watch(watch::Event::Away("no server answers".into())));
    model.update(Event::Tick(NOON + 1));
    assert_eq!(model.settle(), []);
    assert_eq!(model.connection(), &ConnectionState::Lost("no server answers".into()));
}

#[test]
fn history_and_what_comes_meet_without_a_gap_or_a_double() {
    let mut store = many(250);
    let mut model = model(80, 24);
    model.update(Event::Watch(watch::Event::Here { since: 250 }));
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
    hear(&mut model, own(4, "group_1", "mine", Status::Pending));
    assert_eq!(unread(&model), [("group_1".into(), 1), ("group_2".into(), 0)]);
    press(&mut model, KeyCode::Char('j'));
    serve(&mut model, &store);
    hear(&mut model, message(5, "group_1", "d"));
    assert_eq!(unread(&model)[0], ("group_1".into(), 0));
    assert_eq!(model.title(), "group_1");
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
    model.update(Event::Tick(NOON + HOLD));
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
    model.update(Event::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::ALT)));
    model.update(Event::Paste("two\r\nlines\u{1b}[31m\tend".into()));
    press(&mut model, KeyCode::Enter);
    let text = "quick? no\ntwo\nlines[31m    end";
    let sent = serve(&mut model, &store);
    let is_sent = |effect: &Effect| match effect {
        Effect::Ask(Request::Send(message)) => {
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
    model.update(Event::Watch(watch::Event::Status(change)));
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::Char('k'));
    let failed = model.stream().selected().unwrap();
    assert_eq!((failed.status, failed.retry_count), (Status::Failed, 2));
    press(&mut model, KeyCode::Char('x'));
    assert!(model.notice().unwrap().contains("only pending messages"));
    press(&mut model, KeyCode::Char('r'));
    let again = Effect::Ask(Request::SetStatus(Uuid::from_u128(1), Status::Pending));
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
    assert_eq!(model.settle(), [Effect::Ask(Request::Delete(id))]);
    model.update(Event::Reply(Reply::Deleted(id)));
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
    assert_eq!(model.notice(), Some("no match further up in what is loaded"));
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
    let is_search = |effect: &Effect| matches!(effect, Effect::Ask(Request::Page { wanted, .. }) if wanted.query.as_deref() == Some("needle"));
    assert!(asked.iter().any(is_search), "{asked:?}");
    let Effect::Ask(Request::Page { ticket, wanted }) = &asked[0] else { panic!("{asked:?}") };
    let found = page(&store, wanted);
    model.update(Event::Reply(Reply::Page { ticket: *ticket, found }));
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
    let Effect::Ask(Request::Page { ticket, .. }) = asked[0] else { panic!("{asked:?}") };
    let found =
        HistoryPage { messages: vec![message(9, "group_1", "x")], searched_to: Some("5".into()) };
    model.update(Event::Reply(Reply::Page { ticket, found }));
    let asked = model.settle();
    let Effect::Ask(Request::Page { wanted, .. }) = &asked[0] else { panic!("{asked:?}") };
    assert_eq!(wanted.before.as_deref(), Some("5"));
}

#[test]
fn filters_limit_the_stream_and_escape_ends_them() {
    let mut store = many(5);
    store[1].status = Status::Failed;
    store[3].platform = Some("wechat".into());
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('s'));
    assert_eq!(model.stream().scope().status, Some(Status::Pending));
    for _ in 0..3 {
        press(&mut model, KeyCode::Char('s'));
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
    model.update(Event::Watch(watch::Event::Away("it has gone".into())));
    model.update(Event::Watch(watch::Event::Here { since: 2 }));
    serve(&mut model, &many(2));
    assert_eq!(contents(&model), ["number 1", "number 2"]);
}

#[test]
fn the_same_store_goes_on_with_the_events_that_were_missed() {
    let mut store = many(50);
    store.push(own(51, "group_1", "mine", Status::Pending));
    let mut model = connected(80, 24, &store);
    model.settle();
    model.update(Event::Watch(watch::Event::Away("it has gone".into())));
    model.update(Event::Watch(watch::Event::Here { since: 51 }));
    model.update(Event::Tick(NOON + 1));
    let asked = model.settle();
    let counts = [Effect::Ask(Request::Platforms), Effect::Ask(Request::Stats)];
    assert_eq!(asked, counts, "the rest is told");
    let routed =
        Message { platform: Some("wechat".into()), ..own(51, "group_1", "mine", Status::Sent) };
    model.update(Event::Watch(watch::Event::Updated(Box::new(routed))));
    assert_eq!(model.stream().window().by_id(Uuid::from_u128(51)).unwrap().status, Status::Sent);
    let deleted = MessageDeleted {
        id: Uuid::from_u128(50),
        platform: "qq".into(),
        conversation: "group_1".into(),
        seq: 50,
    };
    model.update(Event::Watch(watch::Event::Deleted(deleted)));
    assert_eq!(contents(&model).len(), 50);
}

#[test]
fn a_store_that_was_replaced_is_loaded_afresh_with_a_word() {
    let mut model = connected(80, 24, &many(50));
    model.settle();
    model.update(Event::Watch(watch::Event::StoreReplaced));
    // Its newest message has the same place by chance.
    model.update(Event::Watch(watch::Event::Here { since: 50 }));
    serve(&mut model, &many(3));
    assert_eq!(contents(&model), ["number 1", "number 2", "number 3"]);
    assert!(model.notice().is_some_and(|notice| notice.contains("afresh")));
}

#[test]
fn a_conversation_that_was_named_shows_its_name() {
    let mut model = connected(80, 24, &many(2));
    let named = http::Conversation { name: Some("Friends".into()), ..conversation("group_1", 2) };
    model.update(Event::Watch(watch::Event::Conversation(named)));
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
    model.update(Event::Reply(Reply::Conversations(vec![renamed])));
    assert_eq!(names(&model), ["Newest", "Newest", "Newest"]);
}

#[test]
fn what_failed_while_the_server_was_away_is_not_shown_when_it_is_back() {
    let mut model = connected(100, 20, &many(3));
    model.update(Event::Watch(watch::Event::Away("gone".into())));
    model.update(Event::Reply(Reply::Failed("no server answers".into())));
    assert_eq!(model.notice(), Some("no server answers"));
    model.update(Event::Watch(watch::Event::Here { since: 3 }));
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
    assert_eq!(model.listed()[0].last_line.as_deref(), Some("Alice: [image] 3 kB"));
}

#[test]
fn the_mouse_chooses_opens_and_scrolls() {
    let mut model = connected(80, 24, &many(100));
    let layout = model.layout();
    let point = |model: &mut Model, kind, column, row| {
        let modifiers = KeyModifiers::NONE;
        model.update(Event::Mouse(MouseEvent { kind, column, row, modifiers }));
    };
    let click = MouseEventKind::Down(MouseButton::Left);
    point(&mut model, click, layout.list.x + 3, layout.list.y + 3);
    assert_eq!(model.title(), "group_1");
    serve(&mut model, &many(100));
    point(&mut model, click, layout.stream.x + 3, layout.stream.bottom() - 2);
    assert_eq!(model.stream().selected().unwrap().content.readable(), "number 99");
    point(&mut model, click, layout.stream.x + 3, layout.stream.bottom() - 2);
    assert!(model.view().is_some());
    point(&mut model, click, 0, 0);
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
                    model.update(Event::Watch(watch::Event::Away("gone".into())));
                }
                Step::Return(again) => {
                    is_here = true;
                    model.update(Event::Watch(watch::Event::Here { since: told }));
                    let repeated = store.iter().filter(|m| m.seq <= told && m.seq + again > told);
                    repeated.for_each(|m| hear(&mut model, m.clone()));
                }
                Step::Press(code) => press(&mut model, code),
                Step::Resize(width, height) => model.update(Event::Resize(width, height)),
                Step::Delete(seq) => {
                    store.retain(|message| message.seq != seq);
                    model.update(Event::Reply(Reply::Deleted(Uuid::from_u128(seq.into()))));
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
            prop_assert!(all.ends_with(&loaded), "{} of {}", loaded.len(), all.len());
            let rows: usize = model.stream().visible().iter().map(|shown| shown.rows.len()).sum();
            prop_assert!(rows <= usize::from(model.layout().stream.height));
        }
    }
}
