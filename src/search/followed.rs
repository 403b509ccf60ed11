//! Progress of the index through the log, kept in a file beside the segments.

use super::segment::write_whole;
use crate::model::cursor::{Cursor, Epoch};
use crate::store::View;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// Progress through the log. It may be older on disk than the segments are: what is told again does no
/// harm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FollowedTo {
    /// Epoch of the last event.
    pub(super) epoch: u64,
    pub(super) offset: u64,
    /// Messages that were changed after their segment was sealed, by `seq`.
    pub(super) amended: BTreeSet<u64>,
    /// How many messages were deleted since the segment was sealed, by its first message.
    pub(super) deleted: BTreeMap<u64, u32>,
}

impl FollowedTo {
    /// Nothing before the newest event of a store.
    pub(super) fn head_of(view: &View) -> Self {
        let Cursor { epoch, offset } = view.cursor();
        Self { epoch: epoch.number(), offset, ..Self::default() }
    }

    /// The progress that is kept in a folder; `None` where the log cannot be followed from there.
    pub(super) fn read(folder: &Path, view: &View) -> Option<Self> {
        let bytes = std::fs::read(file_in(folder)).ok()?;
        let (checksum, fields) = bytes.split_first_chunk()?;
        if crc32fast::hash(fields) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let followed: Self = postcard::from_bytes(fields).ok()?;
        // A store without any events may be any store.
        let has_epoch = followed.offset > 0 || view.head() == 0;
        (has_epoch && followed.is_of(view)).then_some(followed)
    }

    /// Keeps it in a folder.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let fields = postcard::to_stdvec(self).map_err(io::Error::other)?;
        let bytes = [&crc32fast::hash(&fields).to_le_bytes()[..], &fields].concat();
        write_whole(&file_in(folder), &bytes)
    }

    /// Whether a store has these events, and still all that follow.
    pub(super) fn is_of(&self, view: &View) -> bool {
        let cursor = Cursor { epoch: Epoch::new(self.epoch), offset: self.offset };
        matches!(view.offset_of(cursor), Ok(Some(_)))
    }
}

fn file_in(folder: &Path) -> PathBuf {
    folder.join("position")
}
