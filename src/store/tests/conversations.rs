//! Read marks, counts of unread messages, and the order of conversations.

use super::*;

#[test]
fn what_comes_in_is_unread_until_it_is_read_or_answered() {
    let (folder, mut file) = new();
    let mut tables = |command| commit(&mut file, command, Durability::Tables);
    assert_eq!(tables(read(Some(1), None)), Answer::NotFound);
    for (n, text) in ["1", "2", "3"].into_iter().enumerate() {
        tables(receive_at(text, false, 10 + n as u64, 20));
    }
    assert_eq!(unread(&file), (3, 3, 0));
    let mut tables = |command| commit(&mut file, command, Durability::Tables);
    tables(read(Some(2), Some(true)));
    tables(read(Some(1), None));
    assert_eq!(unread(&file), (3, 1, 0), "what was read stays read");
    commit(&mut file, read(Some(u64::MAX), None), Durability::Tables);
    commit(&mut file, receive_at("4", false, 30, 30), Durability::Tables);
    assert_eq!(unread(&file), (4, 1, 0), "the mark is not beyond what there was");
    commit(&mut file, create("answer"), Durability::Log);
    assert_eq!(unread(&file), (5, 0, 0));
    for (from, count) in [(4, 1), (2, 3), (3, 3)] {
        commit(&mut file, unread_from(from), Durability::Tables);
        assert_eq!(unread(&file), (5, count, 0), "unread again from {from}");
    }
    commit(&mut file, read(Some(u64::MAX), None), Durability::Tables);
    let before = file.view().unwrap().cursor();
    commit(&mut file, read(Some(5), Some(true)), Durability::Tables);
    assert_eq!(file.view().unwrap().cursor(), before, "nothing changed");
    commit(&mut file, unread_from(3), Durability::Tables);
    file.close().unwrap();
    let file = writable(folder.path());
    assert_eq!(unread(&file), (5, 2, 0), "what is unread again stays so");
    assert!(file.view().unwrap().conversation("qq", "group_1").unwrap().unwrap().pinned);
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

fn unread_from(seq: u64) -> Command {
    Command::SetConversation {
        platform: "qq".into(),
        conversation: "group_1".into(),
        read_to: None,
        unread_from: Some(seq),
        muted: None,
        pinned: None,
    }
}

#[test]
fn an_old_message_of_ours_reads_nothing_that_was_said_later() {
    let (_folder, mut file) = new();
    let mut tables = |command| commit(&mut file, command, Durability::Tables);
    tables(receive_at("live", false, 100, 100));
    tables(receive_at("ours, from a history", true, 50, 101));
    assert_eq!(unread(&file), (2, 1, 0));
    let found = file.view().unwrap().conversation("qq", "group_1").unwrap().unwrap();
    assert_eq!((found.last_message.unwrap().seq, found.last_at), (1, 100), "as it was said");
    commit(&mut file, receive_at("ours, from the phone", true, 102, 102), Durability::Tables);
    assert_eq!(unread(&file), (3, 0, 0));
}

#[test]
fn an_import_leaves_read_what_was_read_and_no_more() {
    let (_folder, mut file) = new();
    let import = |file: &mut StoreFile, id: u128, own| {
        let mut message = received("old", own).into_message(0, uuid::Uuid::from_u128(id), 11);
        message.external_id = None;
        commit(file, Command::Import { messages: vec![message] }, Durability::Tables)
    };
    import(&mut file, 1, false);
    assert_eq!(unread(&file), (1, 0, 0));
    commit(&mut file, receive("new", false), Durability::Tables);
    import(&mut file, 2, true);
    assert_eq!(unread(&file), (3, 1, 0), "what is ours in it answers nothing");
}

#[test]
fn what_a_bot_says_reads_nothing() {
    let (_folder, mut file) = new();
    commit(&mut file, receive("1", false), Durability::Tables);
    let term = file.view().unwrap().conversation_row("qq", "group_1").unwrap().unwrap().term;
    let mut row = conversation::ConversationRow::new(term);
    let mut message = received("echo", true).into_message(2, uuid::Uuid::nil(), 1_800_000_000);
    message.via = Some("echo".into());
    row.add(&message, crate::model::event::Origin::Made);
    assert_eq!((row.last_seq, row.read_seq), (2, 0));
}

#[test]
fn a_conversation_is_listed_by_what_is_left_in_it() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "1");
    let second = made(&mut file, "2");
    commit(&mut file, Command::Delete { id: second.id }, Durability::Tables);
    assert_eq!(unread(&file).0, first.seq);
    let import = Command::Import { messages: vec![second] };
    commit(&mut file, import, Durability::Tables);
    assert_eq!(unread(&file).0, 2, "it is back at its place");
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}
