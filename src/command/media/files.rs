//! Media beside an export: its files, named as those beside a store.

use crate::client::{Client, FileBody};
use crate::error::{Error, Result};
use crate::media::content::hashes;
use crate::media::{BlobBounds, BlobRefused, Blobs, Hash, Upload, folder_beside};
use crate::protocol::http::TransferRecord;
use std::collections::HashSet;
use std::path::Path;

/// Media that go out beside the lines of an export.
pub(crate) struct MediaFiles {
    blobs: Blobs,
    wanted: HashSet<Hash>,
    /// The beginning of a line whose end is still to come.
    rest: Vec<u8>,
}

/// The result of exporting media.
#[derive(Default)]
pub(crate) struct Copied {
    pub(crate) copied: u64,
    /// Media that messages name and that are not kept any more.
    pub(crate) missing: u64,
}

fn cannot(folder: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::failed(format!("cannot keep media in {}: {why}", folder.display()))
}

impl MediaFiles {
    /// The media beside a file.
    pub(crate) fn next_to(file: &Path) -> Result<Self> {
        let folder = folder_beside(file);
        let blobs =
            Blobs::open(&folder, BlobBounds::NONE).map_err(|error| cannot(&folder, &error))?;
        Ok(Self { blobs, wanted: HashSet::new(), rest: Vec::new() })
    }

    /// Notes the media that lines name.
    pub(crate) fn see(&mut self, lines: &[u8]) {
        self.rest.extend_from_slice(lines);
        let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') else { return };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        for line in whole.split(|&byte| byte == b'\n') {
            if let Ok(record) = serde_json::from_slice::<TransferRecord>(line) {
                self.wanted.extend(hashes(&record.message.content));
            }
        }
    }

    /// Copies what was noted and is not there yet.
    pub(crate) async fn copy(self, client: &mut Client) -> Result<Copied> {
        let Self { blobs, wanted, .. } = self;
        let mut done = Copied::default();
        for hash in wanted {
            if blobs.open_blob(hash).is_ok() {
                continue;
            }
            let failed = |refused: BlobRefused| cannot(blobs.root(), &refused);
            let mut upload = Upload::begin(&blobs).map_err(failed)?;
            if client.download(hash, &mut upload).await? {
                let stored = upload.finish().map_err(failed)?;
                if stored.hash != hash {
                    // A part of a file is useless.
                    let _ = blobs.remove(stored.hash);
                    return Err(Error::failed(format!("the file {hash} is damaged")));
                }
                done.copied += 1;
            } else {
                done.missing += 1;
            }
        }
        Ok(done)
    }
}

/// Hands over the media beside a file that was exported; gives how many there are.
pub(crate) async fn import(file: &Path, client: &mut Client) -> Result<u64> {
    let folder = folder_beside(file);
    let blobs = Blobs::open(&folder, BlobBounds::NONE).map_err(|error| cannot(&folder, &error))?;
    let all = blobs.all().map_err(|error| cannot(&folder, &error))?;
    for stored in &all {
        let opened = blobs.open_blob(stored.hash);
        let opened = opened
            .map_err(|error| Error::failed(format!("cannot read {}: {error}", stored.hash)))?;
        let kept = client.upload(None, FileBody::new(opened, stored.size, |_| {})).await?;
        if kept.media != stored.hash.to_string() {
            return Err(Error::failed(format!("the file {} is damaged", stored.hash)));
        }
    }
    Ok(all.len() as u64)
}
