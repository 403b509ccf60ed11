//! Reason why a file was not fetched, and whether another attempt may help.

use super::bounds::BlobRefused;
use crate::model::content::MediaFailure;
use std::fmt;

/// The most characters of a reason in a message; some text comes from hosts and platforms.
const MAX_REASON: usize = 300;

/// Reason why something was not fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchFailure {
    /// The reason, for people.
    pub reason: String,
    /// The kind of the failure, which decides whether it is worth another attempt.
    pub kind: FailureKind,
}

/// Kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Another attempt does not help.
    Lasting,
    /// Another attempt may help.
    Passing,
    /// There is no address, and no account that can be asked.
    Unsupported,
    /// The file is larger than may be kept.
    TooLarge,
    /// The cause is here: there is no space, or the disk fails.
    Here,
}

impl FetchFailure {
    /// Another attempt does not help.
    pub(super) fn lasting(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), kind: FailureKind::Lasting }
    }

    /// Another attempt may help.
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), kind: FailureKind::Passing }
    }

    /// The failure of an attempt at `at` (Unix seconds), in the form for a message.
    pub fn at(&self, at: u64) -> MediaFailure {
        let reason = self.reason.chars().take(MAX_REASON).collect();
        MediaFailure { reason, retryable: self.is_passing(), at }
    }

    /// Whether another attempt may help.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, FailureKind::Passing | FailureKind::Here)
    }
}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl From<BlobRefused> for FetchFailure {
    fn from(refused: BlobRefused) -> Self {
        let kind = match refused {
            BlobRefused::Empty => FailureKind::Lasting,
            BlobRefused::TooLarge { .. } => FailureKind::TooLarge,
            BlobRefused::Full { .. } | BlobRefused::DiskFull { .. } | BlobRefused::Disk(_) => {
                FailureKind::Here
            }
        };
        Self { reason: refused.to_string(), kind }
    }
}
