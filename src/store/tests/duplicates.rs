//! Messages that are the same one, and messages that only have the same ID.

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

#[test]
fn a_text_that_a_history_has_several_times_is_as_many_messages_however_often_it_is_read() {
    let (_folder, mut file) = new();
    let at = received("ok", false).time;
    let mut read = |ids: [&str; 3]| {
        let told = ids.iter().enumerate().map(|(index, id)| {
            let time = at + 20 * index as u64;
            let external_id = (*id).to_owned();
            let received = Inbound { external_id, time, ..received("ok", false) };
            let received =
                Box::new(Inbound { from_history: true, alike_before: index, ..received });
            let command = Command::Receive { received, at: at + 100, can_wait: false };
            commit(&mut file, command, Durability::Tables)
        });
        told.map(|answer| matches!(answer, Answer::Message(_))).collect::<Vec<_>>()
    };
    assert_eq!(read(["1", "2", "3"]), [true; 3]);
    assert_eq!(read(["1", "2", "3"]), [false; 3]);
    // IDs that are new at each connection.
    assert_eq!(read(["4", "5", "6"]), [false; 3]);
    assert_eq!(read(["7", "8", "9"]), [false; 3]);
}
