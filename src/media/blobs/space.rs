//! The space that blobs take, and its bounds.

use super::{Blobs, UsedBytes};
use crate::media::bounds::BlobRefused;
use crate::media::reservations::Reservations;
use std::io;
use uuid::Uuid;

impl Blobs {
    /// Bytes of all blobs.
    ///
    /// # Errors
    ///
    /// They are not counted yet, and the folder cannot be read.
    pub fn used(&self) -> io::Result<u64> {
        self.counted(&mut self.lock())
    }

    /// Like [`Self::used`], but counts the files again, because other programs may have changed
    /// them.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn count_anew(&self) -> io::Result<u64> {
        let mut used = self.lock();
        *used = None;
        self.counted(&mut used)
    }

    fn counted(&self, used: &mut UsedBytes) -> io::Result<u64> {
        if let Some(bytes) = *used {
            return Ok(bytes);
        }
        let bytes = self.all()?.iter().map(|stored| stored.size).sum();
        *used = Some(bytes);
        Ok(bytes)
    }

    /// Whether this number of bytes may be added, next to the unfinished uploads.
    ///
    /// # Errors
    ///
    /// All of them together would have more than they may, or they cannot be counted.
    pub fn check_quota(&self, bytes: u64) -> Result<(), BlobRefused> {
        self.check_room(&mut self.lock(), bytes, None)
    }

    /// Reserves space for an upload of this size until it is complete or removed.
    ///
    /// # Errors
    ///
    /// There is no room, or the disk refuses.
    pub(in crate::media) fn reserve(&self, upload: Uuid, bytes: u64) -> Result<(), BlobRefused> {
        let mut used = self.lock();
        self.check_room(&mut used, bytes, Some(upload))?;
        self.check_disk(bytes, Some(upload))?;
        self.reservations.set(upload, bytes, 0);
        Ok(())
    }

    /// The space of unfinished uploads.
    pub(in crate::media) fn reservations(&self) -> &Reservations {
        &self.reservations
    }

    /// Whether the quota has space for this number of bytes, which belong to `upload` if it is
    /// given.
    pub(super) fn check_room(
        &self,
        used: &mut UsedBytes,
        bytes: u64,
        upload: Option<Uuid>,
    ) -> Result<(), BlobRefused> {
        let quota_bytes = self.bounds.quota_bytes;
        if quota_bytes == 0 {
            return Ok(());
        }
        let taken = self.counted(used)?.saturating_add(self.reservations.bytes(upload));
        if taken.saturating_add(bytes) > quota_bytes {
            return Err(BlobRefused::Full { quota_bytes });
        }
        Ok(())
    }

    /// Whether the disk has space for this number of bytes, and enough stays free: the reserve, and
    /// the space that other unfinished uploads need.
    pub(in crate::media) fn check_disk(
        &self,
        bytes: u64,
        upload: Option<Uuid>,
    ) -> Result<(), BlobRefused> {
        let reserve_bytes = self.bounds.reserve_bytes;
        if reserve_bytes == 0 || bytes == 0 {
            return Ok(());
        }
        let about = rustix::fs::statvfs(&self.root).map_err(io::Error::from)?;
        let free = about.f_bavail.saturating_mul(about.f_frsize);
        let spoken_for = reserve_bytes.saturating_add(self.reservations.missing(upload));
        if free < spoken_for.saturating_add(bytes) {
            return Err(BlobRefused::DiskFull { reserve_bytes });
        }
        Ok(())
    }
}
