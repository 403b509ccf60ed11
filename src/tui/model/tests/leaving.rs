//! Leaving the client and starting it again, and what lasts meanwhile.

use super::fixture::{
    connected, control, enter, known, many, message, model, press, reply, serve, type_in,
};
use crate::client::watch;
use crate::model::message::{Message, Sender};
use crate::protocol::http::{GroupMember, MemberRole};
use crate::tui::model::saved_state::SavedState;
use crate::tui::model::scope::ConversationKey;
use crate::tui::model::*;
use crossterm::event::KeyCode;

fn key(conversation: &str) -> ConversationKey {
    ConversationKey { platform: "qq".into(), conversation: conversation.into() }
}

/// A client that goes on from a state, with two conversations of which the second has unread messages.
fn started(saved: SavedState, store: &[Message]) -> Model {
    let mut model = model(100, 24);
    model.restore(saved);
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 2 }));
    let listed = vec![known("group_1", 1, 0), known("group_2", 2, 1)];
    model.update(reply(ServerReply::Conversations(listed)));
    serve(&mut model, store);
    model
}

fn two() -> [Message; 2] {
    [message(1, "group_1", "one"), message(2, "group_2", "two")]
}

#[test]
fn it_opens_where_one_left_with_what_was_being_written() {
    let store = two();
    let mut model = started(SavedState::default(), &store);
    control(&mut model, 'k');
    type_in(&mut model, "group_1");
    press(&mut model, KeyCode::Enter);
    serve(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('r'));
    type_in(&mut model, "half an answer");
    press(&mut model, KeyCode::Esc);
    assert_eq!(model.focus(), Focus::Write);
    let saved = serde_json::to_vec(&model.saved()).unwrap();
    let again = started(serde_json::from_slice(&saved).unwrap(), &store);
    assert_eq!(again.title(), "group_1");
    assert_eq!(again.draft().text(), "half an answer");
}

#[test]
fn a_reply_that_has_no_text_yet_is_kept_too() {
    let store = two();
    let mut model = started(SavedState { open: Some(key("group_1")), drafts: Vec::new() }, &store);
    press(&mut model, KeyCode::Enter);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('r'));
    let purpose = model.purpose();
    assert!(purpose.is_some());
    let again = started(model.saved(), &store);
    assert_eq!(again.purpose(), purpose);
}

#[test]
fn it_opens_the_first_unread_conversation_where_nothing_was_left_and_reads_nothing() {
    let model = started(SavedState::default(), &two());
    assert_eq!((model.title().as_str(), model.focus()), ("group_2", Focus::List));
    assert_eq!(model.unread_elsewhere(), 0);
    let key = key("group_2");
    let unread = model.listed().iter().find(|known| known.key == key).map(|known| known.unread);
    assert_eq!(unread, Some(1));
    // A conversation that is not here any more is none.
    let gone = SavedState { open: Some(self::key("group_9")), drafts: Vec::new() };
    assert_eq!(started(gone, &two()).title(), "group_2");
}

#[test]
fn where_nothing_is_unread_the_first_conversation_opens_and_enter_writes_to_it() {
    let store = two();
    let mut model = model(100, 24);
    model.restore(SavedState::default());
    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: 2 }));
    let listed = vec![known("group_1", 1, 0), known("group_2", 2, 0)];
    model.update(reply(ServerReply::Conversations(listed)));
    serve(&mut model, &store);
    press(&mut model, KeyCode::Enter);
    type_in(&mut model, "hello");
    assert_eq!((model.title().as_str(), model.draft().text().as_str()), ("group_2", "hello"));
    assert_eq!(model.purpose(), None, "no earlier message is edited");
}

#[test]
fn the_conversation_that_was_open_is_kept_until_the_server_is_there() {
    let mut model = model(100, 24);
    let saved = SavedState { open: Some(key("group_1")), drafts: Vec::new() };
    model.restore(saved.clone());
    assert_eq!(model.saved(), saved);
}

#[test]
fn control_c_quits_at_the_second_press_and_loses_nothing() {
    let store = many(2);
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    type_in(&mut model, "unfinished");
    control(&mut model, 'c');
    assert_eq!(model.question(), Some(&Question::Quit));
    press(&mut model, KeyCode::Esc);
    assert!(!model.take_effects().contains(&Effect::Quit));
    assert_eq!((model.question(), model.draft().text().as_str()), (None, "unfinished"));
    control(&mut model, 'c');
    control(&mut model, 'c');
    assert!(model.take_effects().contains(&Effect::Quit));
}

#[test]
fn control_c_says_no_to_another_question() {
    let store = many(2);
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('d'));
    assert!(matches!(model.question(), Some(Question::Delete(_))));
    control(&mut model, 'c');
    assert_eq!(model.question(), None);
    assert!(
        !model
            .take_effects()
            .iter()
            .any(|effect| matches!(effect, Effect::Quit | Effect::Ask(ServerRequest::Delete(_))))
    );
}

#[test]
fn unfinished_texts_that_cannot_be_kept_are_asked_about() {
    let store = many(1);
    let mut model = connected(80, 24, &store);
    model.restore(SavedState::default());
    enter(&mut model, &store);
    type_in(&mut model, "unfinished");
    press(&mut model, KeyCode::Esc);
    model.update(TuiEvent::NotSaved("the disk is full".into()));
    assert_eq!(model.notice(), Some("unfinished texts are not kept: the disk is full"));
    press(&mut model, KeyCode::Char('q'));
    assert_eq!(model.question(), Some(&Question::Quit));
}

#[test]
fn what_was_sent_elsewhere_does_not_come_back_here() {
    let store = two();
    let mut model = connected(80, 24, &store);
    for (group, text) in [("group_1", "to one"), ("group_2", "to two")] {
        control(&mut model, 'k');
        type_in(&mut model, group);
        press(&mut model, KeyCode::Enter);
        type_in(&mut model, text);
        press(&mut model, KeyCode::Enter);
        serve(&mut model, &store);
    }
    press(&mut model, KeyCode::Up);
    press(&mut model, KeyCode::Up);
    assert_eq!(model.draft().text(), "to two");
    press(&mut model, KeyCode::Down);
    assert_eq!(model.draft().text(), "");
}

#[test]
fn people_of_a_group_are_listed_with_their_roles_and_mentioned() {
    let store = many(1);
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('M'));
    let asked = serve(&mut model, &store);
    assert!(asked.contains(&Effect::Ask(ServerRequest::People(key("group_1")))), "{asked:?}");
    let people = vec![
        Sender { id: "7".into(), name: "Alice".into() }.into(),
        GroupMember {
            id: "8".into(),
            name: "Bea".into(),
            role: Some(MemberRole::Admin),
            title: Some("Captain".into()),
        },
    ];
    model.update(reply(ServerReply::People(key("group_1"), people)));
    let found = model.picker().unwrap().found().iter();
    let shown: Vec<_> = found.map(|item| [&*item.label, &*item.detail]).collect();
    let expected = [["Alice", "7"], ["Bea", "admin · Captain · 8"], ["all", "everybody"]];
    assert_eq!(shown, expected);
    type_in(&mut model, "bea");
    press(&mut model, KeyCode::Enter);
    assert_eq!((model.focus(), model.draft().text().as_str()), (Focus::Write, "@Bea "));
    press(&mut model, KeyCode::Enter);
    let sent = serve(&mut model, &store);
    let mentions = |effect: &Effect| matches!(effect, Effect::Ask(ServerRequest::Send(message)) if message.segments.is_some());
    assert!(sent.iter().any(mentions), "{sent:?}");
}
