//! The files of the index: sealed, damaged, replaced.

use super::fixture::{Both, indexer};
use super::model::Step;
use crate::model::content::Content;
use crate::model::message::{Message, MessageType};
use crate::search::builder::Builder;
use crate::search::index_file::{IndexFile, Range};
use crate::search::terms;
use crate::store::Command;
use std::sync::Arc;

#[test]
fn a_segment_that_is_gone_or_damaged_is_read_instead_and_built_anew() {
    let home = tempfile::tempdir().unwrap();
    let mut both = Both::new(&home);
    for i in 0..30 {
        both.create(&format!("message {i}"), "group_1", MessageType::Text);
        if i % 10 == 9 {
            both.catch_up();
            both.index.seal_live(true).unwrap();
        }
    }
    both.catch_up();
    let report = both.check();
    assert_eq!((report.files, &report.findings[..]), (3, &[][..]));
    let mut files: Vec<_> =
        both.index.snapshot(&[]).files.iter().map(|s| s.path().to_owned()).collect();
    files.sort();
    std::fs::remove_file(&files[1]).unwrap();
    let mut bytes = std::fs::read(&files[0]).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&files[0], bytes).unwrap();
    let [finding] = &both.check().findings[..] else { panic!("one is damaged") };
    assert!(finding.contains("it is damaged"), "{finding}");

    (both.index, both.indexer) = indexer(&both.store, &both.folder);
    assert_eq!(both.found("SAGE 5"), ["message 5"]);
    assert_eq!(both.found("sage 15"), ["message 15"]);
    both.catch_up();
    assert_eq!(both.found("sage 15"), ["message 15"]);
    let report = both.check();
    // Adjacent gaps are built as one file.
    assert_eq!((report.files, &report.findings[..]), (2, &[][..]));
}

#[test]
fn what_was_deleted_leaves_the_index_with_its_segment() {
    let home = tempfile::tempdir().unwrap();
    let mut both = Both::new(&home);
    for text in ["old 1", "old 2", "new"] {
        both.create(text, "group_1", MessageType::Text);
        if text != "old 1" {
            both.catch_up();
            both.index.seal_live(true).unwrap();
        }
    }
    both.catch_up();
    for message in both.all().into_iter().filter(|message| message.content.readable() != "new") {
        both.write(Command::Delete { id: message.id });
    }
    both.catch_up();
    let snapshot = both.index.snapshot(&[]);
    let ranges: Vec<Range> = snapshot.files.iter().map(|file| file.range()).collect();
    assert_eq!(ranges, [Range { first: 3, last: 3 }]);
    assert!(IndexFile::open(&both.folder, Range { first: 0, last: 2 }).is_err());
}

/// Builds a file of some messages, as the indexer does.
fn built(both: &Both, Range { first, last }: Range) -> Builder {
    let mut builder = Builder::new(first);
    let messages = both.all().into_iter().rev();
    for message in messages.filter(|message| (first..=last).contains(&message.seq)) {
        builder.add(message.seq, &terms::of_message(&message));
    }
    builder.reach(last + 1);
    builder
}

/// A store with three messages, in one sealed file.
fn sealed(home: &tempfile::TempDir) -> (Both, Arc<IndexFile>) {
    let mut both = Both::new(home);
    for text in ["text 1", "text 2", "text 3"] {
        both.create(text, "group_1", MessageType::Text);
    }
    both.catch_up();
    both.index.seal_live(true).unwrap();
    both.index.save().unwrap();
    let file = both.index.snapshot(&[]).files[0].clone();
    (both, file)
}

#[test]
fn a_segment_that_is_built_anew_in_place_of_a_damaged_one_stays() {
    let home = tempfile::tempdir().unwrap();
    let (mut both, damaged) = sealed(&home);
    // A search finds the damage while the indexer builds, so the old file is not removed before.
    both.index.discard(&damaged);
    both.index.seal(&built(&both, damaged.range())).unwrap();
    // Another search that began earlier finds it, too.
    both.index.discard(&damaged);
    assert_eq!(both.index.snapshot(&[]).files.len(), 1, "it is another one");
    both.catch_up();
    assert!(damaged.path().exists(), "the new file has the old one's name");
    (both.index, both.indexer) = indexer(&both.store, &both.folder);
    assert_eq!(both.index.snapshot(&[]).files.len(), 1);
}

#[test]
fn a_kill_before_an_unused_segment_is_removed_doubles_and_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (mut both, all) = sealed(&home);
    // An older file that was replaced, and that the kill left.
    IndexFile::write(&both.folder, &built(&both, Range { first: 2, last: 3 })).unwrap();
    (both.index, both.indexer) = indexer(&both.store, &both.folder);
    assert_eq!(both.found("text"), ["text 3", "text 2", "text 1"]);
    // The progress is not written without the changes of messages in an unused file.
    let message = both.all().into_iter().last().unwrap();
    both.step(Step::Delete { position: 2 });
    let messages = vec![Message { content: Content::text("other"), ..message }];
    both.write(Command::Import { messages });
    both.catch_up();
    let all = both.index.snapshot(&[]).files.iter().find(|s| s.path() == all.path()).cloned();
    both.index.discard(&all.unwrap());
    both.index.save().unwrap();
    (both.index, both.indexer) = indexer(&both.store, &both.folder);
    assert_eq!(both.found("other"), ["other"]);
}
