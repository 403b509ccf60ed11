//! A stored file, described for the segment of a message.

use super::blobs::Blobs;
use super::duration::duration;
use super::hash::Hash;
use super::sniff::FileType;
use crate::model::content::Media;
use std::io;

/// A stored file. Its type and size come from its bytes, not from what a platform or client claims.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFile {
    pub(super) hash: Hash,
    /// Bytes.
    pub(super) size: u64,
    pub(super) kind: FileType,
    /// Seconds, for a sound or video whose file says it.
    pub(super) duration: Option<f64>,
}

impl StoredFile {
    /// Describes a file; `NotFound` where it is not stored. Waits for the disk.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn of(blobs: &Blobs, hash: Hash) -> io::Result<Self> {
        let (size, kind) = blobs.describe(hash)?;
        let duration = duration(blobs.open_blob(hash)?, kind.mime);
        Ok(Self { hash, size, kind, duration })
    }

    /// Notes in a segment that the bytes are stored, with their type and size.
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
