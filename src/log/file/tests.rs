//! Tests of the log in a file.

use super::aside::kept_beside;
use super::*;
use crate::log::encoding::tests::every_event;
use proptest::prelude::*;

fn log(key: u8) -> FileLog {
    FileLog::new(Path::new("none"), None, [key; 16], 1 << 20)
}

/// A record of two events that begins at an offset.
fn record(log: &FileLog, first: u64) -> Vec<u8> {
    let mut record = LogRecord::new(Epoch::new(1), 9);
    for event in &every_event()[..2] {
        record.push(event, None).unwrap();
    }
    log.seal(first, record)
}

fn bytes(log: &FileLog, firsts: &[u64]) -> Vec<u8> {
    firsts.iter().flat_map(|first| record(log, *first)).collect()
}

fn firsts(contents: &Contents) -> Vec<u64> {
    contents.batches.iter().map(|batch| batch.first).collect()
}

#[test]
fn records_read_back_up_to_what_an_earlier_round_left() {
    let log = log(1);
    let mut bytes = bytes(&log, &[8, 10, 3, 5]);
    let contents = log.contents(8, &bytes).unwrap();
    assert_eq!(firsts(&contents), [8, 10]);
    assert_eq!(contents.batches[1].events, every_event()[..2]);
    assert_eq!(contents.damage, [""; 0]);
    bytes.truncate(bytes.len() / 2 - 1);
    assert_eq!(firsts(&log.contents(8, &bytes).unwrap()), [8]);
    bytes.resize(bytes.len() + 1000, 0);
    assert_eq!(firsts(&log.contents(8, &bytes).unwrap()), [8]);
    // Events that the tables have already are skipped.
    assert_eq!(firsts(&log.contents(10, &bytes).unwrap()), [0; 0]);
}

#[test]
fn the_log_of_another_store_is_none() {
    let bytes = bytes(&log(1), &[1, 3]);
    let none = Contents { is_foreign: true, ..Contents::default() };
    assert_eq!(log(2).contents(1, &bytes).unwrap(), none);
    // Zeros are no log, and records of an earlier round belong to this store.
    let mut left = vec![0; 100];
    assert_eq!(log(1).contents(9, &left).unwrap(), Contents::default());
    left.extend(bytes);
    assert_eq!(log(1).contents(9, &left).unwrap(), Contents::default());
}

#[test]
fn a_gap_before_the_first_record_is_damage_only_where_it_can_have_held_what_is_missing() {
    let log = log(1);
    let mut bytes = bytes(&log, &[5, 7]);
    bytes[20] ^= 1;
    let contents = log.contents(5, &bytes).unwrap();
    assert_eq!((firsts(&contents), contents.begins_damaged), (vec![7], true));
    let older = log.contents(7_u64.saturating_sub(6), &bytes).unwrap();
    assert!(older.begins_damaged, "six events can have been there");
    let mut bytes = self::bytes(&log, &[900_000, 900_002]);
    bytes[20] ^= 1;
    let contents = log.contents(5, &bytes).unwrap();
    assert_eq!((firsts(&contents), contents.begins_damaged), (vec![900_002], false));
}

#[test]
fn logs_that_are_kept_are_found_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("a.redb");
    for name in ["a.redb", "a.redb-wal", "a.redb-wal.before-0.3", "b.redb-wal.damaged.5"] {
        std::fs::write(folder.path().join(name), "x").unwrap();
    }
    assert!(kept_beside(&store).is_empty());
    let log = FileLog::new(&store, None, [1; 16], 1 << 20);
    let damaged = log.keep_aside("damaged").unwrap();
    let missing = log.keep_aside("missing").unwrap();
    assert_eq!(kept_beside(&store), [damaged, missing.clone()]);
    assert_eq!(std::fs::read(missing).unwrap(), b"", "there was none");
}

#[test]
fn a_whole_record_that_nobody_understands_is_not_passed_over() {
    let log = log(1);
    let mut record = LogRecord::new(Epoch::new(1), 9);
    record.bytes[HEAD] += 1;
    let bytes = log.seal(1, record);
    let Err(LogError(text)) = log.contents(1, &bytes) else { panic!("it is passed over") };
    assert!(text.contains("another version"), "{text}");
}

proptest! {
    #[test]
    fn only_the_damaged_record_is_lost_and_it_is_named(at: prop::sample::Index, bit in 0..8u32) {
        let log = log(1);
        let all = [5, 7, 9, 11];
        let mut bytes = bytes(&log, &all);
        let len = bytes.len() / all.len();
        // After it are records of an earlier round.
        bytes.extend(record(&log, 1));
        let at = at.index(len * all.len());
        bytes[at] ^= 1 << bit;
        let contents = log.contents(5, &bytes).unwrap();
        let lost = all[at / len];
        let left: Vec<_> = all.into_iter().filter(|first| *first != lost).collect();
        prop_assert_eq!(firsts(&contents), left);
        // It is unknown whether the last record was torn.
        let is_told = contents.damage.iter().any(|text| text.contains(&format!("events {lost} to")));
        prop_assert_eq!(is_told, lost != 11, "{:?}", contents.damage);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = log(1).contents(1, &bytes);
    }
}
