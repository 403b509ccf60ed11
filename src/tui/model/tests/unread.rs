//! The list of conversations: names, order, unread messages, notifications.

use super::fixture::{
    NOON, connected, control, conversation, enter, first_new, known, many, message, on_screen, own,
    press, reads, receive, reply, serve, type_in,
};
use crate::client::watch;
use crate::model::message::{Message, Status};
use crate::protocol::http;
use crate::tui::model::*;
use crossterm::event::KeyCode;

#[test]
fn unread_messages_are_counted_until_their_conversation_is_open() {
    let store = [message(1, "group_1", "a"), message(2, "group_2", "b")];
    let mut model = connected(80, 24, &store);
    let unread = |model: &Model| -> Vec<_> {
        model.listed().iter().map(|c| (c.name().to_owned(), c.unread)).collect()
    };
    assert_eq!(unread(&model), [("group_2".into(), 0), ("group_1".into(), 0)]);
    receive(&mut model, message(3, "group_1", "c"));
    assert_eq!(unread(&model), [("group_1".into(), 1), ("group_2".into(), 0)]);
    // Going through the list reads nothing; going to write does.
    press(&mut model, KeyCode::Char('j'));
    assert_eq!(model.title(), "group_1");
    assert_eq!(reads(&serve(&mut model, &store)), []);
    press(&mut model, KeyCode::Enter);
    assert_eq!(reads(&serve(&mut model, &store)), [1]);
    assert_eq!(unread(&model)[0], ("group_1".into(), 0));
    model.update(reply(ServerReply::Conversation(None)));
    receive(&mut model, message(5, "group_1", "d"));
    assert_eq!(reads(&serve(&mut model, &store)), [5]);
    assert_eq!(unread(&model)[0], ("group_1".into(), 0));
    // A message that comes while another window has the keyboard is not seen.
    model.update(reply(ServerReply::Conversation(None)));
    model.update(TuiEvent::Focus(false));
    receive(&mut model, message(6, "group_1", "e"));
    assert_eq!(reads(&serve(&mut model, &store)), []);
    assert_eq!(unread(&model)[0], ("group_1".into(), 1));
    model.update(TuiEvent::Focus(true));
    assert_eq!(reads(&serve(&mut model, &store)), [6]);
    // Sending to a conversation reads it.
    receive(&mut model, message(7, "group_2", "f"));
    receive(&mut model, own(8, "group_2", "mine", Status::Pending));
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
    receive(&mut model, message(4, "group_1", "d"));
    assert_eq!(names(&model), ["group_3", "group_2", "group_1"]);
    press(&mut model, KeyCode::Char('j'));
    assert_eq!(model.title(), "group_2");
    model.update(TuiEvent::Tick(NOON + ORDER_HOLD_SECONDS));
    assert_eq!(names(&model), ["group_1", "group_3", "group_2"]);
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
    receive(&mut model, named(3, "New"));
    serve(&mut model, &[]);
    let names = |model: &Model| -> Vec<_> {
        model.stream().window().iter().map(|m| m.conversation_name.clone().unwrap()).collect()
    };
    assert_eq!(names(&model), ["New", "New", "New"]);
    // Another client was told of one more name first.
    let renamed = http::Conversation { name: Some("Newest".into()), ..conversation("group_1", 3) };
    model.update(reply(ServerReply::Conversations(vec![renamed])));
    assert_eq!(names(&model), ["Newest", "Newest", "Newest"]);
}

#[test]
fn a_conversation_opens_at_its_first_unread_message_however_many_there_are() {
    for (count, unread) in [(100, 3), (100, 60), (600, 500), (90, 90)] {
        let store = many(count);
        let mut model = connected(80, 24, &store);
        let listed = vec![known("group_1", count, unread)];
        model.update(reply(ServerReply::Conversations(listed)));
        let asked = enter(&mut model, &store);
        let first = format!("number {}", count - unread + 1);
        assert_eq!(first_new(&model), Some(first.clone()), "{unread} of {count}");
        assert!(on_screen(&model).contains(&first));
        let read = reads(&asked);
        let last = on_screen(&model).last().unwrap().replace("number ", "");
        // A message that is hidden below was not read.
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
    receive(&mut model, message(6, "group_1", "new"));
    assert_eq!(model.listed()[0].unread, 1);
    model.update(TuiEvent::Watch(watch::WatchEvent::Conversation(known("group_1", 6, 0))));
    assert_eq!(model.listed()[0].unread, 0);
    // Messages that the server has counted are not counted again.
    model.update(TuiEvent::Watch(watch::WatchEvent::Conversation(known("group_1", 7, 1))));
    receive(&mut model, message(7, "group_1", "newer"));
    assert_eq!(model.listed()[0].unread, 1);
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
fn people_are_notified_of_what_they_do_not_see() {
    let store = [message(1, "private_1", "a"), message(2, "group_2", "b")];
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('!'));
    let notified = |model: &mut Model, seq: u64, conversation: &str| {
        model.update(TuiEvent::Tick(NOON + seq * 10));
        let new = Message { created_at: NOON + seq * 10, ..message(seq, conversation, "x") };
        receive(model, new);
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
fn a_message_and_those_after_it_are_unread_again() {
    let store = many(5);
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    for _ in 0..2 {
        press(&mut model, KeyCode::Char('k'));
    }
    let chosen = model.stream().selected().unwrap().id;
    press(&mut model, KeyCode::Char('U'));
    let asked = model.take_effects();
    let unread = |effect: &Effect| matches!(effect, Effect::Ask(ServerRequest::SetConversation(_, set)) if set.unread_from == Some(http::ReadTo::Text(chosen.to_string())));
    assert!(asked.iter().any(unread), "{asked:?}");
    model.update(reply(ServerReply::Conversation(Some(Box::new(known("group_1", 5, 2))))));
    assert_eq!(reads(&serve(&mut model, &store)), [], "nothing is read in the list");
    assert_eq!(model.listed()[0].unread, 2);
}
