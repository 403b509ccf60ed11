//! Stores that are made anew from what can be read of a damaged file.

use super::*;
use crate::store::check::{check, check_file};
use std::collections::BTreeSet;

const PAGE: usize = 4096;

/// A message of a length that few fit into a page, with a text of its own.
fn text(number: usize) -> String {
    format!("needle {number:04} {}", "x".repeat(700))
}

/// A store with messages, facts and a log, as a crash leaves it; the files and what was acknowledged.
fn crashed_store(messages: usize) -> (TempDir, Vec<Message>) {
    let (folder, mut file) = new();
    do_everything(&mut file);
    let all = (0..messages).map(|number| made(&mut file, &text(number))).collect();
    let set = Command::SetConversation {
        platform: "qq".into(),
        conversation: "group_1".into(),
        read_to: None,
        unread_from: None,
        muted: Some(true),
        pinned: Some(true),
    };
    commit(&mut file, set, Durability::Tables);
    commit(&mut file, create("in the log"), Durability::Log);
    let crash = crashed(folder.path());
    (crash, all)
}

fn tables_of(folder: &Path) -> PathBuf {
    folder.join("a.redb")
}

/// Overwrites every page that holds these bytes; gives how many.
fn zero_pages_with(path: &Path, bytes: &[u8]) -> usize {
    let mut file = fs::read(path).unwrap();
    let mut zeroed = 0;
    for page in file.chunks_mut(PAGE) {
        if page.windows(bytes.len()).any(|found| found == bytes) {
            page.fill(0);
            zeroed += 1;
        }
    }
    fs::write(path, file).unwrap();
    zeroed
}

#[test]
fn a_damaged_page_loses_only_its_rows_and_they_are_told() {
    let (crash, all) = crashed_store(300);
    let before = crashed(crash.path());
    let total_before = total(before.path(), Access::Write);
    assert!(zero_pages_with(&tables_of(crash.path()), b"needle 0150") > 0);
    let salvaged = salvage(&options(crash.path(), Access::Write)).unwrap();
    let opened = open(&options(crash.path(), Access::Write)).unwrap();
    let view = opened.view().unwrap();
    let lost: Vec<u64> = all
        .iter()
        .filter(|message| view.by_id(message.id).unwrap().is_none())
        .map(|message| message.seq)
        .collect();
    assert!((1..40).contains(&lost.len()), "{lost:?}");
    assert_eq!(view.stats().total, total_before - lost.len() as u64, "the log is applied as well");
    let told = format!("messages: {} of", lost.len());
    assert!(salvaged.lost.iter().any(|line| line.starts_with(&told)), "{:?}", salvaged.lost);
    let (behind, before) = (lost[0] - 1, lost[lost.len() - 1] + 1);
    let place = format!(": messages, behind {behind}, before {before}");
    assert!(salvaged.lost.iter().any(|line| line.ends_with(&place)), "{:?}", salvaged.lost);
    let row = view.conversation_row("qq", "group_1").unwrap().unwrap();
    assert!(row.muted && row.pinned);
    assert_eq!(check(&view).unwrap().findings, [""; 0]);
    assert_eq!(kept_stores(&tables_of(crash.path())), [salvaged.kept]);
}

#[test]
fn the_log_is_applied_though_the_epochs_are_lost() {
    let (crash, all) = crashed_store(300);
    let before = crashed(crash.path());
    let file = writable(before.path());
    let view = file.view().unwrap();
    let (total_before, last) = (view.stats().total, view.head());
    drop((view, file));
    let epoch = epoch_in(crash.path());
    assert!(zero_pages_with(&tables_of(crash.path()), &epoch.to_le_bytes()) > 0);
    let mut file = writable(crash.path());
    let view = file.view().unwrap();
    assert_eq!(kept_stores(&tables_of(crash.path())).len(), 1, "the epochs were on those pages");
    assert_eq!(kept_logs(&tables_of(crash.path())), [] as [PathBuf; 0]);
    assert_eq!(view.stats().total, total_before);
    assert_eq!(view.by_seq(last).unwrap().unwrap().content.readable(), "in the log");
    assert_eq!(view.by_id(all[7].id).unwrap().map(|message| message.seq), Some(all[7].seq));
    let old = Cursor { epoch: crate::model::cursor::Epoch::new(epoch), offset: 3 };
    assert_eq!(view.offset_of(old).unwrap(), None, "nobody goes on from before");
    assert_eq!(check(&view).unwrap().findings, [""; 0]);
    made(&mut file, "goes on");
}

/// The number of the newest epoch of a store, which nobody has open.
fn epoch_in(folder: &Path) -> u64 {
    let copy = crashed(folder);
    let database = redb::Database::open(tables_of(copy.path())).unwrap();
    let txn = redb::ReadableDatabase::begin_read(&database).unwrap();
    let epochs = txn.open_table(tables::EPOCHS).unwrap();
    redb::ReadableTable::last(&epochs).unwrap().unwrap().1.value().0
}

#[test]
fn what_cannot_be_opened_is_made_anew_at_the_next_start() {
    let (crash, _) = crashed_store(300);
    assert!(zero_pages_with(&tables_of(crash.path()), b"needle 0150") > 0);
    // A check tells of it, and changes nothing.
    let report = check_file(&options(crash.path(), Access::Read)).unwrap();
    assert!(report.needs_repair && report.findings.len() > 1, "{report:?}");
    assert!(report.kept_stores.is_empty() && kept_stores(&tables_of(crash.path())).is_empty());
    let mut file = writable(crash.path());
    assert!(file.view().unwrap().stats().total > 250);
    made(&mut file, "goes on");
    file.close().unwrap();
    assert_eq!(kept_stores(&tables_of(crash.path())).len(), 1);
    let report = check_file(&options(crash.path(), Access::Read)).unwrap();
    assert_eq!(report.findings, [""; 0]);
    assert_eq!(report.kept_stores.len(), 1);
}

#[test]
fn marks_and_keys_outlive_it() {
    let (folder, mut file) = new();
    for number in 0..300 {
        made(&mut file, &text(number));
    }
    let keyed = |text: &str| {
        let draft = Draft::new(MessageType::Text, text.into(), "group_2".into(), None).unwrap();
        let idempotency = Some(Idempotency::new("key", "body"));
        Command::Create { draft, at: 5, idempotency, facts: RoutingFacts::default() }
    };
    commit(&mut file, keyed("keyed"), Durability::Tables);
    commit(&mut file, receive("three", false), Durability::Tables);
    let crash = crashed(folder.path());
    zero_pages_with(&tables_of(crash.path()), b"needle 0150");
    let mut file = writable(crash.path());
    assert_eq!(kept_stores(&tables_of(crash.path())).len(), 1);
    let total = |file: &StoreFile| file.view().unwrap().stats().total;
    let before = total(&file);
    commit(&mut file, receive("three", false), Durability::Tables);
    assert_eq!(total(&file), before, "it was received before");
    let answer = commit(&mut file, keyed("keyed"), Durability::Tables);
    assert!(matches!(answer, Answer::Repeated(_)), "{answer:?}");
}

#[test]
fn no_flipped_bit_takes_the_whole_store() {
    let (crash, all) = crashed_store(120);
    let bytes = fs::read(tables_of(crash.path())).unwrap();
    let used: Vec<usize> = (1..bytes.len() / PAGE)
        .filter(|page| bytes[page * PAGE..(page + 1) * PAGE].iter().any(|byte| *byte != 0))
        .collect();
    let mut salvaged = 0;
    for page in used.iter().step_by(used.len() / 40 + 1) {
        let copy = crashed(crash.path());
        let mut flipped = bytes.clone();
        flipped[page * PAGE + 40] ^= 4;
        fs::write(tables_of(copy.path()), flipped).unwrap();
        let opened = open(&options(copy.path(), Access::Write)).unwrap();
        let view = opened.view().unwrap();
        let left =
            all.iter().filter(|message| matches!(view.by_id(message.id), Ok(Some(_)))).count();
        assert!(left + 40 > all.len(), "page {page}: {left} of {} are left", all.len());
        salvaged += kept_stores(&tables_of(copy.path())).len();
        assert_eq!(check(&view).unwrap().findings, [""; 0], "page {page}");
    }
    assert!(salvaged > 0, "no page was in use");
}

#[test]
fn without_the_small_values_the_messages_and_their_ids_stay() {
    let (crash, all) = crashed_store(50);
    assert!(zero_pages_with(&tables_of(crash.path()), b"id check") > 0);
    let mut file = writable(crash.path());
    let view = file.view().unwrap();
    for message in &all {
        assert_eq!(view.by_id(message.id).unwrap().map(|found| found.seq), Some(message.seq));
    }
    let new = made(&mut file, "new");
    let known: BTreeSet<_> = all.iter().map(|message| message.id).collect();
    assert!(!known.contains(&new.id) && new.seq > all[all.len() - 1].seq);
}

#[test]
fn a_damaged_first_page_loses_no_message() {
    let (crash, all) = crashed_store(120);
    let total_before = total(crashed(crash.path()).path(), Access::Write);
    // The whole page, the magic number, the size of a page, that of a region, and each root.
    let damages = [(0, PAGE), (0, 9), (12, 4), (16, 4), (20, 4), (64, 128), (192, 128), (64, 256)];
    for (at, bytes) in damages {
        for with in [0, 0x5a] {
            let copy = crashed(crash.path());
            let path = tables_of(copy.path());
            let mut file = fs::read(&path).unwrap();
            file[at..at + bytes].fill(with);
            fs::write(&path, &file).unwrap();
            let place = format!("{bytes} bytes of {with} at {at}");
            let report = check_file(&options(copy.path(), Access::Read)).unwrap();
            let is_sound = report.findings.is_empty();
            if !is_sound {
                assert!(report.needs_repair, "{place}: {report:?}");
                let salvaged = salvage(&options(copy.path(), Access::Write)).unwrap();
                let told = salvaged.lost.iter().any(|lost| lost.contains("first page"));
                assert!(told || !report.needs_repair, "{place}: {:?}", salvaged.lost);
            }
            let opened = open(&options(copy.path(), Access::Write)).unwrap();
            let view = opened.view().unwrap();
            assert_eq!(view.stats().total, total_before, "{place}");
            for message in &all {
                let found = view.by_id(message.id).unwrap().map(|found| found.seq);
                assert_eq!(found, Some(message.seq), "{place}");
            }
            assert_eq!(check(&view).unwrap().findings, [""; 0], "{place}");
        }
    }
}

#[test]
fn a_foreign_file_is_not_taken_for_a_damaged_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = tables_of(folder.path());
    for bytes in [b"messages ".repeat(4_000), vec![0x41; 40_000], vec![1; 9_000]] {
        fs::write(&path, &bytes).unwrap();
        assert!(check_file(&options(folder.path(), Access::Read)).is_err());
        assert!(salvage(&options(folder.path(), Access::Write)).is_err());
        assert_eq!(fs::read(&path).unwrap(), bytes);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_file_without_a_readable_message_is_left_alone() {
    let (crash, _) = crashed_store(0);
    let path = tables_of(crash.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[PAGE..].fill(0);
    fs::write(&path, &bytes).unwrap();
    let Err(StoreError::Open(text)) = open(&options(crash.path(), Access::Write)).map(drop) else {
        panic!("it was opened")
    };
    assert!(text.contains("restore a backup"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(fs::read_dir(crash.path()).unwrap().count(), 2, "the store and its log");
}

#[test]
fn a_file_that_another_process_has_is_left_alone() {
    let (folder, file) = new();
    let salvaged = salvage(&options(folder.path(), Access::Write));
    assert!(matches!(salvaged, Err(StoreError::InUse(_))), "{salvaged:?}");
    drop(file);
}
