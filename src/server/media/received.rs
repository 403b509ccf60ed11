//! An incoming file, written to the disk piece by piece.

use crate::media::Upload;
use crate::media::sniff::FileType;
use crate::media::{BlobRefused, Stored};
use crate::server::blocking::on_thread_with;
use crate::server::context::ServerContext;
use crate::server::error::Result;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// Bytes gathered before they go to the disk.
pub const PIECE_BYTES: usize = 256 << 10;

/// A permit for an upload; the files of a form share one.
pub type UploadPermit = Arc<OwnedSemaphorePermit>;

/// An incoming file. If it is dropped before its end, nothing remains.
#[derive(Debug)]
pub struct ReceivedFile {
    upload: Upload,
    gathered: Vec<u8>,
    permit: UploadPermit,
}

impl ReceivedFile {
    /// Begins a file.
    pub async fn begin(context: &ServerContext, permit: UploadPermit) -> Result<Self> {
        let blobs = context.blobs.clone();
        let upload = on_thread_with(permit.clone(), move || Upload::begin(&blobs)).await??;
        Ok(Self { upload, gathered: Vec::new(), permit })
    }

    /// Adds bytes.
    pub async fn add(mut self, bytes: &[u8]) -> Result<Self> {
        self.gathered.extend_from_slice(bytes);
        self.upload.check_size(self.gathered.len() as u64)?;
        if self.gathered.len() < PIECE_BYTES {
            return Ok(self);
        }
        let Self { mut upload, mut gathered, permit } = self;
        let written = on_thread_with(permit.clone(), move || {
            upload.write(&gathered)?;
            gathered.clear();
            Ok::<_, BlobRefused>((upload, gathered))
        });
        let (upload, gathered) = written.await??;
        Ok(Self { upload, gathered, permit })
    }

    /// Stores the complete file; returns once it is on disk.
    pub async fn finish(self) -> Result<(Stored, FileType)> {
        let Self { mut upload, gathered, permit } = self;
        let kept = on_thread_with(permit, move || {
            upload.write(&gathered)?;
            let kind = upload.kind();
            Ok::<_, BlobRefused>((upload.finish()?, kind))
        });
        Ok(kept.await??)
    }
}
