//! Messages of the owner that have only the words of one of ours.

use super::attempts::{claim, end, sent};
use super::*;

const AT: u64 = 1_700_000_000;

fn text(text: &str) -> Segment {
    Segment::Text { text: text.into() }
}

fn face(id: &str) -> Segment {
    Segment::Emoji { name: None, id: Some(id.into()), url: None }
}

fn mention(user: &str) -> Segment {
    Segment::Mention { user: user.into(), name: Some("Bob".into()), me: false }
}

/// A message of ours for which account 1 has this outcome.
fn ours(file: &mut StoreFile, segments: Vec<Segment>, outcome: Outcome) -> u64 {
    let draft = Draft::new(MessageType::Text, "x".into(), "group_1".into(), Some("qq".into()));
    let draft = draft.unwrap().with_content(Content::of(segments));
    let facts = RoutingFacts::default();
    let made = Command::Create { draft, at: AT, idempotency: None, facts };
    let Answer::Message(message) = commit(file, made, Durability::Tables) else { panic!() };
    claim(file, message.seq, "1");
    end(file, message.seq, outcome);
    message.seq
}

/// The answer to an own message, live or as an entry of a history, under an ID that is not known.
fn told(file: &mut StoreFile, content: &Content, from_history: bool) -> Answer {
    let (external_id, time) = ("9".to_owned(), AT + 2);
    let received = Inbound {
        content: content.clone(),
        external_id,
        time,
        from_history,
        clock_ahead: Some(0),
        ..received("", true)
    };
    let received = Box::new(received);
    let command = Command::Receive { received, at: AT + 100, can_wait: false };
    commit(file, command, Durability::Tables)
}

fn without_id() -> Outcome {
    Outcome::Sent { account: Some("1".into()), external_id: None, is_unconfirmed: false }
}

fn in_doubt() -> Outcome {
    Outcome::Retry { reason: "no answer".into(), is_uncertain: true }
}

#[test]
fn an_owners_message_without_the_mention_or_face_of_ours_is_stored() {
    for (segments, others) in [
        (
            vec![mention("7"), text(" hi")],
            [Content::text("hi"), Content::of(vec![mention("8"), text(" hi!")])],
        ),
        (
            vec![text("ok"), face("14")],
            [Content::text("ok"), Content::of(vec![text("ok"), face("15")])],
        ),
    ] {
        for other in others {
            for outcome in [sent("1", "5"), without_id(), in_doubt()] {
                for from_history in [false, true] {
                    let (_folder, mut file) = new();
                    let ours = ours(&mut file, segments.clone(), outcome.clone());
                    let before = file.view().unwrap().by_seq(ours).unwrap().unwrap();
                    let answer = told(&mut file, &other, from_history);
                    let case = format!("{other:?}, {outcome:?}, {from_history}");
                    assert!(matches!(answer, Answer::Message(own) if own.seq != ours), "{case}");
                    let after = file.view().unwrap().by_seq(ours).unwrap().unwrap();
                    assert_eq!(after, before, "{case}");
                }
            }
        }
    }
}

#[test]
fn ours_is_known_in_the_text_form_and_with_other_ends_of_lines() {
    for (segments, form) in
        [(vec![mention("7"), text(" hi")], "@Bob  hi"), (vec![text("a\r\nb")], "a\nb")]
    {
        for outcome in [sent("1", "5"), without_id(), in_doubt()] {
            let (_folder, mut file) = new();
            let ours = ours(&mut file, segments.clone(), outcome.clone());
            let answer = told(&mut file, &Content::text(form), true);
            assert!(
                matches!(answer, Answer::Repeated(known) if known.seq == ours),
                "{form:?}, {outcome:?}"
            );
        }
    }
}
