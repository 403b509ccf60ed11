//! The write-ahead log beside the tables.

use super::*;
use std::os::unix::fs::MetadataExt;

#[test]
fn readers_have_what_only_the_log_holds() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    file.commit(vec![create("in the log")], Durability::Log).unwrap();
    let crash = crashed(folder.path());
    assert_eq!(total(crash.path(), Access::Read), 2);
    // Tables that were closed, beside a log that goes beyond them.
    let closed = TempDir::new().unwrap();
    let mut first = writable(closed.path());
    made(&mut first, "in the tables");
    first.close().unwrap();
    let copy = crashed(closed.path());
    let mut second = writable(closed.path());
    second.commit(vec![create("in the log")], Durability::Log).unwrap();
    fs::copy(log_in(closed.path()), log_in(copy.path())).unwrap();
    assert_eq!(total(copy.path(), Access::Read), 2);
    assert_eq!(total(copy.path(), Access::Read), 2);
}

#[test]
fn a_log_that_does_not_follow_an_older_copy_is_moved_aside_for_good() {
    let (folder, mut file) = new();
    made(&mut file, "old");
    let older = crashed(folder.path());
    made(&mut file, "new");
    file.commit(vec![create("newer")], Durability::Log).unwrap();
    fs::copy(log_in(folder.path()), log_in(older.path())).unwrap();
    assert_eq!(total(older.path(), Access::Write), 1);
    assert!(!log_in(older.path()).exists());
    let names = fs::read_dir(older.path()).unwrap().flatten().map(|entry| entry.file_name());
    assert_eq!(
        names
            .filter(|name| name.to_string_lossy().starts_with("a.redb-wal.does-not-follow."))
            .count(),
        1
    );
    let mut file = writable(older.path());
    made(&mut file, "another");
    drop(file);
    assert_eq!(total(older.path(), Access::Write), 2);
}

#[test]
fn without_a_log_the_tables_hold_everything_at_once() {
    let (folder, mut file) = new();
    fs::create_dir(log_in(folder.path())).unwrap();
    file.commit(vec![create("x")], Durability::Log).unwrap();
    let copy = TempDir::new().unwrap();
    fs::copy(folder.path().join("a.redb"), copy.path().join("a.redb")).unwrap();
    assert_eq!(total(copy.path(), Access::Read), 1);
    fs::remove_dir(log_in(folder.path())).unwrap();
    file.commit(vec![create("y")], Durability::Log).unwrap();
    assert_eq!(total(crashed(folder.path()).path(), Access::Read), 2);
}

#[test]
fn the_log_keeps_its_epoch_over_a_crash() {
    let (folder, mut file) = new();
    made(&mut file, "1");
    commit(&mut file, create("2"), Durability::Log);
    let cursor = file.view().unwrap().cursor();
    let mut again = writable(crashed(folder.path()).path());
    assert_eq!(again.view().unwrap().cursor(), cursor);
    made(&mut again, "3");
    assert_eq!(again.view().unwrap().offset_of(cursor).unwrap(), Some(cursor.offset));
}

#[test]
fn a_damaged_record_of_the_log_loses_only_itself_and_is_kept() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    for n in 0..5 {
        commit(&mut file, create(&format!("in the log {n}")), Durability::Log);
    }
    let crash = crashed(folder.path());
    let log = log_in(crash.path());
    let mut bytes = fs::read(&log).unwrap();
    let at = bytes.windows(12).position(|text| text == b"in the log 2").unwrap();
    bytes[at] ^= 1;
    fs::write(&log, bytes).unwrap();
    let inode = fs::metadata(&log).unwrap().ino();
    let file = writable(crash.path());
    let page = Page { offset: 0, limit: 10, before: None };
    let left = file.view().unwrap().list(&MessageFilter::default(), page).unwrap();
    let texts: Vec<_> = left.iter().map(|message| message.content.readable()).collect();
    assert_eq!(
        texts,
        ["in the log 4", "in the log 3", "in the log 1", "in the log 0", "in the tables"]
    );
    assert_eq!(kept_logs(crash.path(), "damaged"), 1);
    let mut entries = fs::read_dir(crash.path()).unwrap().flatten();
    let is_there = entries.any(|entry| entry.metadata().unwrap().ino() == inode);
    assert!(is_there, "the file itself, which needs no room");
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

/// How many logs are kept beside a store, for this reason.
fn kept_logs(folder: &Path, why: &str) -> usize {
    let names = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name());
    names.filter(|name| name.to_string_lossy().starts_with(&format!("a.redb-wal.{why}."))).count()
}

#[test]
fn a_log_without_a_record_of_this_store_is_kept() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    commit(&mut file, create("in the log"), Durability::Log);
    let of_another = fs::read(log_in(crashed(folder.path()).path())).unwrap();
    let noise: Vec<u8> = (0..100_000_u64).map(|n| (n * n / 7) as u8).collect();
    for log in [of_another, noise] {
        let (folder, mut file) = new();
        made(&mut file, "stays");
        file.close().unwrap();
        fs::write(log_in(folder.path()), log).unwrap();
        let file = writable(folder.path());
        assert_eq!(file.view().unwrap().stats().total, 1);
        assert_eq!(kept_logs(folder.path(), "foreign"), 1);
        file.close().unwrap();
        writable(folder.path());
        assert_eq!(kept_logs(folder.path(), "foreign"), 1, "it is told once");
    }
}

#[test]
fn a_log_that_is_cut_short_or_gone_after_a_crash_is_told_and_after_a_close_it_is_not() {
    let (folder, mut file) = new();
    commit(&mut file, create("first"), Durability::Log);
    commit(&mut file, create("second"), Durability::Log);
    let copied = TempDir::new().unwrap();
    file.view().unwrap().copy_to(&copied.path().join("a.redb")).unwrap();
    assert_eq!(total(copied.path(), Access::Write), 2, "a copy needs no log");
    assert_eq!(kept_logs(copied.path(), "missing"), 0);

    let whole = fs::read(log_in(folder.path())).unwrap();
    for (left, why, there) in [
        (Some(&whole[..whole.len() / 2]), "damaged", 2),
        (Some(&[][..]), "missing", 1),
        (Some(&vec![0; whole.len()][..]), "missing", 1),
        (None, "missing", 1),
    ] {
        let crash = crashed(folder.path());
        match left {
            Some(bytes) => fs::write(log_in(crash.path()), bytes).unwrap(),
            None => fs::remove_file(log_in(crash.path())).unwrap(),
        }
        let report = check::check_file(&options(crash.path(), Access::Read)).unwrap();
        assert!(report.findings.iter().any(|text| text.contains("bytes are there")), "{report:?}");
        assert_eq!(report.kept_logs.len(), 1, "{report:?}");
        assert_eq!(total(crash.path(), Access::Write), there, "the first batch is in the tables");
        assert_eq!(kept_logs(crash.path(), why), 1, "once");
    }
    let crash = crashed(folder.path());
    writable(crash.path()).close().unwrap();
    assert!(!log_in(crash.path()).exists());
    writable(crash.path());
    assert_eq!(kept_logs(crash.path(), "missing"), 0, "it was closed");
}

#[test]
fn a_damaged_log_beside_an_older_copy_is_kept_and_not_applied_over_the_gap() {
    let (folder, mut file) = new();
    made(&mut file, "old");
    let older = crashed(folder.path());
    for n in 0..200 {
        made(&mut file, &format!("new {n}"));
    }
    for n in 0..5 {
        commit(&mut file, create(&format!("in the log {n}")), Durability::Log);
    }
    let mut bytes = fs::read(log_in(folder.path())).unwrap();
    let at = bytes.windows(12).position(|text| text == b"in the log 2").unwrap();
    bytes[at] ^= 1;
    fs::write(log_in(older.path()), bytes).unwrap();
    assert_eq!(total(older.path(), Access::Write), 1);
    assert_eq!(kept_logs(older.path(), "does-not-follow"), 1);
}

#[test]
fn a_log_whose_event_meets_a_damaged_row_is_kept() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    file.close().unwrap();
    let tables = crashed(folder.path());
    let mut file = writable(folder.path());
    commit(&mut file, create("meets it"), Durability::Log);
    let damaged = writable(tables.path());
    damage(&damaged, tables::CONVERSATIONS, &("qq", "group_1"));
    damaged.close().unwrap();
    fs::copy(log_in(folder.path()), log_in(tables.path())).unwrap();
    assert_eq!(total(tables.path(), Access::Write), 1);
    assert_eq!(kept_logs(tables.path(), "passed-over"), 1);
}

#[test]
fn who_may_have_been_told_of_what_a_damaged_log_lost_cannot_go_on() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    let mut cursors = vec![file.view().unwrap().cursor()];
    for n in 0..5 {
        commit(&mut file, create(&format!("in the log {n}")), Durability::Log);
        cursors.push(file.view().unwrap().cursor());
    }
    let crash = crashed(folder.path());
    let mut bytes = fs::read(log_in(crash.path())).unwrap();
    let at = bytes.windows(12).position(|text| text == b"in the log 2").unwrap();
    bytes[at] ^= 1;
    fs::write(log_in(crash.path()), bytes).unwrap();
    let mut file = writable(crash.path());
    let view = file.view().unwrap();
    for cursor in cursors {
        assert_eq!(view.offset_of(cursor).unwrap(), None, "{cursor}");
        assert!(view.is_too_old(cursor).unwrap(), "{cursor}");
        assert_eq!(view.journal(cursor.offset, 10).unwrap(), None, "{cursor}");
        assert!(view.has_lost(cursor).unwrap(), "{cursor}");
        assert!(view.kept_events(cursor.offset, 10, true).unwrap().is_some(), "bots take the rest");
    }
    let now = view.cursor();
    drop(view);
    made(&mut file, "after it");
    let view = file.view().unwrap();
    assert_eq!(view.offset_of(now).unwrap(), Some(now.offset));
    assert_eq!(view.journal(now.offset, 10).unwrap().unwrap().len(), 1);
    drop(view);
    file.close().unwrap();
    let file = writable(crash.path());
    let offset = file.view().unwrap().offset_of(now).unwrap();
    assert_eq!(offset, Some(now.offset), "later openings lose nothing");
}

#[test]
fn who_was_told_of_an_event_that_met_a_damaged_row_cannot_go_on() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    let cursor = file.view().unwrap().cursor();
    file.close().unwrap();
    let tables = crashed(folder.path());
    let mut file = writable(folder.path());
    commit(&mut file, create("meets it"), Durability::Log);
    let damaged = writable(tables.path());
    damage(&damaged, tables::CONVERSATIONS, &("qq", "group_1"));
    damaged.close().unwrap();
    fs::copy(log_in(folder.path()), log_in(tables.path())).unwrap();
    let file = writable(tables.path());
    assert_eq!(file.view().unwrap().offset_of(cursor).unwrap(), None);
}

#[test]
fn a_damaged_log_is_kept_where_the_process_ends_before_it_has_another_name() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    for n in 0..5 {
        commit(&mut file, create(&format!("in the log {n}")), Durability::Log);
    }
    let crash = crashed(folder.path());
    let log = log_in(crash.path());
    let mut bytes = fs::read(&log).unwrap();
    let at = bytes.windows(12).position(|text| text == b"in the log 2").unwrap();
    bytes[at] ^= 1;
    fs::write(&log, &bytes).unwrap();
    drop(writable(crash.path()));
    let kept = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let logs = entries.filter(|entry| entry.file_name().to_string_lossy().contains("damaged"));
        logs.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let [first] = &kept(crash.path())[..] else { panic!("{:?}", kept(crash.path())) };
    assert_eq!(fs::read(first).unwrap(), bytes);
    // The process ended when the log had both names.
    fs::hard_link(first, &log).unwrap();
    drop(writable(crash.path()));
    assert_eq!(kept(crash.path()).as_slice(), std::slice::from_ref(first));
    assert!(!log.exists());
}
