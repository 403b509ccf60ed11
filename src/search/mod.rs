//! Search: any text of one character and more, over the whole history, newest first, exactly.
//!
//! A message is found where its normalised text holds the normalised text that is looked for. The
//! index is a view of the log that only tells which messages may match; each of those is read from
//! the store and compared. So a posting too many does no harm, and what the index does not tell of
//! yet is read.
//!
//! Sealed segments are files of at most 65,536 messages, written once. The newest messages are in
//! memory, read again from the store at each start. One thread follows the store: it reads what is
//! new, seals, and builds what is missing, the newest first. Nothing waits for it.
//!
//! Segments are files of their own and no tables of redb, because nothing in them ever changes: a
//! file is written in one go, damage costs one segment, and the system's cache holds what is read.
//! `docs/performance.md` has the figures.

mod block;
mod builder;
mod by_time;
pub mod check;
mod feed;
mod followed;
mod index;
mod needle;
mod normalise;
mod query;
mod read_limit;
mod segment;
mod span;
mod terms;
#[cfg(test)]
mod tests;

pub use feed::run;
pub use index::Index;
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
