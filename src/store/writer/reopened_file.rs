//! The file that the writer writes to: closed after a fault, and opened again.

use super::file_id::FileId;
use crate::log::disk::forget_cached;
use crate::log::file::path_beside;
use crate::model::cursor::Epoch;
use crate::store::damage::guarded;
use crate::store::error::{Result, StoreError};
use crate::store::file::{BatchOutcome, StoreFile};
use crate::store::listener::Head;
use crate::store::open::{self, Opened};
use crate::store::options::StoreOptions;
use crate::store::role::StoreRole;
use crate::store::view::CurrentView;
use std::sync::Arc;
use std::time::Duration;

/// The store's file, which is closed after a fault until it can be opened again.
pub(super) struct ReopenedFile {
    pub(super) options: StoreOptions,
    current: CurrentView,
    role: Arc<StoreRole>,
    /// `None` after a fault, until the file could be opened again.
    file: Option<StoreFile>,
    /// Which file is open.
    opened_as: Option<FileId>,
    /// The store for reading meanwhile.
    for_reading: Option<Opened>,
}

impl ReopenedFile {
    pub(super) fn new(
        file: StoreFile,
        options: StoreOptions,
        current: CurrentView,
        role: Arc<StoreRole>,
    ) -> Self {
        let opened_as = FileId::of(&options);
        Self { options, current, role, file: Some(file), opened_as, for_reading: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Whether the tables have something to catch up with.
    pub(super) fn is_behind(&self) -> bool {
        self.file.as_ref().is_some_and(StoreFile::is_behind)
    }

    /// The epoch of this opening.
    pub(super) fn epoch(&self) -> Epoch {
        self.file.as_ref().map_or_else(Epoch::default, |file| file.context.epoch)
    }

    /// The open file; [`StoreError::Absent`] while there is none.
    pub(super) fn get(&mut self) -> Result<&mut StoreFile> {
        self.file.as_mut().ok_or(StoreError::Absent)
    }

    /// Readers see the store as it is now.
    pub(super) fn show(&self) -> Result<()> {
        let file = self.file.as_ref().ok_or(StoreError::Absent)?;
        self.current.store(Some(Arc::new(file.view()?)));
        Ok(())
    }

    /// Readers see the batch that was committed last.
    pub(super) fn show_batch(&self, outcome: &BatchOutcome) -> Result<()> {
        let file = self.file.as_ref().ok_or(StoreError::Absent)?;
        self.current.store(Some(Arc::new(file.view_after(outcome)?)));
        Ok(())
    }

    /// Tells how far the log of the cluster is applied.
    pub(super) fn reached(&self) {
        if let Some(shared) = self.file.as_ref().and_then(|file| file.shared.as_ref()) {
            self.role.reach(shared.stream_seq());
        }
    }

    /// Closes the file after a fault; what its log holds is applied when it is opened again.
    pub(super) fn close_after_fault(&mut self) {
        if self.options.shared_log.is_some() {
            self.role.lead(false);
        }
        if let Some(file) = self.file.take()
            && let Err(error) = guarded(|| file.abandon())
        {
            tracing::warn!("closing the store after a fault: {error}");
        }
    }

    /// Closes the file for good.
    pub(super) fn close(self) -> Result<()> {
        self.file.map_or(Ok(()), |file| guarded(|| file.close()))
    }

    /// Opens the file again, for writers and readers. Where that fails, readers get what can be read.
    pub(super) fn open_again(&mut self) -> Result<Head> {
        let opened = guarded(|| {
            let opened = self.open()?;
            Ok((Arc::new(opened.view()?), opened))
        });
        match opened {
            Ok((view, opened)) => {
                self.file = opened.into_writable();
                self.opened_as = FileId::of(&self.options);
                self.reached();
                self.for_reading = None;
                let head = view.position();
                self.current.store(Some(view));
                Ok(head)
            }
            Err(error) => {
                self.open_for_reading();
                Err(error)
            }
        }
    }

    /// Closes the file if that at the store's path is no longer it, and says so: what is written to one
    /// that was removed or replaced is lost at the next start.
    pub(super) fn close_if_replaced(&mut self) -> bool {
        if FileId::of(&self.options) == self.opened_as {
            return false;
        }
        tracing::error!(
            "the file {} was removed or replaced while the server runs; it is opened again",
            self.options.path.display()
        );
        self.close_after_fault();
        true
    }

    fn open(&self) -> Result<Opened> {
        let path = &self.options.path;
        if self.options.storage.is_none() {
            if !path.try_exists().unwrap_or(false) {
                let path = path.display();
                return Err(StoreError::Open(format!(
                    "{path} has vanished; put it back, or restart"
                )));
            }
            // A repair needs space, too.
            self.free_space()?;
            forget_cached(path);
            forget_cached(&path_beside(path));
        }
        // The writer tries again soon; those who wait for it are not to wait for this.
        open::open(&StoreOptions { patience: Duration::ZERO, ..self.options.clone() })
    }

    /// Opens what can be read, for readers in the meantime.
    fn open_for_reading(&mut self) {
        if self.for_reading.is_none() && self.options.storage.is_none() {
            self.for_reading = guarded(|| open::open_as_it_is(&self.options)).ok();
            let view = self.for_reading.as_ref().and_then(|opened| opened.view().ok());
            self.current.store(view.map(Arc::new));
        }
    }

    /// Bytes that are free where the store lies.
    ///
    /// # Errors
    ///
    /// They are too few to go on.
    pub(super) fn free_space(&self) -> Result<u64> {
        // The file itself, for the folder of its path may hold but a link to it.
        let Ok(disk) = rustix::fs::statvfs(&self.options.path) else { return Ok(u64::MAX) };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= self.options.reserve_bytes {
            return Ok(free);
        }
        Err(StoreError::Write(format!(
            "the disk is full: {} kB are free where {} lies, and {} kB must be; free some space",
            free / 1024,
            self.options.path.display(),
            self.options.reserve_bytes / 1024
        )))
    }
}
