//! A disk that loses power, or fails for a while.
//!
//! Real disks keep what was synced, and of the rest whatever they like: each write whole, torn at
//! a sector, or not at all. After a sync that failed the machine takes what was written for clean,
//! and it is gone once it is read from the disk again. So does this one.

use rechat::store::{StorageFactory, StoreFileKind};
use redb::StorageBackend;
use std::io;
use std::sync::{Arc, Mutex};

/// Bytes that a disk writes as a whole.
const SECTOR: usize = 512;

/// A disk on which a store is opened several times.
#[derive(Debug, Default)]
pub struct Disk {
    tables: Content,
    log: Content,
    /// Operations until the power is cut, or the fault begins.
    pub left: Option<u32>,
    /// The fault is over after one operation has failed.
    pub heals: bool,
    /// Reading fails as well, once writing does.
    pub fails_reads: bool,
    /// Only the log fails.
    pub has_no_log: bool,
    /// Grows with each power cut: older handles have no effect.
    generation: u32,
}

/// A file on it.
#[derive(Debug, Default)]
struct Content {
    synced: Vec<u8>,
    /// The bytes as the system sees them while it has power.
    seen: Vec<u8>,
    /// Writes since the last sync, in order.
    unsynced: Vec<(usize, Vec<u8>)>,
    /// A sync failed: bytes that were seen may be missing when they are read again.
    is_doubtful: bool,
}

impl Disk {
    /// Counts an operation; an error if the disk fails.
    fn work(&mut self, part: StoreFileKind, generation: u32) -> io::Result<()> {
        let is_dead = generation != self.generation
            || self.left == Some(0)
            || (self.has_no_log && part == StoreFileKind::Log);
        if is_dead {
            if self.heals {
                self.left = None;
            }
            return Err(io::Error::other("the disk is out of order"));
        }
        self.left = self.left.map(|left| left - 1);
        Ok(())
    }

    /// A disk, and the factory that puts a store on it.
    pub fn new() -> (Arc<Mutex<Self>>, StorageFactory) {
        let disk: Arc<Mutex<Self>> = Arc::default();
        let storage = {
            let disk = disk.clone();
            StorageFactory(Arc::new(move |part| {
                let mut now = disk.lock().unwrap();
                now.part(part).read_again();
                let generation = now.generation;
                Box::new(Handle { disk: disk.clone(), part, generation })
            }))
        };
        (disk, storage)
    }

    /// Cuts the power: of the writes that were not synced, only some sectors remain.
    pub fn cut(&mut self, mut keeps: impl FnMut() -> bool) {
        self.tables.cut(&mut keeps);
        self.log.cut(&mut keeps);
        self.generation += 1;
        self.left = None;
    }

    fn part(&mut self, part: StoreFileKind) -> &mut Content {
        match part {
            StoreFileKind::Tables => &mut self.tables,
            StoreFileKind::Log => &mut self.log,
        }
    }
}

impl Content {
    fn read_again(&mut self) {
        if std::mem::take(&mut self.is_doubtful) {
            self.synced.resize(self.seen.len(), 0);
            self.seen = self.synced.clone();
        }
    }

    fn cut(&mut self, mut keeps: impl FnMut() -> bool) {
        let len = self.seen.len();
        self.synced.resize(len, 0);
        for (at, data) in std::mem::take(&mut self.unsynced) {
            for (i, sector) in data.chunks(SECTOR).enumerate() {
                let at = at + i * SECTOR;
                if keeps() && at + sector.len() <= len {
                    self.synced[at..at + sector.len()].copy_from_slice(sector);
                }
            }
        }
        self.seen = self.synced.clone();
    }
}

#[derive(Debug)]
struct Handle {
    disk: Arc<Mutex<Disk>>,
    part: StoreFileKind,
    generation: u32,
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.lock().unwrap().part(self.part).seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        if disk.fails_reads && disk.left == Some(0) {
            // Counts as the operation that fails.
            disk.work(self.part, self.generation)?;
        }
        let from = usize::try_from(offset).unwrap();
        let bytes = disk.part(self.part).seen.get(from..from + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        disk.work(self.part, self.generation)?;
        disk.part(self.part).seen.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        if let Err(error) = disk.work(self.part, self.generation) {
            let content = disk.part(self.part);
            content.unsynced.clear();
            content.is_doubtful = true;
            return Err(error);
        }
        let content = disk.part(self.part);
        content.synced.resize(content.seen.len(), 0);
        for (at, data) in content.unsynced.drain(..) {
            if at + data.len() <= content.synced.len() {
                content.synced[at..at + data.len()].copy_from_slice(&data);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        disk.work(self.part, self.generation)?;
        let at = usize::try_from(offset).unwrap();
        let content = disk.part(self.part);
        content.seen[at..at + data.len()].copy_from_slice(data);
        content.unsynced.push((at, data.to_vec()));
        Ok(())
    }
}
