//! Finding and reading blobs, also those that another server has.

use super::folder::entries;
use super::{Blobs, Stored, is_there, stored};
use crate::media::hash::Hash;
use crate::media::sniff::{FileType, HEAD_BYTES, sniff};
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read};

impl Blobs {
    /// Looks for a blob, and again where it is not here and another server has it.
    pub(super) fn or_brought<T>(
        &self,
        hash: Hash,
        look: impl Fn() -> io::Result<T>,
    ) -> io::Result<T> {
        match (look(), &self.peers) {
            (Err(error), Some(peers)) if error.kind() == io::ErrorKind::NotFound => {
                if peers.bring(hash) { look() } else { Err(error) }
            }
            (found, _) => found,
        }
    }

    /// Opens a blob for reading; `NotFound` if it is not stored.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn open_blob(&self, hash: Hash) -> io::Result<File> {
        self.or_brought(hash, || self.open_kept(hash))
    }

    /// As [`Self::open_blob`], of what is here alone.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn open_kept(&self, hash: Hash) -> io::Result<File> {
        File::open(self.path(hash))
    }

    /// The bytes of a blob; `None` if it is not stored.
    ///
    /// # Errors
    /// It has more than `most` bytes, or cannot be read.
    pub fn read(&self, hash: Hash, most: u64) -> io::Result<Option<Bytes>> {
        let file = match self.open_blob(hash) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() > most {
            return Err(io::Error::other(format!("it has more than {most} bytes")));
        }
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok(Some(bytes.into()))
    }

    /// A blob's size and type; `NotFound` if it is not stored.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn describe(&self, hash: Hash) -> io::Result<(u64, FileType)> {
        let file = self.open_blob(hash)?;
        let size = file.metadata()?.len();
        let mut head = Vec::new();
        file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        Ok((size, sniff(&head)))
    }

    /// Every blob, in no order. Files with other names are ignored.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn all(&self) -> io::Result<Vec<Stored>> {
        let mut found = Vec::new();
        for folder in entries(&self.root)? {
            if folder.file_name().is_none_or(|name| name.len() != 2) {
                continue;
            }
            for file in entries(&folder)? {
                let hash = file.file_name().and_then(|name| name.to_str()?.parse().ok());
                let (Some(hash), Ok(about)) = (hash, file.metadata()) else { continue };
                if about.is_file() {
                    found.push(stored(hash, &about)?);
                }
            }
        }
        Ok(found)
    }

    /// A blob; `None` if it is not stored.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn find(&self, hash: Hash) -> io::Result<Option<Stored>> {
        match self.or_brought(hash, || self.path(hash).metadata()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            about => stored(hash, &about?).map(Some),
        }
    }

    /// As [`Self::find`], of what is here alone.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn find_kept(&self, hash: Hash) -> io::Result<Option<Stored>> {
        match self.path(hash).metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            about => stored(hash, &about?).map(Some),
        }
    }

    /// Whether a blob is here.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn is_kept(&self, hash: Hash) -> io::Result<bool> {
        is_there(self.path(hash).metadata())
    }

    /// Reads a blob and compares its hash with its name; false if it is damaged.
    ///
    /// # Errors
    ///
    /// The disk refuses.
    pub fn is_whole(&self, hash: Hash) -> io::Result<bool> {
        Ok(Hash::of(&mut self.open_kept(hash)?)? == hash)
    }
}
