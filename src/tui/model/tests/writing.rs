//! Writing, replying, editing, and actions on messages.

use super::fixture::{
    NOON, connected, control, enter, many, message, own, press, reply, serve, type_in,
};
use crate::model::content::{Content, Media, Segment};
use crate::model::message::{Message, Sender, Status};
use crate::model::notice::NoticeKind;
use crate::protocol::http::{self, MessageChange};
use crate::tui::model::*;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use uuid::Uuid;

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
fn a_message_is_forwarded_and_mentions_nobody_there() {
    let mention = Segment::Mention { user: "7".into(), name: Some("Ann".into()), me: false };
    let content = Content::of(vec![mention, Segment::Text { text: " look".into() }]);
    let store =
        [message(1, "group_2", "there"), Message { content, ..message(2, "group_1", "here") }];
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('j'));
    press(&mut model, KeyCode::Enter);
    serve(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('F'));
    type_in(&mut model, "group_2");
    press(&mut model, KeyCode::Enter);
    let asked = serve(&mut model, &store);
    let is_sent = |effect: &Effect| match effect {
        Effect::Ask(ServerRequest::Send(message)) => {
            let segments = message.segments.clone().unwrap();
            assert_eq!(Content::of(segments), Content::text("@Ann look"));
            message.recipient == "group_2"
        }
        _ => false,
    };
    assert!(asked.iter().any(is_sent), "{asked:?}");
    assert_eq!(model.notice(), Some("forwarded to group_2"));
}

#[test]
fn several_messages_are_chosen_and_forwarded_in_their_order() {
    let mut store = many(4);
    store.insert(0, message(9, "group_2", "there"));
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Char('j'));
    press(&mut model, KeyCode::Char('j'));
    press(&mut model, KeyCode::Enter);
    serve(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('k'));
    // From below upwards; the third is chosen, and then not.
    for key in "tttjjtF".chars() {
        press(&mut model, KeyCode::Char(key));
    }
    let chosen = model.stream().chosen();
    let texts: Vec<_> = chosen.iter().map(|message| message.content.readable()).collect();
    assert_eq!(texts, ["number 2", "number 4"]);
    type_in(&mut model, "group_2");
    press(&mut model, KeyCode::Enter);
    let sent = |effect: &Effect| match effect {
        Effect::Ask(ServerRequest::Send(message)) if message.recipient == "group_2" => {
            Some(Content::of(message.segments.clone().unwrap()).readable().into_owned())
        }
        _ => None,
    };
    let asked = serve(&mut model, &store);
    let sent: Vec<_> = asked.iter().filter_map(sent).collect();
    assert_eq!(sent, ["number 2", "number 4"]);
    assert_eq!(model.notice(), Some("2 messages forwarded to group_2"));
    assert!(model.stream().chosen().is_empty());
}

#[test]
fn several_messages_are_copied_and_deleted() {
    let store = many(4);
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('t'));
    press(&mut model, KeyCode::Char('t'));
    // Escape chooses none, and stays with the messages.
    press(&mut model, KeyCode::Esc);
    assert!(model.stream().chosen().is_empty());
    assert!(model.stream().selected().is_some());
    for key in "ttjy".chars() {
        press(&mut model, KeyCode::Char(key));
    }
    let copied = Effect::Copy("Alice: number 1\nAlice: number 2".into());
    assert!(serve(&mut model, &store).contains(&copied));
    for key in "jtktd".chars() {
        press(&mut model, KeyCode::Char(key));
    }
    let count = model.stream().chosen().len();
    assert_eq!(count, 2);
    press(&mut model, KeyCode::Char('y'));
    let deleted = |effect: &&Effect| matches!(effect, Effect::Ask(ServerRequest::Delete(_)));
    assert_eq!(serve(&mut model, &store).iter().filter(deleted).count(), 2);
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
    type_in(&mut model, "@all");
    press(&mut model, KeyCode::Tab);
    assert_eq!(model.draft().text(), "@all ", "everybody in the group");
    press(&mut model, KeyCode::Enter);
    // Where there is nothing to complete, Tab goes on to the next pane.
    press(&mut model, KeyCode::Tab);
    assert_eq!(model.focus(), Focus::List);
}

#[test]
fn a_private_chat_has_no_everybody() {
    let store = [message(1, "private_7", "hi")];
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    type_in(&mut model, "@al");
    press(&mut model, KeyCode::Tab);
    assert_eq!(model.draft().text(), "@Alice ");
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
    model.update(reply(ServerReply::Requests(vec![request.clone()])));
    assert_eq!(model.waiting_requests(), 1);
    press(&mut model, KeyCode::Char('w'));
    press(&mut model, KeyCode::Enter);
    press(&mut model, KeyCode::Char('n'));
    assert!(model.take_effects().contains(&Effect::Ask(ServerRequest::Answer(7, false))));
    let answered = http::Request { approved: Some(false), ..request };
    model.update(reply(ServerReply::RequestAnswered(Box::new(answered))));
    assert_eq!(model.waiting_requests(), 0);
}

#[test]
fn a_text_that_the_server_did_not_get_is_back_in_its_conversation() {
    let store = [message(1, "group_2", "there"), message(2, "group_1", "here")];
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('r'));
    type_in(&mut model, "a long answer");
    press(&mut model, KeyCode::Enter);
    let asked = model.take_effects();
    let sent = asked.iter().find_map(|effect| match effect {
        Effect::Ask(ServerRequest::Send(message)) => Some(message.clone()),
        _ => None,
    });
    let failed = NotSent { message: sent.unwrap(), file: None, why: "no server".into() };
    // Meanwhile somebody began to write on.
    type_in(&mut model, "and more");
    model.update(reply(ServerReply::NotSent(Box::new(failed.clone()))));
    assert_eq!(model.draft().text(), "a long answer\nand more");
    assert!(
        model.notice().unwrap().starts_with("not sent, the text is back"),
        "{:?}",
        model.notice()
    );
    assert!(matches!(model.draft().purpose(), draft::Purpose::Reply(_)));
    let elsewhere =
        scope::ConversationKey { platform: "qq".into(), conversation: "group_2".into() };
    let message =
        http::NewMessage { recipient: "group_2".into(), reply_to: None, ..failed.message };
    let failed = NotSent { message, ..failed };
    model.update(reply(ServerReply::NotSent(Box::new(failed))));
    assert!(model.draft().has(&elsewhere));
}

#[test]
fn a_name_with_a_space_is_completed_letter_by_letter() {
    let from = |seq, id: &str, name: &str| Message {
        sender: Some(Sender { id: id.into(), name: name.into() }),
        ..message(seq, "group_1", "hello")
    };
    let store = [from(1, "7", "Ann Lee"), from(2, "8", "Ann Lim")];
    let mut model = connected(80, 24, &store);
    enter(&mut model, &store);
    type_in(&mut model, "@Ann");
    press(&mut model, KeyCode::Tab);
    assert_eq!(model.draft().text(), "@Ann L");
    press(&mut model, KeyCode::Tab);
    assert_eq!((model.focus(), model.notice()), (Focus::Write, Some("Ann Lim  Ann Lee")));
    type_in(&mut model, "e");
    press(&mut model, KeyCode::Tab);
    assert_eq!(model.draft().text(), "@Ann Lee ");
}

#[test]
fn among_all_conversations_only_a_message_that_was_chosen_is_edited() {
    let store = [own(1, "group_1", "mine", Status::Sent)];
    let mut model = connected(80, 24, &store);
    press(&mut model, KeyCode::Enter);
    type_in(&mut model, "hello");
    assert_eq!((model.focus(), model.purpose()), (Focus::Stream, None));
    assert_eq!(model.draft().text(), "");
    press(&mut model, KeyCode::Char('k'));
    press(&mut model, KeyCode::Char('e'));
    assert_eq!((model.focus(), model.draft().text().as_str()), (Focus::Write, "mine"));
}
