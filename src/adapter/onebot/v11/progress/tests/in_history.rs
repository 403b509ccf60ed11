//! Parts in a history.

use super::*;
use crate::model::inbound::ECHO_LATE;

/// The entries of a history, each with its ID, its words and its time, by a clock that is known or not.
fn history(is_known: bool, entries: &[(&str, &str, u64)]) -> Vec<Inbound> {
    let entry = |&(id, content, time): &(&str, &str, u64)| Inbound {
        time,
        from_history: true,
        clock_ahead: is_known.then_some(0),
        ..echo(id, content)
    };
    entries.iter().map(entry).collect()
}

/// Whether a history proves the part in doubt of a message that was sent now.
fn is_found(parts: &[&str], is_known: bool, entries: &[(&str, &str, u64)]) -> bool {
    let message = Outbound { may_be_sent_since: now(), ..message(parts) };
    is_found_of(&message, is_known, entries)
}

fn is_found_of(message: &Outbound, is_known: bool, entries: &[(&str, &str, u64)]) -> bool {
    let progress = SendProgress::default();
    let contents = ["a".into(), "b".into(), "c".into()];
    progress.doubt(message, &contents);
    let mut history = history(is_known, entries);
    let (count, may_have_part) = (history.len(), progress.may_have_part(&history));
    let mut proven = progress.take_from(&mut history, |entry| entry.external_id != "known");
    proven.retain(|event| matches!(event, AdapterEvent::PartSent { .. }));
    assert_eq!(progress.is_rest_unsent(message), !proven.is_empty());
    assert_eq!(history.len() + proven.len(), count, "only the part is taken out");
    assert!(may_have_part || proven.is_empty());
    let gone = progress.begin(message, &contents);
    assert_eq!(gone, message.parts.len() + proven.len());
    !proven.is_empty()
}

#[test]
fn a_history_proves_a_part_behind_the_one_before_it() {
    let now = now();
    let old = ("70", "b", now - 86_400);
    assert!(is_found(&["101"], false, &[old, ("101", "a", now), ("102", "b", now)]));
    assert!(!is_found(&["101"], false, &[old, ("101", "a", now)]), "an old one of the owner");
    assert!(!is_found(&["101"], true, &[old, ("101", "a", now)]));
    assert!(!is_found(&["101"], true, &[("102", "b", now)]), "the part before it is not there");
    assert!(!is_found(&["101"], true, &[("101", "a", now), ("known", "b", now)]));
    assert!(!is_found(&["101"], true, &[("101", "a", now), ("102", "other", now)]));
    assert!(!is_found(&[""], true, &[("101", "a", now), ("102", "b", now)]), "its ID is unknown");
    let hours = now - 7_200;
    assert!(!is_found(&["101"], false, &[("101", "a", hours), ("102", "b", now)]), "much later");
    assert!(
        is_found(&["101"], true, &[("101", "a", hours), ("102", "b", now)]),
        "when it was sent"
    );
    assert!(is_found(&["101", "102"], false, &[("102", "b", now), ("103", "c", now)]));
}

#[test]
fn a_history_proves_a_first_part_by_a_clock_that_is_known() {
    let now = now();
    let entries = [("70", "a", now - 86_400), ("known", "a", now), ("101", "a", now)];
    assert!(is_found(&[], true, &entries));
    assert!(!is_found(&[], false, &entries));
    assert!(!is_found(&[], true, &entries[..2]));
}

#[test]
fn a_part_that_was_tried_again_hours_later_is_found() {
    let (now, hours) = (now(), now() - 7_200);
    let tried_again = Outbound { may_be_sent_since: hours, changed_at: now, ..message(&[]) };
    assert!(is_found_of(&tried_again, true, &[("101", "a", now)]));
    assert!(is_found_of(&tried_again, true, &[("101", "a", hours)]));
    assert!(!is_found_of(&tried_again, true, &[("101", "a", hours - 3_600)]), "before the first");
    let second = Outbound { parts: vec!["101".into()], ..tried_again };
    assert!(is_found_of(&second, true, &[("101", "a", hours), ("102", "b", now)]));
    let once = Outbound { changed_at: hours, ..second };
    let much_later = hours + 2 * ECHO_LATE;
    assert!(!is_found_of(&once, true, &[("101", "a", hours), ("102", "b", much_later)]));
}

#[test]
fn the_echo_of_a_part_that_is_sent_again_hours_later_is_its_echo() {
    let (progress, contents) = (SendProgress::default(), ["a".into(), "b".into()]);
    let hours = now() - 7_200;
    let message = Outbound { may_be_sent_since: hours, changed_at: hours, ..message(&[]) };
    progress.doubt(&message, &contents);
    assert!(!is_part(&progress, &echo("100", "a")), "too late for the first attempt");
    progress.begin(&message, &contents);
    progress.send(message.id);
    assert_eq!(progress.part_unanswered(message.id), None);
    assert!(is_part(&progress, &echo("101", "a")));
}

#[test]
fn an_attempt_that_sent_nothing_makes_no_doubt_longer() {
    let (progress, contents) = (SendProgress::default(), ["a".into(), "b".into()]);
    let hours = now() - 7_200;
    let message = Outbound { may_be_sent_since: hours, changed_at: hours, ..message(&[]) };
    progress.doubt(&message, &contents);
    progress.begin(&message, &contents);
    progress.send(message.id);
    assert_eq!(progress.part_refused(message.id), RefusedPart::NotSent(None));
    assert!(!is_part(&progress, &echo("101", "a")), "the owner wrote it");
}

#[test]
fn a_doubt_about_a_part_that_is_known_to_be_sent_is_none_about_the_rest() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let contents = ["a".into(), "b".into()];
    progress.begin(&message, &contents);
    progress.send(message.id);
    progress.part_unanswered(message.id);
    progress.doubt(&message, &contents);
    assert!(!progress.is_rest_unsent(&message));
    progress.take_echo(&echo("101", "a")).unwrap();
    progress.doubt(&message, &contents);
    assert!(progress.is_rest_unsent(&message));
    progress.begin(&message, &contents);
    progress.send(message.id);
    assert_eq!(progress.part_refused(message.id), RefusedPart::NotSent(None));
    assert!(progress.is_rest_unsent(&message), "it was refused");
    progress.send(message.id);
    progress.part_unanswered(message.id);
    assert!(!progress.is_rest_unsent(&message));
}

#[test]
fn an_echo_before_the_look_up_proves_the_part_although_the_core_did_not_list_it_yet() {
    let progress = SendProgress::default();
    let contents = ["a".into(), "b".into()];
    let message = Outbound { may_be_sent_since: now(), ..message(&[]) };
    assert_eq!(progress.begin(&message, &contents), 0);
    progress.send(message.id);
    assert_eq!(progress.part_unanswered(message.id), None);
    let mut proven = progress.take_echo(&echo("101", "a")).unwrap();
    let Some(AdapterEvent::PartSent { noted, .. }) = proven.pop() else { panic!("no proof") };
    progress.doubt(&message, &contents);
    assert!(progress.is_rest_unsent(&message));
    noted.send(PartNoted::Stored).unwrap();
    progress.doubt(&message, &contents);
    assert!(progress.is_rest_unsent(&message));
    let (index, mut note) = progress.take_note(&message).unwrap();
    assert_eq!((index, note.try_recv()), (0, Ok(PartNoted::Stored)));
    progress.note(message.id, index, Ok(PartNoted::Stored));
    let listed = Outbound { parts: vec!["101".into()], ..message };
    assert_eq!(progress.begin(&listed, &contents), 1);
    assert!(progress.take_note(&listed).is_none());
}

#[test]
fn what_another_account_may_have_sent_stays_in_doubt() {
    let (progress, message) = (SendProgress::default(), message(&[]));
    let contents = ["a".into(), "b".into()];
    progress.begin(&message, &contents);
    progress.send(message.id);
    progress.part_refused(message.id);
    progress.doubt(&message, &contents);
    assert!(!progress.is_rest_unsent(&message));
}

#[test]
fn a_history_entry_that_may_be_a_whole_message_is_no_part() {
    let (progress, doubtful) =
        (SendProgress::default(), Outbound { may_be_sent_since: now(), ..message(&[]) });
    let whole = Outbound { id: Uuid::from_u128(2), ..message(&[]) };
    progress.doubt(&doubtful, &["a".into(), "b".into()]);
    progress.begin_whole(&whole, &"a".into());
    progress.end_whole(whole.id, &Delivery::Unknown { reason: String::new() });
    let mut history = history(true, &[("101", "a", now())]);
    assert!(progress.take_from(&mut history, |_| true).is_empty());
    assert_eq!(history.len(), 1);
}
