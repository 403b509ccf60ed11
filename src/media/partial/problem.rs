//! Errors of uploads in parts.

use crate::media::bounds::BlobRefused;
use std::io;

/// Reason why an upload cannot begin or continue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadProblem {
    /// The bytes are not stored.
    Refused(BlobRefused),
    /// There is no such upload any more.
    NotFound,
    /// Another request writes it.
    Busy,
    /// The upload continues at another byte.
    WrongOffset {
        /// The number of bytes that are there.
        offset: u64,
    },
    /// There are more bytes than the client announced.
    TooLong {
        /// The number of bytes that it announced.
        length: u64,
    },
    /// The file has another hash than the client announced; the upload is removed.
    OtherBytes,
    /// There are too many uploads.
    TooMany,
}

impl From<BlobRefused> for UploadProblem {
    fn from(refused: BlobRefused) -> Self {
        Self::Refused(refused)
    }
}

impl From<io::Error> for UploadProblem {
    fn from(error: io::Error) -> Self {
        Self::Refused(error.into())
    }
}
