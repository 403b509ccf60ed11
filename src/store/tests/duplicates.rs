//! Messages that are the same one, and messages that only have the same ID.

use super::attempts::{AT, claim, end, in_doubt, own, sent, status};
use super::*;

/// A live message under the ID "0", which some programs give to all.
fn told(file: &mut StoreFile, sender: &str, text: &str) -> Answer {
    told_as(file, sender, text.into())
}

fn told_as(file: &mut StoreFile, sender: &str, content: Content) -> Answer {
    let mut received = Inbound { content, ..received("0", false) };
    received.sender.id = sender.into();
    let received = Box::new(received);
    let command = Command::Receive { received, at: 1_700_000_001, can_wait: true };
    commit(file, command, Durability::Tables)
}

fn seq_of(answer: &Answer) -> u64 {
    match answer {
        Answer::Message(message) | Answer::Repeated(message) => message.seq,
        other => panic!("{other:?}"),
    }
}

#[test]
fn messages_with_one_id_and_time_are_told_apart_by_sender_and_content() {
    let (_folder, mut file) = new();
    let wanted = [("2", "one"), ("2", "two"), ("3", "one"), ("2", "three")];
    for (sender, text) in wanted {
        assert!(matches!(told(&mut file, sender, text), Answer::Message(_)), "{sender} {text}");
    }
    // A program that pushes all of them again after a reconnect doubles none.
    for (number, (sender, text)) in (1..).zip(wanted) {
        let answer = told(&mut file, sender, text);
        assert!(matches!(answer, Answer::Repeated(_)), "{sender} {text}: {answer:?}");
        assert_eq!(seq_of(&answer), number);
    }
    assert_eq!(file.view().unwrap().stats().total, 4);
}

#[test]
fn messages_of_a_history_with_one_id_and_time_are_told_apart_by_sender() {
    for is_told_before in [false, true] {
        let (_folder, mut file) = new();
        if is_told_before {
            for sender in ["2", "3", "4"] {
                assert!(matches!(told(&mut file, sender, "hello"), Answer::Message(_)));
            }
        }
        for (round, at) in [(0, 1_700_000_002), (1, 1_700_000_003), (2, 1_700_000_004)] {
            for (number, sender) in (1..).zip(["2", "3", "4"]) {
                let mut received = Inbound { from_history: true, ..received("0", false) };
                (received.sender.id, received.content) = (sender.into(), "hello".into());
                let received = Box::new(received);
                let command = Command::Receive { received, at, can_wait: false };
                let answer = commit(&mut file, command, Durability::Tables);
                let is_new = matches!(answer, Answer::Message(_));
                assert_eq!(is_new, round == 0 && !is_told_before, "{round}: {answer:?}");
                assert_eq!(seq_of(&answer), number);
            }
        }
        assert_eq!(file.view().unwrap().stats().total, 3);
    }
}

#[test]
fn what_is_pushed_again_is_known_after_an_edit_a_recall_and_a_new_address() {
    let (_folder, mut file) = new();
    let Answer::Message(message) = told(&mut file, "2", "one") else { panic!() };
    let target = || MessageTarget::Id(message.id);
    let edit =
        Command::Edit { target: target(), content: "one!".into(), at: 9, is_repeated: false };
    commit(&mut file, edit, Durability::Tables);
    assert_eq!(seq_of(&told(&mut file, "2", "one")), message.seq);
    commit(&mut file, Command::Recall { target: target(), by: None, at: 10 }, Durability::Tables);
    assert_eq!(seq_of(&told(&mut file, "2", "one")), message.seq);
    let (_other, mut file) = new();
    let image = |address: &str| Content::of_type(MessageType::Image, address.into());
    assert_eq!(seq_of(&told_as(&mut file, "2", image("https://cdn/a?key=1"))), 1);
    assert_eq!(seq_of(&told_as(&mut file, "2", image("https://cdn/a?key=2"))), 1);
}

#[test]
fn an_edit_that_is_tried_again_replaces_no_newer_one() {
    let (_folder, mut file) = new();
    let Answer::Message(message) = told(&mut file, "2", "first") else { panic!() };
    let edit = |file: &mut StoreFile, text: &str, at, is_repeated| {
        let target = MessageTarget::Id(message.id);
        let command = Command::Edit { target, content: text.into(), at, is_repeated };
        commit(file, command, Durability::Tables);
        let after = file.view().unwrap().by_seq(message.seq).unwrap().unwrap();
        after.content.readable().into_owned()
    };
    assert_eq!(edit(&mut file, "second", 20, false), "second");
    assert_eq!(edit(&mut file, "from the quarantine", 10, true), "second");
    assert_eq!(edit(&mut file, "third", 30, true), "third");
    // A platform's clock may be set back; live edits come in their order.
    assert_eq!(edit(&mut file, "fourth", 5, false), "fourth");
}

#[test]
fn an_edit_that_is_tried_again_brings_back_nothing_that_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let hiding = StoreOptions { hides_recalled: true, ..options(folder.path(), Access::Write) };
    let mut file = open(&hiding).unwrap().into_writable().unwrap();
    let Answer::Message(message) = told(&mut file, "2", "first") else { panic!() };
    let target = || MessageTarget::Id(message.id);
    commit(&mut file, Command::Recall { target: target(), by: None, at: 10 }, Durability::Tables);
    let edit =
        Command::Edit { target: target(), content: "shown again".into(), at: 9, is_repeated: true };
    commit(&mut file, edit, Durability::Tables);
    let after = file.view().unwrap().by_seq(message.seq).unwrap().unwrap();
    assert!(!after.content.readable().contains("shown again"), "{after:?}");
}

/// Reads a history of entries that say the same, each with its ID and time; which of them are new?
fn read_alike(file: &mut StoreFile, entries: &[(&str, u64)]) -> Vec<bool> {
    let ids: Vec<String> = entries.iter().map(|(id, _)| (*id).to_owned()).collect();
    let read = |(index, (id, time)): (usize, &(&str, u64))| {
        let (before, after) = (ids[..index].to_vec(), ids[index + 1..].to_vec());
        let alike = AlikeEntries { before, after, since: AT + entries[0].1 };
        let (external_id, time) = ((*id).to_owned(), AT + time);
        let received =
            Inbound { external_id, time, alike, from_history: true, ..received("ok", false) };
        let command =
            Command::Receive { received: Box::new(received), at: AT + 500, can_wait: false };
        matches!(commit(file, command, Durability::Tables), Answer::Message(_))
    };
    entries.iter().enumerate().map(read).collect()
}

/// A live message that says the same.
fn live_alike(file: &mut StoreFile, id: &str, time: u64) {
    let received = Inbound { external_id: id.into(), time: AT + time, ..received("ok", false) };
    let command = Command::Receive { received: Box::new(received), at: AT + 500, can_wait: false };
    assert!(matches!(commit(file, command, Durability::Tables), Answer::Message(_)));
}

#[test]
fn a_text_that_a_history_has_several_times_is_as_many_messages_however_often_it_is_read() {
    let (_folder, mut file) = new();
    let mut read = |[a, b, c]: [&str; 3]| read_alike(&mut file, &[(a, 0), (b, 20), (c, 40)]);
    assert_eq!(read(["1", "2", "3"]), [true; 3]);
    assert_eq!(read(["1", "2", "3"]), [false; 3]);
    // IDs that are new at each connection.
    assert_eq!(read(["4", "5", "6"]), [false; 3]);
    assert_eq!(read(["7", "8", "9"]), [false; 3]);
}

#[test]
fn an_entry_is_no_message_that_another_entry_names() {
    let (_folder, mut file) = new();
    live_alike(&mut file, "1", 0);
    // The third comes live before the history is read, which has the second.
    live_alike(&mut file, "3", 40);
    assert_eq!(read_alike(&mut file, &[("1", 0), ("2", 20), ("3", 40)]), [false, true, false]);
}

#[test]
fn a_history_that_begins_between_alike_messages_brings_the_missed_one() {
    for ids in [["3", "4", "5"], ["13", "14", "15"]] {
        let (_folder, mut file) = new();
        for n in 1..=5 {
            live_alike(&mut file, &n.to_string(), n * 20);
        }
        let [a, b, c] = ids;
        let read = read_alike(&mut file, &[(a, 60), (b, 80), (c, 100), ("6", 120)]);
        assert_eq!(read, [false, false, false, true], "{ids:?}");
    }
}

#[test]
fn an_own_message_is_not_proved_by_an_earlier_one_that_the_history_does_not_have() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "ok");
    claim(&mut file, first.seq, "1");
    end(&mut file, first.seq, sent("1", "5"));
    let second = made(&mut file, "ok");
    let command = |account: &str, at| Command::Claim {
        seqs: vec![second.seq],
        account: Some(account.into()),
        at,
    };
    commit(&mut file, command("1", AT + 60), Durability::Tables);
    let outcome = in_doubt();
    commit(
        &mut file,
        Command::RecordOutcome { seq: second.seq, outcome, at: AT + 90 },
        Durability::Tables,
    );
    let alike = AlikeEntries { since: AT + 30, ..AlikeEntries::default() };
    let (external_id, time) = ("6".to_owned(), AT + 61);
    let received = Inbound {
        external_id,
        time,
        alike,
        clock_ahead: Some(0),
        from_history: true,
        ..received("ok", true)
    };
    let command = Command::Receive { received: Box::new(received), at: AT + 100, can_wait: false };
    assert!(
        matches!(commit(&mut file, command, Durability::Tables), Answer::Repeated(m) if m.seq == second.seq)
    );
    assert_eq!(file.view().unwrap().by_seq(second.seq).unwrap().unwrap().status, Status::Sent);
}

/// How an attempt at a message that says "ok" went, and whether the platform has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Went {
    SentWithId,
    SentWithoutId,
    /// The outcome is unknown; it was not sent.
    Lost,
}

/// Messages of ours that say the same. The IDs of those that the platform has.
fn made_alike(file: &mut StoreFile, attempts: &[Went]) -> Vec<u64> {
    let mut ids = Vec::new();
    for (id, went) in (101..).zip(attempts) {
        let seq = made(file, "ok").seq;
        claim(file, seq, "1");
        let without_id =
            || Outcome::Sent { account: Some("1".into()), external_id: None, is_unconfirmed: true };
        let outcome = match went {
            Went::SentWithId => sent("1", &id.to_string()),
            Went::SentWithoutId => without_id(),
            Went::Lost => in_doubt(),
        };
        end(file, seq, outcome);
        ids.extend((*went != Went::Lost).then_some(id));
    }
    ids
}

/// Reads a history of own messages that say "ok".
fn read_own_alike(file: &mut StoreFile, ids: &[u64]) {
    let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
    for (index, id) in ids.iter().enumerate() {
        let (before, after) = (ids[..index].to_vec(), ids[index + 1..].to_vec());
        let alike = AlikeEntries { before, after, since: AT };
        let external_id = id.clone();
        let received = Inbound { external_id, alike, from_history: true, ..received("ok", true) };
        let command =
            Command::Receive { received: Box::new(received), at: AT + 60, can_wait: false };
        commit(file, command, Durability::Tables);
    }
}

#[test]
fn a_history_of_own_messages_that_say_the_same_has_each_once_though_one_was_sent_without_an_id() {
    use Went::{Lost, SentWithId, SentWithoutId};
    for attempts in [
        &[SentWithId, SentWithoutId, SentWithId][..],
        &[SentWithoutId, SentWithId, SentWithId],
        &[SentWithoutId, SentWithId],
        &[SentWithId, SentWithoutId, SentWithoutId, SentWithId],
        &[SentWithId, SentWithoutId, Lost],
        &[SentWithoutId, SentWithId, Lost],
    ] {
        // IDs that stay, and IDs that are new at each connection.
        for renumbered in [0, 1_000] {
            let (_folder, mut file) = new();
            let ids = made_alike(&mut file, attempts);
            for connection in 1..=3 {
                let ids: Vec<_> = ids.iter().map(|id| id + connection * renumbered).collect();
                read_own_alike(&mut file, &ids);
                let stats = file.view().unwrap().stats();
                let context = format!("{attempts:?}, {connection}, {renumbered}");
                assert_eq!(stats.total as usize, attempts.len(), "records: {context}");
                assert_eq!(stats.sent as usize, ids.len(), "sent: {context}");
            }
            let view = file.view().unwrap();
            let has_id = |seq| view.by_seq(seq).unwrap().unwrap().external_id.is_some();
            let with_id = (1..=attempts.len() as u64).filter(|&seq| has_id(seq)).count();
            assert_eq!(with_id, ids.len(), "each has an ID: {attempts:?}, {renumbered}");
        }
    }
}

#[test]
fn messages_that_were_never_sent_hide_none_that_was() {
    let (_folder, mut file) = new();
    let Answer::Message(came_in) = commit(&mut file, receive("came in", false), Durability::Tables)
    else {
        panic!("it is lost")
    };
    let unnamed = made(&mut file, "sent without an ID").seq;
    claim(&mut file, unnamed, "1");
    let account = Some("1".into());
    let outcome = Outcome::Sent { account, external_id: None, is_unconfirmed: false };
    end(&mut file, unnamed, outcome);
    let doubtful = made(&mut file, "given up in doubt").seq;
    claim(&mut file, doubtful, "1");
    let reason = "no answer".to_owned();
    end(&mut file, doubtful, Outcome::Failed { reason, is_uncertain: true });
    let many = |file: &mut StoreFile, what: &str, count: usize| -> Vec<Message> {
        let commands = (0..count).map(|n| create(&format!("{what} {n}"))).collect();
        let answers = file.commit(commands, Durability::Tables).unwrap().answers;
        let made = |answer| {
            let Ok(Answer::Message(message)) = answer else { panic!("it is lost") };
            message
        };
        answers.into_iter().map(made).collect()
    };
    let cancel =
        |message: Message| Command::SetStatus { id: message.id, status: Status::Canceled, at: AT };
    let canceled = many(&mut file, "canceled", 600).into_iter().map(cancel).collect();
    file.commit(canceled, Durability::Tables).unwrap();
    many(&mut file, "waits", 2_500);
    for (id, text, seq) in
        [("81", "sent without an ID", unnamed), ("82", "given up in doubt", doubtful)]
    {
        let answer = own(&mut file, "1", id, text);
        assert!(matches!(&answer, Answer::Repeated(m) if m.seq == seq), "{text}: {answer:?}");
    }
    assert_eq!(status(&file, doubtful), Status::Sent);
    let mut entry = Inbound { from_history: true, ..received("came in", false) };
    entry.external_id = "another ID".into();
    let entry = Command::Receive { received: Box::new(entry), at: AT, can_wait: false };
    let answer = commit(&mut file, entry, Durability::Tables);
    assert!(matches!(&answer, Answer::Repeated(m) if m.seq == came_in.seq), "{answer:?}");
}
