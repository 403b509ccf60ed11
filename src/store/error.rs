//! Errors of the store.

use crate::log::OUTCOME_UNKNOWN;
use crate::log::record;
use crate::protocol::http::NOT_INITIALIZED;
use std::fmt;

/// Reason why the store refuses. The text is for people and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// There is no store at the moment: it could not be opened again after a fault, or is closed.
    Absent,
    /// It cannot be opened: it is no store of rechat, too new, locked, or the disk refuses.
    Open(String),
    /// Another process has the file.
    InUse(String),
    /// A row is damaged. Only a command or a query that needs the row is refused.
    Damaged(String),
    /// The file is damaged: a page has an unknown form.
    Corrupt(String),
    /// Reading failed.
    Read(String),
    /// The cluster accepts nothing now. Nothing was stored, unless the text says that this is unknown.
    Unavailable(String),
    /// The change is in the log of the cluster, but it could not be applied here.
    Unknown(String),
    /// Writing failed, and nothing was stored.
    Write(String),
    /// Writing failed, and the change may be stored nevertheless.
    InDoubt(String),
}

impl StoreError {
    /// Whether the change may be stored nevertheless.
    pub fn may_be_stored(&self) -> bool {
        match self {
            Self::InDoubt(_) | Self::Unknown(_) => true,
            Self::Unavailable(text) => text.contains(OUTCOME_UNKNOWN),
            _ => false,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Spelled by the contract, Part 1.
            Self::Absent => f.write_str(NOT_INITIALIZED),
            Self::Open(text)
            | Self::InUse(text)
            | Self::Unavailable(text)
            | Self::Unknown(text) => f.write_str(text),
            Self::Damaged(text) => write!(f, "{text}; run `rechat check` for details"),
            Self::Corrupt(text) => {
                write!(f, "the store's file is damaged ({text}); run `rechat check` for details")
            }
            Self::Read(text) => write!(f, "the store could not be read: {text}"),
            Self::Write(text) | Self::InDoubt(text) => {
                write!(f, "the store could not be written: {text}")
            }
        }
    }
}

impl std::error::Error for StoreError {}

/// The result of a call of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

impl From<redb::StorageError> for StoreError {
    fn from(error: redb::StorageError) -> Self {
        match error {
            redb::StorageError::Corrupted(text) => Self::Corrupt(text),
            error => Self::Read(error.to_string()),
        }
    }
}

impl From<record::Unreadable> for StoreError {
    fn from(error: record::Unreadable) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<crate::log::LogError> for StoreError {
    fn from(error: crate::log::LogError) -> Self {
        Self::Open(error.to_string())
    }
}

impl From<redb::TableError> for StoreError {
    fn from(error: redb::TableError) -> Self {
        Self::Read(error.to_string())
    }
}

impl From<redb::TransactionError> for StoreError {
    fn from(error: redb::TransactionError) -> Self {
        Self::Read(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_refuses_has_stored_nothing() {
        let refused =
            StoreError::Unavailable("this node leads no longer; nothing was stored".into());
        assert!(!refused.may_be_stored());
        let lost =
            StoreError::Unavailable(format!("NATS did not acknowledge it; {OUTCOME_UNKNOWN}"));
        assert!(lost.may_be_stored());
    }
}
