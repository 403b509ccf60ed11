//! Search for texts of one character and more in the whole history: exact, newest messages first.
//!
//! A message matches if its normalised text contains the normalised text of the search. The index is a
//! view of the log that only gives candidates; each candidate is read from the store and compared. So
//! wrong candidates do no harm, and messages that are not in the index yet are read from the store.
//!
//! An index file has at most 65,536 messages and is written once (sealed). The newest messages are in
//! memory, read again from the store at each start. One thread follows the store: it reads new
//! messages, seals files, and builds missing ones, the newest first. Nothing waits for it.
//!
//! Files serve better than tables of redb, because they never change: a file is written in one go,
//! damage affects one file, and the system caches the parts that are read.
//! `docs/performance.md` has the figures.

mod block;
mod builder;
mod by_time;
pub mod check;
mod followed;
mod index;
mod index_file;
mod indexer;
mod needle;
mod normalise;
mod query;
mod read_limit;
mod span;
mod terms;
#[cfg(test)]
mod tests;

pub use index::Index;
pub use indexer::run;
pub use needle::Needle;
pub use normalise::normalise;
pub use query::{Conditions, Search};

use std::path::{Path, PathBuf};

/// Where the index of a store lies.
pub fn folder_beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push("-search");
    PathBuf::from(name)
}
