//! Check of the index of a store that no process has open: every message must be in its segment.

use super::index::{Index, Snapshot};
use super::index_file::{SegmentError, SegmentFile};
use super::query::add_unseen;
use super::span::place_of;
use super::terms::{self, SearchTerm};
use crate::store::{Result, View};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// Result of a check.
#[derive(Debug, Default)]
pub struct IndexReport {
    /// Sealed segments that were read.
    pub segments: usize,
    /// Their size on disk.
    pub bytes: u64,
    /// The errors, as text; empty if there are none.
    pub findings: Vec<String>,
}

/// Compares the index in a folder with the messages. Messages that are in no segment are no error:
/// a server adds them later, and a search reads them from the store.
///
/// # Errors
///
/// A segment or the store cannot be read.
pub fn check(folder: &Path, view: &View) -> Result<IndexReport> {
    let index = Index::open(folder.to_owned(), view);
    let mut snapshot = index.snapshot(&[]);
    add_unseen(view, &mut snapshot)?;
    let Snapshot { segments, amended, .. } = snapshot;
    let mut report =
        IndexReport { segments: segments.len(), bytes: index.bytes(), ..IndexReport::default() };
    for segment in segments {
        let finding = match check_segment(&segment, view, &amended) {
            Ok(None) => continue,
            Ok(Some(seq)) => format!("does not tell of message {seq} as it is"),
            Err(error) => format!("cannot be read: {error}"),
        };
        report.findings.push(format!("{} {finding}", segment.path().display()));
    }
    Ok(report)
}

/// The first message whose terms are not all in its segment.
fn check_segment(
    segment: &SegmentFile,
    view: &View,
    amended: &BTreeSet<u64>,
) -> std::result::Result<Option<u64>, SegmentError> {
    let range = segment.range();
    let mut told: HashSet<(SearchTerm, u16)> = HashSet::new();
    segment.read(&(0..SearchTerm::MAX), |term, place| {
        told.insert((term, place));
    })?;
    let is_told = |seq: &u64| match view.by_seq(*seq) {
        Ok(Some(message)) => {
            let terms = terms::of_message(&message);
            terms.into_iter().all(|term| told.contains(&(term, place_of(*seq))))
        }
        // The store's own check reports a message that cannot be read.
        _ => true,
    };
    let mut seqs = (range.first..=range.last).filter(|seq| !amended.contains(seq));
    Ok(seqs.find(|seq| !is_told(seq)))
}
