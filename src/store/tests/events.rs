//! Events, the tables that they make, and cursors.

use super::*;
use crate::model::change::Committed;
use std::sync::Mutex;

#[test]
fn the_same_events_make_the_same_tables() {
    let (_folder, mut file) = new();
    let (_other_folder, other) = new_like(&file);
    do_everything(&mut file);
    let batches = file.log.read(1).unwrap().batches;
    assert!(batches.len() > 15, "{}", batches.len());
    for batch in batches {
        let txn = other.database.begin_write().unwrap();
        file::apply(&txn, &other.context, batch).unwrap();
        txn.commit().unwrap();
    }
    let (ours, theirs) = (dump(&file), dump(&other));
    for ((table, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        // Two stores have two keys.
        let is_key = |row: &&String| row.contains("\"id ");
        let kept =
            |rows: &[String]| rows.iter().filter(|row| !is_key(row)).cloned().collect::<Vec<_>>();
        assert_eq!(kept(ours), kept(theirs), "{table}");
    }
    let report = check::check(&other.view().unwrap()).unwrap();
    assert_eq!(report.findings, [""; 0]);
    assert_eq!(report.set_aside.len(), 1);
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

/// Panics at the first commit, and counts how often it is told that the store is open.
struct Breaking {
    has_broken: bool,
    opened: Arc<Mutex<u32>>,
}

impl Listener for Breaking {
    fn opened(&mut self, _: Head) {
        *self.opened.lock().unwrap() += 1;
    }

    fn committed(&mut self, _: Arc<Committed>) {
        assert!(std::mem::replace(&mut self.has_broken, true), "as the test wants");
    }
}

#[tokio::test]
async fn a_listener_that_panics_ends_no_writing() {
    let folder = TempDir::new().unwrap();
    let opened = Arc::new(Mutex::new(0));
    let listener = Breaking { has_broken: false, opened: opened.clone() };
    let store = Store::open(&options(folder.path(), Access::Write), Box::new(listener)).unwrap();
    // Nobody is told that it is stored, and it is.
    assert!(matches!(store.write(create("first")).await, Err(StoreError::Write(_))));
    assert!(matches!(store.write(create("second")).await, Ok(Answer::Done(_))));
    assert_eq!(*opened.lock().unwrap(), 2, "what it was not told of is to be read");
    assert_eq!(store.view().unwrap().stats().total, 2);
}
