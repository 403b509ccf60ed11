//! Bounds of stored files, and errors of refused ones.

use std::fmt;
use std::io;

/// Bounds of stored files, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobBounds {
    /// The largest blob.
    pub max_bytes: u64,
    /// All blobs together; 0 sets no bound.
    pub quota_bytes: u64,
    /// Bytes of the disk that blobs leave free, for messages.
    pub reserve_bytes: u64,
}

impl BlobBounds {
    /// No bounds, for reading and checking.
    pub const NONE: Self = Self { max_bytes: u64::MAX, quota_bytes: 0, reserve_bytes: 0 };
}

/// Reason why bytes are not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobRefused {
    /// There are none.
    Empty,
    /// There are too many.
    TooLarge {
        /// The most that a file may have.
        max_bytes: u64,
    },
    /// All blobs together would have too many.
    Full {
        /// The most that they may have.
        quota_bytes: u64,
    },
    /// The disk would have too few free.
    DiskFull {
        /// The fewest that must stay free; 0 if the disk has no space at all.
        reserve_bytes: u64,
    },
    /// The disk failed.
    Disk(String),
}

impl fmt::Display for BlobRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the file is empty"),
            Self::TooLarge { max_bytes } => {
                write!(f, "the file has more than {max_bytes} bytes (`media.max_bytes`)")
            }
            Self::Full { quota_bytes } => write!(
                f,
                "media take up all of their {quota_bytes} bytes (`media.quota_bytes`); raise it, or remove \
                 some with `rechat media --remove`"
            ),
            Self::DiskFull { reserve_bytes: 0 } => f.write_str("the disk is full"),
            Self::DiskFull { reserve_bytes } => write!(
                f,
                "the disk has less than {reserve_bytes} bytes free (`media.reserve_bytes`)"
            ),
            Self::Disk(error) => write!(f, "the file cannot be written: {error}"),
        }
    }
}

impl From<io::Error> for BlobRefused {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { reserve_bytes: 0 }
            }
            _ => Self::Disk(error.to_string()),
        }
    }
}
