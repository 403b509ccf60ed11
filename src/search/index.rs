//! Content of the index: sealed files in a folder next to the store, the newest messages in
//! memory, and the progress in the log.

use super::block::SPAN;
use super::builder::Builder;
use super::followed::FollowedTo;
use super::index_file::{self, IndexFile, Range};
use super::read_limit::ReadLimit;
use super::span::BitSet;
use super::terms::{SearchTerm, Terms};
use crate::model::cursor::Cursor;
use crate::store::{Result, View};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Changed messages of one file after which the file is built anew, because every search
/// reads each of them.
const MAX_AMENDED: usize = 1024;

/// Deleted messages of one file after which the file is built anew.
const MAX_DELETED: u32 = (SPAN / 4) as u32;

/// The index of one store.
#[derive(Debug)]
pub struct Index {
    folder: PathBuf,
    pub(super) limit: ReadLimit,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Sealed files by their first message.
    files: BTreeMap<u64, Arc<IndexFile>>,
    /// Postings of the newest messages.
    live: Option<Builder>,
    followed: FollowedTo,
    /// Files that are not used any more.
    unused: Vec<PathBuf>,
}

/// Snapshot of the index for one search.
#[derive(Default)]
pub(super) struct Snapshot {
    /// Sealed files, the newest first.
    pub(super) files: Vec<Arc<IndexFile>>,
    /// The range of messages in memory, and the positions that may match.
    pub(super) live: Option<(Range, BitSet)>,
    /// Messages that have to be read, whatever the postings are.
    pub(super) amended: BTreeSet<u64>,
    /// The offset up to which events are in the index.
    pub(super) offset: u64,
}

impl Index {
    /// An empty index.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, limit: ReadLimit::default(), state: RwLock::default() }
    }

    /// The index of a store from the disk, for reading only.
    pub fn open(folder: PathBuf, view: &View) -> Self {
        let index = Self::new(folder);
        index.load(view);
        index
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the files on disk that belong to this store and are complete.
    pub(super) fn load(&self, view: &View) {
        let followed = FollowedTo::read(&self.folder, view);
        let names = followed.iter().flat_map(|_| std::fs::read_dir(&self.folder)).flatten();
        let ranges = names.filter_map(|name| Range::of_name(name.ok()?.file_name().to_str()?));
        let mut ranges: Vec<_> = ranges.filter(|range| range.last <= view.head()).collect();
        ranges.sort();
        let mut files: BTreeMap<u64, Arc<IndexFile>> = BTreeMap::new();
        for range in ranges {
            // The process was killed before it removed the files that a new one replaced.
            if files.values().next_back().is_some_and(|s| s.range().last >= range.first) {
                continue;
            }
            match IndexFile::open(&self.folder, range) {
                Ok(file) => {
                    files.insert(range.first, Arc::new(file));
                }
                Err(error) => {
                    tracing::warn!(?range, "a part of the search index is built anew: {error}");
                }
            }
        }
        let followed = followed.unwrap_or_else(|| FollowedTo::head_of(view));
        *self.write() = State { files, live: None, followed, unused: Vec::new() };
    }

    /// Creates the folder, and removes useless files of earlier runs.
    pub(super) fn remove_useless_files(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let state = self.read();
        let used: BTreeSet<&Path> = state.files.values().map(|s| s.path()).collect();
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            let is_ours = entry.file_name().to_str().is_some_and(index_file::is_name);
            if is_ours && !used.contains(&*entry.path()) {
                std::fs::remove_file(entry.path())?;
            }
        }
        drop(state);
        self.save()
    }

    /// Writes the progress to disk. It does not have the changes of messages in unused files, so
    /// those files are removed first.
    pub(super) fn save(&self) -> io::Result<()> {
        let (followed, unused) = {
            let state = self.read();
            (state.followed.clone(), state.unused.clone())
        };
        self.remove(unused)?;
        followed.write(&self.folder)
    }

    /// Empties the index, because the log cannot be followed from its offset.
    pub(super) fn forget(&self, view: &View) {
        let mut state = self.write();
        let firsts: Vec<u64> = state.files.keys().copied().collect();
        for first in firsts {
            state.discard(first);
        }
        state.live = None;
        state.followed = FollowedTo::head_of(view);
    }

    /// Whether the log still has the events after the index.
    pub(super) fn can_follow(&self, view: &View) -> bool {
        self.read().followed.is_of(view)
    }

    /// The offset of the last event in the index.
    pub(super) fn offset(&self) -> u64 {
        self.read().followed.offset
    }

    /// Notes that all events up to here are in the index.
    pub(super) fn followed_to(&self, cursor: Cursor) {
        let followed = &mut self.write().followed;
        (followed.epoch, followed.offset) = (cursor.epoch.number(), cursor.offset);
    }

    /// A message was changed, and these are its new terms. The postings in memory are extended;
    /// sealed files do not change.
    pub(super) fn amended(&self, seq: u64, terms: &[SearchTerm]) {
        let mut guard = self.write();
        let state = &mut *guard;
        match &mut state.live {
            // The message is indexed later, with its new content.
            Some(live) if seq >= live.next() => {}
            Some(live) if seq >= live.first() => live.add(seq, terms),
            _ => {
                let Some(Range { first, last }) = state.range_of(seq) else { return };
                state.followed.amended.insert(seq);
                if state.followed.amended.range(first..=last).count() > MAX_AMENDED {
                    state.discard(first);
                }
            }
        }
    }

    /// A message was deleted.
    pub(super) fn deleted(&self, seq: u64) {
        let mut state = self.write();
        let Some(range) = state.range_of(seq) else { return };
        let count = state.followed.deleted.entry(range.first).or_default();
        *count += 1;
        if *count > MAX_DELETED {
            state.discard(range.first);
        }
    }

    /// Stops using a file; its messages are read from the store until it is built anew. If that
    /// happened already, the new file stays.
    pub(super) fn discard(&self, file: &Arc<IndexFile>) {
        let first = file.range().first;
        let mut state = self.write();
        if state.files.get(&first).is_some_and(|used| Arc::ptr_eq(used, file)) {
            state.discard(first);
        }
    }

    /// Drops files in which all messages are older than the oldest message of the store.
    pub(super) fn drop_before(&self, oldest: u64) {
        let mut state = self.write();
        while let Some((&first, file)) = state.files.first_key_value()
            && file.range().last < oldest
        {
            state.discard(first);
        }
    }

    /// Removes the files that are not used any more.
    pub(super) fn remove_unused(&self) -> io::Result<()> {
        let unused = self.read().unused.clone();
        self.remove(unused)
    }

    /// Only the indexer creates and removes files, so none of these can be in use again.
    fn remove(&self, unused: Vec<PathBuf>) -> io::Result<()> {
        for path in unused {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.write().unused.retain(|other| *other != path),
            }
        }
        Ok(())
    }

    /// Adds the newest messages before `stop`, each a `seq` and its terms.
    pub(super) fn extend(&self, messages: &[(u64, Vec<SearchTerm>)], stop: u64) {
        if let Some(live) = &mut self.write().live {
            for (seq, terms) in messages {
                live.add(*seq, terms);
            }
            live.reach(stop);
        }
    }

    /// The range of the messages in memory; it begins at `otherwise` if there are none.
    pub(super) fn live_from(&self, otherwise: u64) -> Range {
        let mut state = self.write();
        let sealed = state.files.last_key_value().map_or(0, |(_, s)| s.range().last + 1);
        let live = state.live.get_or_insert_with(|| Builder::new(otherwise.max(sealed)));
        Range { first: live.first(), last: live.next() }
    }

    /// The first message after the index.
    pub(super) fn end(&self) -> u64 {
        let state = self.read();
        let sealed = state.files.last_key_value().map(|(_, file)| file.range().last + 1);
        state.live.as_ref().map(Builder::next).or(sealed).unwrap_or_default()
    }

    /// Seals the messages in memory if they are full or `now` is set, and begins with an empty set.
    pub(super) fn seal_live(&self, now: bool) -> io::Result<bool> {
        let state = self.read();
        let Some(live) = state.live.as_ref().filter(|live| now || live.is_full()) else {
            return Ok(false);
        };
        let sealed = (live.next() > live.first()).then(|| IndexFile::write(&self.folder, live));
        drop(state);
        // Only the indexer changes the messages in memory.
        let sealed = sealed.transpose()?;
        let mut state = self.write();
        state.live = None;
        if let Some(file) = sealed {
            state.insert(file);
        }
        Ok(true)
    }

    /// Seals a file of older messages.
    pub(super) fn seal(&self, builder: &Builder) -> io::Result<()> {
        let file = IndexFile::write(&self.folder, builder)?;
        let mut state = self.write();
        // It contains all earlier changes.
        state.forget_changes(file.range());
        state.insert(file);
        Ok(())
    }

    /// The newest messages from `oldest` on that are missing, except those after the index.
    pub(super) fn newest_gap(&self, oldest: u64) -> Option<Range> {
        let state = self.read();
        let end = state.live.as_ref()?.first();
        gaps(state.files.values().rev().map(|s| s.range()), end, oldest).next()
    }

    /// Number of missing messages, including deleted ones.
    ///
    /// # Errors
    ///
    /// A file or the store cannot be read.
    pub fn missing(&self, view: &View) -> Result<u64> {
        let Some(oldest) = view.oldest()? else { return Ok(0) };
        let head = view.head();
        let state = self.read();
        let Some(live) = &state.live else { return Ok((head + 1).saturating_sub(oldest)) };
        let ranges = state.files.values().rev().map(|s| s.range());
        let before: u64 = gaps(ranges, live.first(), oldest).map(|g| g.last + 1 - g.first).sum();
        Ok(before + (head + 1).saturating_sub(live.next()))
    }

    /// Size of the files.
    pub fn bytes(&self) -> u64 {
        self.read().files.values().map(|file| file.bytes()).sum()
    }

    /// Snapshot for a search for these terms.
    pub(super) fn snapshot(&self, needed: &[Terms]) -> Snapshot {
        let state = self.read();
        let live = state.live.as_ref().filter(|live| live.next() > live.first()).map(|live| {
            let range = Range { first: live.first(), last: live.next() - 1 };
            (range, live.matching(needed))
        });
        Snapshot {
            files: state.files.values().rev().cloned().collect(),
            live,
            amended: state.followed.amended.clone(),
            offset: state.followed.offset,
        }
    }
}

impl State {
    /// The range of the sealed file with a message.
    fn range_of(&self, seq: u64) -> Option<Range> {
        let (_, file) = self.files.range(..=seq).next_back()?;
        Some(file.range()).filter(|range| range.last >= seq)
    }

    /// Uses a file, which may have replaced another one.
    fn insert(&mut self, file: IndexFile) {
        self.unused.retain(|path| path != file.path());
        self.files.insert(file.range().first, Arc::new(file));
    }

    fn discard(&mut self, first: u64) {
        if let Some(file) = self.files.remove(&first) {
            self.forget_changes(file.range());
            self.unused.push(file.path().to_owned());
        }
    }

    fn forget_changes(&mut self, range: Range) {
        self.followed.deleted.remove(&range.first);
        self.followed.amended.retain(|seq| !(range.first..=range.last).contains(seq));
    }
}

/// Gaps between ranges, which are given newest first, from `end` down to `oldest`.
pub(super) fn gaps(
    ranges: impl Iterator<Item = Range>,
    mut end: u64,
    oldest: u64,
) -> impl Iterator<Item = Range> {
    let lowest = std::iter::once(Range { first: oldest, last: oldest });
    let ends = ranges.map(|r| (r.first, r.last + 1)).chain(lowest.map(|r| (r.first, r.first)));
    ends.filter_map(move |(first, behind)| {
        let gap = Range { first: behind.max(oldest), last: end.wrapping_sub(1) };
        let is_gap = gap.first < end;
        end = end.min(first);
        is_gap.then_some(gap)
    })
}
