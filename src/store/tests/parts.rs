//! Messages that go out as several: the parts that have gone are part of the message.

use super::*;

const AT: u64 = 1_700_000_000;

fn claim(file: &mut StoreFile, seq: u64, account: &str) -> Message {
    let command = Command::Claim { seqs: vec![seq], account: Some(account.into()), at: AT };
    match commit(file, command, Durability::Tables) {
        Answer::Claimed(mut claimed) => claimed.remove(0),
        other => panic!("{other:?}"),
    }
}

fn note_part(message: &Message, index: usize, id: &str) -> Command {
    let external_id = Some(id.to_owned()).filter(|id| !id.is_empty());
    Command::NotePart { id: message.id, index, external_id, at: AT }
}

fn part(file: &mut StoreFile, message: &Message, id: &str) {
    let command = note_part(message, parts(file, message).len(), id);
    assert_eq!(commit(file, command, Durability::Tables), Answer::Noted);
}

fn refused(file: &mut StoreFile, seq: u64) {
    let outcome = Outcome::Retry { reason: "busy".into(), is_uncertain: false };
    commit(file, Command::RecordOutcome { seq, outcome, at: AT }, Durability::Tables);
}

fn edit(file: &mut StoreFile, message: &Message) -> Answer {
    let (id, content) = (message.id, Content::text("edited"));
    commit(file, Command::EditWaiting { id, content, at: AT }, Durability::Tables)
}

fn set(file: &mut StoreFile, message: &Message, status: Status) {
    commit(file, Command::SetStatus { id: message.id, status, at: AT }, Durability::Tables);
}

fn parts(file: &StoreFile, message: &Message) -> Vec<String> {
    file.view().unwrap().by_seq(message.seq).unwrap().unwrap().parts
}

#[test]
fn a_message_is_not_edited_once_a_part_of_it_has_gone() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "one, two");
    claim(&mut file, message.seq, "1");
    refused(&mut file, message.seq);
    assert_eq!(edit(&mut file, &message), Answer::Noted, "nothing has gone");
    claim(&mut file, message.seq, "1");
    part(&mut file, &message, "101");
    refused(&mut file, message.seq);
    assert_eq!(edit(&mut file, &message), Answer::NotWaiting);
    // Also where it was given up: the rest can still be sent.
    set(&mut file, &message, Status::Failed);
    assert_eq!(edit(&mut file, &message), Answer::NotWaiting);
    set(&mut file, &message, Status::Pending);
    assert_eq!(parts(&file, &message), ["101"]);
    assert_eq!(claim(&mut file, message.seq, "1").parts, ["101"]);
}

#[test]
fn parts_are_of_one_account_and_of_one_sending() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "one, two");
    claim(&mut file, message.seq, "1");
    part(&mut file, &message, "101");
    refused(&mut file, message.seq);
    assert_eq!(claim(&mut file, message.seq, "2").parts, [""; 0], "that account sent none");
    assert_eq!(parts(&file, &message), [""; 0]);
    part(&mut file, &message, "7");
    part(&mut file, &message, "");
    let (account, external_id) = (Some("2".into()), Some("7".into()));
    let outcome = Outcome::Sent { account, external_id, is_unconfirmed: false };
    let command = Command::RecordOutcome { seq: message.seq, outcome, at: AT };
    commit(&mut file, command, Durability::Tables);
    assert_eq!(parts(&file, &message), ["7", ""]);
    set(&mut file, &message, Status::Pending);
    assert_eq!(parts(&file, &message), [""; 0], "it is sent anew");
}

#[test]
fn the_echo_of_a_part_is_no_message_of_its_own() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "one, two");
    claim(&mut file, message.seq, "1");
    part(&mut file, &message, "101");
    part(&mut file, &message, "102");
    let mut echo = Inbound { account: "1".into(), ..received("two", true) };
    echo.external_id = "102".into();
    let command = Command::Receive { received: Box::new(echo), at: AT, can_wait: false };
    let answer = commit(&mut file, command, Durability::Tables);
    assert!(matches!(answer, Answer::Repeated(known) if known.seq == message.seq));
}

#[test]
fn a_part_that_is_noted_again_counts_once() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "one, two");
    claim(&mut file, message.seq, "1");
    for (index, id) in [(0, "101"), (1, "")] {
        part(&mut file, &message, id);
        let again = note_part(&message, index, id);
        assert_eq!(commit(&mut file, again, Durability::Log), Answer::Noted);
    }
    assert_eq!(parts(&file, &message), ["101", ""]);
    refused(&mut file, message.seq);
    claim(&mut file, message.seq, "2");
    let late = note_part(&message, 1, "");
    assert_eq!(commit(&mut file, late, Durability::Log), Answer::Nothing, "of the first account");
    assert!(parts(&file, &message).is_empty());
}

#[test]
fn a_part_of_a_damaged_message_is_refused_and_others_are_noted() {
    let (folder, mut file) = new();
    let (damaged, whole) = (made(&mut file, "one, two"), made(&mut file, "three, four"));
    for message in [&damaged, &whole] {
        claim(&mut file, message.seq, "1");
        part(&mut file, message, "101");
    }
    damage(&file, tables::MESSAGES, &damaged.seq);
    let notes = vec![note_part(&damaged, 1, "102"), note_part(&whole, 1, "102")];
    let answers = file.commit(notes, Durability::Log).unwrap().answers;
    assert!(matches!(answers[0], Err(StoreError::Damaged(_))), "{answers:?}");
    assert_eq!(answers[1], Ok(Answer::Noted));
    // Nor is it claimed, so no part is sent twice.
    let claim = Command::Claim { seqs: vec![damaged.seq], account: Some("1".into()), at: AT };
    assert!(file.commit(vec![claim], Durability::Log).unwrap().answers[0].is_err());
    file.close().unwrap();
    let file = writable(folder.path());
    assert_eq!(parts(&file, &whole), ["101", "102"], "also after a restart");
    assert!(file.view().unwrap().by_seq(damaged.seq).is_err());
}
