//! Messages on the screen: loading, scrolling, changes.

use super::super::tick::WAITING;
use super::fixture::{
    NOON, connected, contents, enter, known, many, message, model, on_screen, own, press, reads,
    receive, reply, serve,
};
use crate::client::watch::{self, StatusChange};
use crate::model::content::Content;
use crate::model::message::{Message, MessageType, ReplyTo, Sender, Status};
use crate::model::notice::{Notice, NoticeKind};
use crate::protocol::http;
use crate::tui::model::*;
use crossterm::event::KeyCode;
use uuid::Uuid;

#[test]
fn history_and_what_comes_meet_without_a_gap_or_a_double() {
    let mut store = many(250);
    let mut model = model(80, 24);
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 250 }));
    // A message that comes before the first page is answered lies behind it.
    store.push(message(251, "group_1", "number 251"));
    receive(&mut model, store[250].clone());
    serve(&mut model, &store);
    let wanted: Vec<_> =
        store.iter().map(|message| message.content.readable().into_owned()).collect();
    assert!(wanted.ends_with(&contents(&model)));
    assert_eq!(model.stream().window().last(), 0);
}

#[test]
fn what_came_late_stands_where_it_was_said() {
    let late =
        |seq, said, text| Message { created_at: NOON + said, ..message(seq, "group_1", text) };
    let mut store = many(3);
    store.push(late(4, 1, "after number 1"));
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    assert_eq!(contents(&model), ["number 1", "after number 1", "number 2", "number 3"]);
    // Also what comes while it is open; and it is read, though the newest message is an older one.
    store.push(late(5, 2, "after number 2"));
    receive(&mut model, store[4].clone());
    assert_eq!(reads(&serve(&mut model, &store)), [3]);
    let unread = ServerReply::Conversation(Some(Box::new(known("group_1", 5, 1))));
    model.update(reply(unread));
    let effects = serve(&mut model, &store);
    let reads_all = |effect: &Effect| matches!(effect, Effect::Ask(ServerRequest::ReadAll(key)) if key.conversation == "group_1");
    assert!(effects.iter().any(reads_all), "{effects:?}");
    receive(&mut model, late(6, 0, "before all"));
    let order =
        ["before all", "number 1", "after number 1", "number 2", "after number 2", "number 3"];
    assert_eq!(contents(&model), order);
    assert_eq!(on_screen(&model), order);
}

#[test]
fn what_came_late_moves_nothing_on_the_screen() {
    let store = many(300);
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::PageUp);
    serve(&mut model, &store);
    let before = on_screen(&model);
    let late = |seq, said| Message { created_at: NOON + said, ..message(seq, "group_1", "late") };
    // Above the screen, below it, and before all that is loaded.
    for (seq, said) in [(301, 240), (302, 298), (303, 1)] {
        receive(&mut model, late(seq, said));
    }
    assert_eq!(on_screen(&model), before);
    assert_eq!(contents(&model).iter().filter(|text| *text == "late").count(), 2);
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
        receive(&mut model, message(seq, "group_1", &format!("number {seq}")));
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
        receive(&mut model, message(seq, "group_1", "flood"));
    }
    assert_eq!(on_screen(&model), before);
    assert_eq!(model.stream().below(), 19_900);
    assert!(contents(&model).len() <= window::MAX_MESSAGES);
    // The newest ones found no room; going there loads them.
    press(&mut model, KeyCode::Char('G'));
    serve(&mut model, &[message(20_000, "group_1", "the last one")]);
    assert_eq!(on_screen(&model), ["the last one"]);
    for seq in 20_001..=25_000 {
        receive(&mut model, message(seq, "group_1", "more"));
    }
    assert!(contents(&model).len() <= window::MAX_MESSAGES && model.stream().follows());
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
        last_error_code: None,
        last_error_detail: None,
    };
    model.update(TuiEvent::Watch(watch::WatchEvent::Status(change)));
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::Char('k'));
    let failed = model.stream().selected().unwrap();
    assert_eq!((failed.status, failed.retry_count), (Status::Failed, 2));
    press(&mut model, KeyCode::Char('x'));
    assert!(model.notice().unwrap().contains("only pending messages"));
    press(&mut model, KeyCode::Char('R'));
    let again = Effect::Ask(ServerRequest::Retry(Uuid::from_u128(1)));
    assert!(model.take_effects().contains(&again));
}

#[test]
fn deleting_asks_first() {
    let mut model = connected(80, 24, &many(3));
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('d'));
    press(&mut model, KeyCode::Char('n'));
    assert_eq!(model.take_effects(), []);
    press(&mut model, KeyCode::Char('d'));
    press(&mut model, KeyCode::Char('y'));
    let id = Uuid::from_u128(3);
    assert_eq!(model.take_effects(), [Effect::Ask(ServerRequest::Delete(id))]);
    model.update(reply(ServerReply::Deleted(id)));
    assert_eq!(contents(&model), ["number 1", "number 2"]);
    assert_eq!(model.stream().selected().unwrap().content.readable(), "number 2");
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
    receive(&mut model, store[500].clone());
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
fn waiting_messages_say_what_they_wait_for() {
    let store = [own(1, "group_1", "hi", Status::Pending)];
    let mut model = connected(80, 24, &store);
    model.update(TuiEvent::Tick(NOON - NOON % WAITING + WAITING));
    let asked = model.take_effects();
    assert!(asked.contains(&Effect::Ask(ServerRequest::Message(Uuid::from_u128(1)))), "{asked:?}");
    let waits =
        Message { waiting: Some("no adapter of qq is connected".into()), ..store[0].clone() };
    model.update(reply(ServerReply::Message(Box::new(waits))));
    let shown = format!("{:?}", model.stream().visible());
    assert!(shown.contains("no adapter of qq is connected"), "{shown}");
}

#[test]
fn notices_stand_where_they_came() {
    let store = many(2);
    let mut model = connected(80, 24, &store);
    let listed =
        http::Conversation { last_message: Some(store[1].clone()), ..known("group_1", 2, 0) };
    model.update(reply(ServerReply::Conversations(vec![listed])));
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
    receive(&mut model, message(3, "group_1", "welcome"));
    serve(&mut model, &store);
    let shown = model.stream().visible();
    let of_second = &shown[shown.len() - 2].rows;
    assert!(
        matches!(of_second.last(), Some(rows::ScreenRow::Notice(spans)) if spans[0].text == "Zoë joined"),
        "{of_second:?}"
    );
}
