//! Writing the next bytes of an upload in parts.

use super::busy::Busy;
use super::folder::{Partial, UploadFolder};
use super::problem::UploadProblem;
use crate::clock::now;
use crate::media::hash::Hash;
use crate::media::sniff::{HEAD_BYTES, sniff};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Bytes that may be written before a sync: a power cut loses at most these.
const CHECKPOINT_BYTES: u64 = 8 << 20;

/// An upload that is being continued.
#[derive(Debug)]
pub struct PartialWriting {
    folder: UploadFolder,
    partial: Partial,
    /// Its bytes so far; `None` if it is stored already.
    file: Option<File>,
    /// Bytes that are written, of which `partial.offset` are synced.
    size: u64,
    /// Hash of all bytes so far, if this object has seen all of them.
    hasher: Option<Sha256>,
    _busy: Busy,
}

impl PartialWriting {
    /// Continues after the bytes of an upload that are on disk.
    pub(super) fn new(folder: UploadFolder, partial: Partial, busy: Busy) -> io::Result<Self> {
        let size = partial.offset;
        let file = if partial.media.is_some() {
            None
        } else {
            let path = folder.bytes_of(partial.id)?;
            let mut file = OpenOptions::new().read(true).write(true).open(path)?;
            file.set_len(size)?;
            file.seek(SeekFrom::Start(size))?;
            Some(file)
        };
        let hasher = (size == 0).then(Sha256::new);
        Ok(Self { folder, partial, file, size, hasher, _busy: busy })
    }

    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// There are more bytes than were told, or the disk refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), UploadProblem> {
        let (more, length) = (bytes.len() as u64, self.partial.length);
        if self.size.saturating_add(more) > length {
            return Err(UploadProblem::TooLong { length });
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let (id, blobs) = (self.partial.id, &self.folder.blobs);
        blobs.check_disk(more, Some(id))?;
        file.write_all(bytes)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.size += more;
        blobs.reservations().set(id, length, self.size);
        if self.size - self.partial.offset >= CHECKPOINT_BYTES {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Syncs the written bytes, so that they survive a power cut.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn checkpoint(&mut self) -> Result<(), UploadProblem> {
        if let Some(file) = &self.file
            && self.size > self.partial.offset
        {
            file.sync_data()?;
            (self.partial.offset, self.partial.at) = (self.size, now());
            self.folder.write(&self.partial)?;
        }
        Ok(())
    }

    /// Ends this part of the upload. A complete file is stored.
    ///
    /// # Errors
    ///
    /// The file is not the announced one, there is no space for it, or the disk refuses.
    pub fn finish(mut self) -> Result<Partial, UploadProblem> {
        self.checkpoint()?;
        let Some(mut file) = self.file.take().filter(|_| self.size == self.partial.length) else {
            return Ok(self.partial);
        };
        let Self { folder, mut partial, hasher, _busy, .. } = self;
        let mut head = Vec::new();
        file.rewind()?;
        (&file).take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        let hash = if let Some(hasher) = hasher {
            Hash::from(hasher)
        } else {
            file.rewind()?;
            Hash::of(&mut file)?
        };
        if partial.sha256.as_ref().is_some_and(|told| *told != hash.to_string()) {
            folder.remove(partial.id)?;
            return Err(UploadProblem::OtherBytes);
        }
        // Before the file is renamed: otherwise a kill in between would lose the upload.
        partial.media = Some(hash.to_string());
        partial.mime = Some(sniff(&head).mime.to_owned());
        folder.write(&partial)?;
        let bytes = folder.bytes_of(partial.id)?;
        folder.blobs.keep(&bytes, hash, partial.length, Some(partial.id))?;
        match fs::remove_file(bytes) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        if let Err(error) = folder.forget_whole(partial.id) {
            tracing::warn!("records of finished uploads cannot be removed: {error}");
        }
        Ok(partial)
    }
}
