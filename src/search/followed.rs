//! Progress of the index in the log, stored next to the index files.

use super::index_file::write_whole;
use crate::model::cursor::{Cursor, Epoch};
use crate::store::View;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// Progress in the log. On disk it may be older than the files; applying an event twice does no
/// harm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FollowedTo {
    /// Epoch of the last event.
    pub(super) epoch: u64,
    pub(super) offset: u64,
    /// Messages that changed after their file was sealed, by `seq`.
    pub(super) amended: BTreeSet<u64>,
    /// Number of messages that were deleted since a file was sealed, by the first message of the
    /// file.
    pub(super) deleted: BTreeMap<u64, u32>,
}

impl FollowedTo {
    /// The progress of a new index: the head of the store.
    pub(super) fn head_of(view: &View) -> Self {
        let Cursor { epoch, offset } = view.cursor();
        Self { epoch: epoch.number(), offset, ..Self::default() }
    }

    /// The progress that a folder has; `None` if the log cannot be followed from there.
    pub(super) fn read(folder: &Path, view: &View) -> Option<Self> {
        let bytes = std::fs::read(file_in(folder)).ok()?;
        let (checksum, fields) = bytes.split_first_chunk()?;
        if crc32fast::hash(fields) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let followed: Self = postcard::from_bytes(fields).ok()?;
        // Without any events, the store cannot be recognized.
        let has_epoch = followed.offset > 0 || view.head() == 0;
        (has_epoch && followed.is_of(view)).then_some(followed)
    }

    /// Writes it into a folder.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let fields = postcard::to_stdvec(self).map_err(io::Error::other)?;
        let bytes = [&crc32fast::hash(&fields).to_le_bytes()[..], &fields].concat();
        write_whole(&file_in(folder), &bytes)
    }

    /// Whether a store has these events, and all later ones.
    pub(super) fn is_of(&self, view: &View) -> bool {
        let cursor = Cursor { epoch: Epoch::new(self.epoch), offset: self.offset };
        matches!(view.offset_of(cursor), Ok(Some(_)))
    }
}

fn file_in(folder: &Path) -> PathBuf {
    folder.join("position")
}
