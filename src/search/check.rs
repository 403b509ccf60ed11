//! Check of the index of a store that no process has open: every message must be in its index file.

use super::index::{Index, Snapshot};
use super::index_file::{IndexFile, IndexFileError};
use super::query::add_unseen;
use super::span::position_of;
use super::terms::{self, SearchTerm};
use crate::store::{Result, View};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// Result of a check.
#[derive(Debug, Default)]
pub struct IndexReport {
    /// Sealed files that were read.
    pub files: usize,
    /// Their size on disk.
    pub bytes: u64,
    /// The errors, as text; empty if there are none.
    pub findings: Vec<String>,
}

/// Compares the index in a folder with the messages. Messages that are in no file are no error:
/// a server adds them later, and a search reads them from the store.
///
/// # Errors
///
/// A file or the store cannot be read.
pub fn check(folder: &Path, view: &View) -> Result<IndexReport> {
    let index = Index::open(folder.to_owned(), view);
    let mut snapshot = index.snapshot(&[]);
    add_unseen(view, &mut snapshot)?;
    let Snapshot { files, amended, .. } = snapshot;
    let mut report =
        IndexReport { files: files.len(), bytes: index.bytes(), ..IndexReport::default() };
    for file in files {
        let finding = match check_file(&file, view, &amended) {
            Ok(None) => continue,
            Ok(Some(seq)) => format!("does not have message {seq} as it is now"),
            Err(error) => format!("cannot be read: {error}"),
        };
        report.findings.push(format!("{} {finding}", file.path().display()));
    }
    Ok(report)
}

/// The first message whose terms are not all in its file.
fn check_file(
    file: &IndexFile,
    view: &View,
    amended: &BTreeSet<u64>,
) -> std::result::Result<Option<u64>, IndexFileError> {
    let range = file.range();
    let mut indexed: HashSet<(SearchTerm, u16)> = HashSet::new();
    file.read(&(0..SearchTerm::MAX), |term, position| {
        indexed.insert((term, position));
    })?;
    let is_indexed = |seq: &u64| match view.by_seq(*seq) {
        Ok(Some(message)) => {
            let terms = terms::of_message(&message);
            terms.into_iter().all(|term| indexed.contains(&(term, position_of(*seq))))
        }
        // The store's own check reports a message that cannot be read.
        _ => true,
    };
    let mut seqs = (range.first..=range.last).filter(|seq| !amended.contains(seq));
    Ok(seqs.find(|seq| !is_indexed(seq)))
}
