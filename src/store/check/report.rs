//! The result of a check.

use crate::store::damage::guarded;
use crate::store::error::Result;
use crate::store::quarantine::Quarantined;
use std::path::PathBuf;

/// The most findings that are reported. A damaged store usually has many damaged rows.
pub(super) const MAX_FINDINGS: usize = 100;

/// The result of a check.
#[derive(Debug, Default)]
pub struct StoreReport {
    /// Messages read.
    pub messages: u64,
    /// Index rows read.
    pub rows: u64,
    /// Events that could not be stored and were quarantined: the first ones, and how many there are.
    pub quarantined: Vec<Quarantined>,
    /// The number of all events that were quarantined.
    pub all_quarantined: u64,
    /// The faults, in words; empty if there is none.
    pub findings: Vec<String>,
    /// The number of further faults.
    pub more: u64,
    /// Logs that were damaged or did not belong to the store, and are kept beside it.
    pub kept_logs: Vec<PathBuf>,
    /// Stores that were damaged and made anew; the damaged files are kept.
    pub kept_stores: Vec<PathBuf>,
    /// The file cannot be opened as it is.
    pub needs_repair: bool,
}

impl StoreReport {
    pub(super) fn find(&mut self, finding: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Runs a part of the check. An error that ends it early is a finding.
    pub(super) fn part(&mut self, what: &str, check: impl FnOnce(&mut Self) -> Result<()>) {
        if let Err(error) = guarded(|| check(self)) {
            self.find(format!("{what} could not be read to the end: {error}"));
        }
    }
}
