//! Media, from a server or from the store.

use super::Client;
use super::body::FileBody;
use crate::error::Result;
use crate::media::{Hash, Upload};
use crate::protocol::http::{MediaList, MediaRemoved, Uploaded};
use bytes::Bytes;

impl Client {
    /// The newest files, and the totals.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn media(&mut self, limit: u64) -> Result<MediaList> {
        match self {
            Self::Remote(remote) => remote.media(limit).await,
            Self::Local(local) => local.media(limit),
        }
    }

    /// Stores a file, so that segments can name it.
    ///
    /// # Errors
    ///
    /// The server refuses or cannot be reached; without one, the store refuses or cannot be
    /// written.
    pub async fn upload(&mut self, name: Option<&str>, file: FileBody) -> Result<Uploaded> {
        match self {
            Self::Remote(remote) => remote.upload(name, file).await,
            Self::Local(local) => local.upload(name, file),
        }
    }

    /// Copies a file; false if it is not stored.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn download(&mut self, media: Hash, to: &mut Upload) -> Result<bool> {
        match self {
            Self::Remote(remote) => remote.download(media, to).await,
            Self::Local(local) => local.download(media, to),
        }
    }

    /// The bytes of a file; `None` if it is not stored.
    ///
    /// # Errors
    ///
    /// It has more than `most` bytes, or cannot be read.
    pub async fn media_bytes(&mut self, media: Hash, most: u64) -> Result<Option<Bytes>> {
        match self {
            Self::Remote(remote) => {
                remote.media_bytes(media, usize::try_from(most).unwrap_or(usize::MAX)).await
            }
            Self::Local(local) => local.media_bytes(media, most),
        }
    }

    /// Removes a file, and takes it out of its messages.
    ///
    /// # Errors
    ///
    /// The server refuses or cannot be reached; without one, the store refuses or cannot be
    /// written.
    pub async fn remove_media(&mut self, media: Hash) -> Result<MediaRemoved> {
        match self {
            Self::Remote(remote) => remote.remove_media(media).await,
            Self::Local(local) => local.remove_media(media).await,
        }
    }
}
