//! The files of uploads: the bytes so far in `<id>.bytes`, and a record of them in `<id>.json`.

use crate::clock::now;
use crate::media::blobs::{Blobs, UPLOADS, entries};
use crate::media::hash::Hash;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Seconds without a byte after which an upload is removed.
pub const MAX_AGE: u64 = 24 * 60 * 60;

/// The most unfinished uploads, and the most finished ones that can be queried.
pub const MAX_UPLOADS: usize = 64;

/// An upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    /// The ID of the upload.
    pub id: Uuid,
    /// The name of the file.
    pub name: Option<String>,
    /// Bytes of the whole file.
    pub length: u64,
    /// Bytes of it that are on disk.
    pub offset: u64,
    /// SHA-256 in hex that the file must have, if the client gave it.
    pub(super) sha256: Option<String>,
    /// SHA-256 in hex, once it is stored as a blob.
    pub media: Option<String>,
    /// Media type by the bytes, once it is stored.
    pub mime: Option<String>,
    /// Unix seconds at which the last bytes arrived.
    pub(super) at: u64,
}

impl Partial {
    pub(super) fn new(length: u64, name: Option<String>, sha256: Option<Hash>) -> Self {
        let sha256 = sha256.map(|hash| hash.to_string());
        let (id, at) = (Uuid::new_v4(), now());
        Self { id, name, length, offset: 0, sha256, media: None, mime: None, at }
    }

    /// Unix seconds after which it may be removed.
    pub fn expires_at(&self) -> u64 {
        self.at.saturating_add(MAX_AGE)
    }
}

/// The folder for uploads, next to the blobs.
#[derive(Clone, Debug)]
pub(super) struct UploadFolder {
    pub(super) blobs: Blobs,
}

impl UploadFolder {
    /// Creates the files of a new upload: both, or none.
    pub(super) fn create(&self, partial: &Partial) -> io::Result<()> {
        let mut new = OpenOptions::new();
        let new = new.write(true).create_new(true).mode(0o600).open(self.bytes_of(partial.id)?);
        let made = new.and_then(|_| self.write(partial));
        if made.is_err() {
            let _ = self.remove(partial.id);
        }
        made
    }

    /// Replaces a record atomically.
    pub(super) fn write(&self, partial: &Partial) -> io::Result<()> {
        let path = self.record_of(partial.id)?;
        let new = new_beside(&path);
        let mut file = OpenOptions::new();
        let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(partial)?)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(self.blobs.uploads()?)?.sync_all()
    }

    /// The state of an upload; `None` if there is none any more.
    pub(super) fn find(&self, id: Uuid) -> io::Result<Option<Partial>> {
        let record = match fs::read(self.record_of(id)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            record => record?,
        };
        let Ok(mut partial) = serde_json::from_slice::<Partial>(&record) else {
            return self.remove(id).map(|()| None);
        };
        let hash = partial.media.as_deref().and_then(|media| media.parse().ok());
        let is_kept = || hash.map_or(Ok(false), |hash| self.blobs.hold(hash));
        if is_kept()? {
            return Ok(Some(partial));
        }
        let Ok(about) = self.bytes_of(id)?.metadata() else {
            // It became a blob after the first check, or its blob was removed.
            if is_kept()? {
                return Ok(Some(partial));
            }
            return self.remove(id).map(|()| None);
        };
        partial.media = None;
        partial.offset = partial.offset.min(about.len());
        Ok(Some(partial))
    }

    /// Removes the records of the oldest finished uploads if there are too many; `newest` stays.
    pub(super) fn forget_whole(&self, newest: Uuid) -> io::Result<()> {
        let mut whole = Vec::new();
        for id in self.ids()?.into_iter().filter(|id| *id != newest) {
            whole.extend(self.find(id)?.filter(|one| one.media.is_some()));
        }
        whole.sort_by_key(|one| one.at);
        let surplus = (whole.len() + 1).saturating_sub(MAX_UPLOADS);
        whole.iter().take(surplus).try_for_each(|one| self.remove(one.id))
    }

    /// Removes the files of an upload, and releases its space.
    pub(super) fn remove(&self, id: Uuid) -> io::Result<()> {
        self.blobs.reservations().release(id);
        let record = self.record_of(id)?;
        let mut removed = Ok(());
        for path in [new_beside(&record), record, self.bytes_of(id)?] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => removed = Err(error),
                _ => {}
            }
        }
        removed
    }

    /// The uploads that have a record.
    pub(super) fn ids(&self) -> io::Result<Vec<Uuid>> {
        let files = self.files()?;
        let records = files.iter().filter(|path| path.extension().is_some_and(|it| it == "json"));
        Ok(records.filter_map(|path| id_in(path)).collect())
    }

    /// Removes the files of all uploads except these, and other files.
    pub(super) fn remove_others(&self, keeps: impl Fn(Uuid) -> bool) -> io::Result<()> {
        for path in self.files()? {
            let is_part = path.extension().is_some_and(|kind| kind == "json" || kind == "bytes");
            if !(is_part && id_in(&path).is_some_and(&keeps)) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn files(&self) -> io::Result<Vec<PathBuf>> {
        entries(&self.blobs.root().join(UPLOADS))
    }

    fn record_of(&self, id: Uuid) -> io::Result<PathBuf> {
        Ok(self.blobs.uploads()?.join(format!("{id}.json")))
    }

    pub(super) fn bytes_of(&self, id: Uuid) -> io::Result<PathBuf> {
        Ok(self.blobs.uploads()?.join(format!("{id}.bytes")))
    }
}

/// The temporary name of a record.
fn new_beside(record: &Path) -> PathBuf {
    record.with_extension("new")
}

fn id_in(path: &Path) -> Option<Uuid> {
    path.file_stem()?.to_str()?.parse().ok()
}
