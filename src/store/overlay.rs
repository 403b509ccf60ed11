//! A store that cannot be written, repaired in memory so that it can be read.
//!
//! redb repairs a file that was not closed before it can be read, and this needs writes. Here these
//! writes stay in memory; the file is only read, and it is not held open, so that its file system can
//! be unmounted and repaired.

use redb::StorageBackend;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Bytes of a block.
const BLOCK: u64 = 4096;

#[derive(Debug)]
pub(super) struct Overlay {
    path: PathBuf,
    known: FileIdentity,
    state: RwLock<State>,
}

/// Identity of a file, and the time of its last change.
type FileIdentity = (u64, i64, i64);

#[derive(Debug)]
struct State {
    len: u64,
    /// Length up to which the file is still used.
    below: u64,
    /// Blocks that were written, by their number.
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    pub(super) fn over(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let (known, len) = (known(&file)?, file.metadata()?.len());
        let state = RwLock::new(State { len, below: len, blocks: BTreeMap::new() });
        Ok(Self { path: path.to_owned(), known, state })
    }

    /// The file, if it is still the one that was repaired.
    fn file(&self) -> io::Result<File> {
        let file = File::open(&self.path)?;
        if known(&file)? == self.known {
            return Ok(file);
        }
        Err(io::Error::other("the store is about to be opened again"))
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_to_change(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block of the file; zeros after its end.
    fn block(&self, number: u64, below: u64) -> io::Result<Vec<u8>> {
        let mut block = vec![0; BLOCK as usize];
        let there = below.saturating_sub(number * BLOCK).min(BLOCK) as usize;
        if there > 0 {
            self.file()?.read_exact_at(&mut block[..there], number * BLOCK)?;
        }
        Ok(block)
    }
}

fn known(file: &File) -> io::Result<FileIdentity> {
    let told = file.metadata()?;
    Ok((told.ino(), told.mtime(), told.mtime_nsec()))
}

/// The parts of a range, each within a block: the block, where in it, where in the range.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let within = (at % BLOCK) as usize;
        let count = (len - done).min(BLOCK as usize - within);
        let range = done..done + count;
        done += count;
        (count > 0).then_some((at / BLOCK, within, range))
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        if offset + out.len() as u64 > state.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (number, within, range) in parts(offset, out.len()) {
            let count = range.len();
            let out = &mut out[range];
            if let Some(block) = state.blocks.get(&number) {
                out.copy_from_slice(&block[within..within + count]);
            } else {
                let block = self.block(number, state.below)?;
                out.copy_from_slice(&block[within..within + count]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state_to_change();
        if len < state.len {
            // Bytes that are added again later are zeros.
            state.below = state.below.min(len);
            state.blocks.retain(|number, _| number * BLOCK < len);
            if let Some(block) = state.blocks.get_mut(&(len / BLOCK)) {
                block[(len % BLOCK) as usize..].fill(0);
            }
        }
        state.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state_to_change();
        for (number, within, range) in parts(offset, data.len()) {
            let below = state.below;
            let block = match state.blocks.entry(number) {
                std::collections::btree_map::Entry::Occupied(block) => block.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(self.block(number, below)?)
                }
            };
            block[within..within + range.len()].copy_from_slice(&data[range]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_reads_like_the_bytes_it_stands_for(
            first in proptest::collection::vec(any::<u8>(), 0..20_000),
            steps in proptest::collection::vec((0usize..30_000, 0usize..9_000, any::<u8>()), 0..40),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");
            std::fs::write(&path, &first).unwrap();
            let overlay = Overlay::over(&path).unwrap();
            let mut plain = first.clone();
            for (at, len, byte) in steps {
                if byte % 4 == 0 {
                    plain.resize(at, 0);
                    overlay.set_len(at as u64).unwrap();
                } else if at + len <= plain.len() {
                    plain[at..at + len].fill(byte);
                    overlay.write(at as u64, &vec![byte; len]).unwrap();
                }
                prop_assert_eq!(overlay.len().unwrap(), plain.len() as u64);
                let mut read = vec![1; plain.len()];
                overlay.read(0, &mut read).unwrap();
                prop_assert!(read == plain);
            }
            prop_assert!(std::fs::read(&path).unwrap() == first, "the file is left alone");
        }
    }
}
