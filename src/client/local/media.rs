//! Files beside the store.

use super::Local;
use crate::client::body::FileBody;
use crate::client::missing::no_media;
use crate::error::{Error, Result};
use crate::media::copy::copy_blob;
use crate::media::removal::{self, Removal, unsent};
use crate::media::sniff::FileType;
use crate::media::{self, BlobRefused, Hash, Stored, Upload};
use crate::protocol::http::{MediaList, MediaRemoved, Uploaded};
use bytes::Bytes;

impl Local {
    pub(in crate::client) fn media(&self, limit: u64) -> Result<MediaList> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        media::list::newest(&self.store, &self.blobs, limit)
            .map_err(|error| Error::failed(error.to_string()))
    }

    pub(in crate::client) fn upload(&self, name: Option<&str>, file: FileBody) -> Result<Uploaded> {
        let kept = copied(file, Upload::begin(&self.blobs));
        let (stored, kind) = kept.map_err(|refused| Error::failed(refused.to_string()))?;
        let (media, mime) = (stored.hash.to_string(), kind.mime.to_owned());
        Ok(Uploaded { media, name: name.map(str::to_owned), mime, size: stored.size })
    }

    pub(in crate::client) fn download(&self, media: Hash, to: &mut Upload) -> Result<bool> {
        match copy_blob(&self.blobs, media, to) {
            Ok(is_there) => Ok(is_there),
            Err(refused) => Err(Error::failed(refused.to_string())),
        }
    }

    pub(in crate::client) async fn remove_media(&self, media: Hash) -> Result<MediaRemoved> {
        match removal::remove(self.store.clone(), self.blobs.clone(), media).await {
            Ok(Removal::Removed { messages }) => {
                Ok(MediaRemoved { deleted: true, messages: messages as u64 })
            }
            Ok(Removal::NotFound) => Err(no_media(media)),
            Ok(Removal::Unsent { messages }) => Err(Error::failed(unsent(messages))),
            Ok(Removal::InUse) => Err(Error::failed("a message was made of it just now")),
            Err(fault) => Err(Error::failed(fault.to_string())),
        }
    }

    /// The bytes of a file; `None` where it is not kept.
    pub(in crate::client) fn media_bytes(&self, media: Hash, most: u64) -> Result<Option<Bytes>> {
        let read = self.blobs.read(media, most);
        read.map_err(|error| Error::failed(format!("the file cannot be read: {error}")))
    }
}

/// Stores a file, and returns its description.
fn copied(
    mut file: FileBody,
    upload: std::result::Result<Upload, BlobRefused>,
) -> std::result::Result<(Stored, FileType), BlobRefused> {
    let mut upload = upload?;
    loop {
        let bytes = file.read()?;
        if bytes.is_empty() {
            break;
        }
        upload.write(&bytes)?;
    }
    let kind = upload.kind();
    Ok((upload.finish()?, kind))
}
