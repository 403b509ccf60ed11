//! Events, the tables that they make, and cursors.

use super::*;

#[test]
fn the_same_events_make_the_same_tables() {
    let (_folder, mut file) = new();
    let (_other_folder, other) = new_like(&file);
    do_everything(&mut file);
    let batches = file.log.read(1).unwrap().batches;
    assert!(batches.len() > 15, "{}", batches.len());
    for batch in batches {
        let txn = other.database.begin_write().unwrap();
        replay::apply(&txn, &other.context, batch, replay::DamagePolicy::PassOver).unwrap();
        txn.commit().unwrap();
    }
    let (ours, theirs) = (dump(&file), dump(&other));
    for ((table, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        // Two stores have two keys, and were made at two times.
        let is_key = |row: &&String| row.contains("\"id ") || row.contains("\"made at");
        let kept =
            |rows: &[String]| rows.iter().filter(|row| !is_key(row)).cloned().collect::<Vec<_>>();
        assert_eq!(kept(ours), kept(theirs), "{table}");
    }
    let report = check::check(&other.view().unwrap()).unwrap();
    assert_eq!(report.findings, [""; 0]);
    let kinds: Vec<_> =
        report.quarantined.iter().map(|aside| aside.event.summary(0).kind).collect();
    assert_eq!(kinds, ["recall"]);
}

#[test]
fn a_message_that_is_imported_to_its_old_place_is_kept_as_none_that_is_new() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "1");
    made(&mut file, "2");
    commit(&mut file, Command::Delete { id: message.id }, Durability::Tables);
    let cursor = file.view().unwrap().cursor();
    let seq = message.seq;
    commit(&mut file, Command::Import { messages: vec![message] }, Durability::Tables);
    made(&mut file, "3");
    let kept = file.view().unwrap().journal(cursor.offset, 10).unwrap().unwrap();
    let kept: Vec<_> = kept.into_iter().map(|kept| kept.entry).collect();
    assert_eq!(kept, [EntryContent::PutBack { seq }, EntryContent::Created { seq: 3 }]);
}

#[test]
fn messages_without_any_event_are_gone_on_from_by_no_cursor() {
    let (folder, mut file) = new();
    assert_eq!(file.view().unwrap().offset_of(Cursor::default()).unwrap(), Some(0), "it is empty");
    made(&mut file, "1");
    let view = file.view().unwrap();
    assert_eq!(view.offset_of(Cursor::default()).unwrap(), Some(0), "all of it follows");
    drop(view);
    // As a store of an older version has them.
    let txn = file.database.begin_write().unwrap();
    {
        let mut epochs = txn.open_table(tables::EPOCHS).unwrap();
        let (epoch, _) = redb::ReadableTable::first(&epochs).unwrap().unwrap().1.value();
        epochs.insert(1, (epoch, 2)).unwrap();
    }
    txn.commit().unwrap();
    assert_eq!(file.view().unwrap().offset_of(Cursor::default()).unwrap(), None);
    drop(folder);
}

#[test]
fn what_happened_is_kept_in_order_and_told_to_who_comes_back() {
    let (folder, mut file) = new();
    do_everything(&mut file);
    drop(file);
    let opened = open(&options(folder.path(), Access::Read)).unwrap();
    let view = opened.view().unwrap();
    let all = view.journal(0, 100).unwrap().unwrap();
    let created = |entry: &&JournalEntry| matches!(entry.entry, EntryContent::Created { .. });
    assert_eq!(all.iter().filter(created).count(), 6);
    let deleted = all.iter().filter_map(|entry| match &entry.entry {
        EntryContent::Deleted { seq, platform, conversation, .. } => {
            Some((*seq, platform.as_deref(), conversation.as_str()))
        }
        _ => None,
    });
    assert_eq!(deleted.collect::<Vec<_>>(), [(1, Some("qq"), "group_2")]);
    let named =
        all.iter().any(|entry| matches!(entry.entry, EntryContent::ConversationChanged { .. }));
    assert!(named && all.is_sorted_by(|a, b| a.offset < b.offset));
    // In pieces it is the same.
    let mut pieces: Vec<JournalEntry> = Vec::new();
    loop {
        let after = pieces.last().map_or(0, |entry| entry.offset);
        let next = view.journal(after, 2).unwrap().unwrap();
        if next.is_empty() {
            break;
        }
        pieces.extend(next);
    }
    assert_eq!(pieces, all);
}

#[test]
fn a_cursor_holds_over_restarts_and_in_no_other_life_of_the_store() {
    let (folder, mut file) = new();
    made(&mut file, "1");
    let early = file.view().unwrap().cursor();
    file.close().unwrap();
    let copy = crashed(folder.path());
    let mut file = writable(folder.path());
    made(&mut file, "2");
    let late = file.view().unwrap().cursor();
    assert_ne!(early.epoch, late.epoch);
    let view = file.view().unwrap();
    assert_eq!(view.offset_of(early).unwrap(), Some(early.offset));
    assert_eq!(view.offset_of(late).unwrap(), Some(late.offset));
    let beyond = crate::model::cursor::Cursor { offset: late.offset + 1, ..late };
    assert_eq!(view.offset_of(beyond).unwrap(), None);
    // The copy goes on by itself, to the same offset.
    let mut copy = writable(copy.path());
    made(&mut copy, "other");
    let view = copy.view().unwrap();
    assert_eq!(view.cursor().offset, late.offset);
    assert_eq!(view.offset_of(early).unwrap(), Some(early.offset));
    assert_eq!(view.offset_of(late).unwrap(), None);
}
