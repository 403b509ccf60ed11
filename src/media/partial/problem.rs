//! Why an upload in parts does not begin, or does not go on.

use crate::media::bounds::BlobRefused;
use std::io;

/// Why an upload does not begin, or does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadProblem {
    /// The bytes are not kept.
    Refused(BlobRefused),
    /// There is no such upload, or not any more.
    NotFound,
    /// Another request writes it.
    Busy,
    /// It goes on at another byte.
    #[allow(missing_docs)]
    WrongOffset { offset: u64 },
    /// There are more bytes than were told when it began.
    #[allow(missing_docs)]
    TooLong { length: u64 },
    /// The file is not the one that was told when it began; the upload is removed.
    OtherBytes,
    /// There are as many as there may be.
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
