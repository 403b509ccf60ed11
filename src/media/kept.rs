//! A file that is kept, as a segment of a message tells of it.

use super::blobs::Blobs;
use super::duration::duration;
use super::hash::Hash;
use super::sniff::FileType;
use crate::model::content::Media;
use std::io;

/// A file that is kept, by its bytes and not by what somebody claims.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptFile {
    pub(super) hash: Hash,
    /// Bytes.
    pub(super) size: u64,
    pub(super) kind: FileType,
    /// Seconds, of a sound or video that tells.
    pub(super) duration: Option<f64>,
}

impl KeptFile {
    /// Reads about a file; `NotFound` where it is not kept. Waits for the disk.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn of(blobs: &Blobs, hash: Hash) -> io::Result<Self> {
        let (size, kind) = blobs.describe(hash)?;
        let duration = duration(blobs.open_blob(hash)?, kind.mime);
        Ok(Self { hash, size, kind, duration })
    }

    /// Notes in a segment that its bytes are here, and what they are.
    pub fn put_into(&self, media: &mut Media) {
        media.media = Some(self.hash.to_string());
        media.size = Some(self.size);
        media.mime = Some(self.kind.mime.to_owned());
        media.failure = None;
        media.duration = self.duration.or(media.duration);
        if let Some((width, height)) = self.kind.size {
            (media.width, media.height) = (Some(width), Some(height));
        }
    }
}
