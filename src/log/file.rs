//! The log in a file: batches that were acknowledged before the tables were durable.
//!
//! A batch costs one write and one sync of a file whose blocks are there already, instead of the
//! dozen pages that the tables would write. The tables follow without a sync; once they are durable
//! the file begins anew. After a crash its events are applied again, from where the tables end.
//! Where it cannot be written, the tables do without it.
//!
//! A record: its length (4 bytes), its checksum (8), the offset of its first event (8), then the
//! payload; numbers are little-endian. Offsets only grow, so records that an earlier round left in
//! the file have lower offsets. The checksum is keyed by the store, so records of another store are
//! not valid here. A record that cannot be read ends the log, as after a torn write. If a valid
//! record with a higher offset follows, the unreadable one is damage, and the log goes on there.

use super::disk::{PreallocatedFile, StorageFactory, StoreFileKind, make_private, rename_durably};
use super::encoding::{HEAD, LogRecord, decode_payload};
use super::{Batch, Contents, Log, LogError, Result};
use crate::clock::now;
use crate::metrics::METRICS;
use crate::model::cursor::Epoch;
use redb::StorageBackend;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::io;
use std::path::{Path, PathBuf};

/// The most events that a damaged part of the file can have had: more than fit into it.
const MAX_GAP: u64 = 1 << 24;

/// A log in a file, open for writing.
#[derive(Debug)]
pub struct FileLog {
    path: PathBuf,
    storage: Option<StorageFactory>,
    key: [u8; 16],
    /// The length of the file.
    max_bytes: u64,
    /// Open from the first record on.
    file: Option<PreallocatedFile>,
    /// Offset in the file of the next record.
    end: u64,
    /// The newest event in it, and its epoch.
    newest: Option<(u64, Epoch)>,
    /// Whether the last record could not be written; logged once.
    is_refused: bool,
}

/// Path of the log: next to the store's file, after following symbolic links.
pub fn path_beside(store: &Path) -> PathBuf {
    let store = std::fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    let mut name = store.into_os_string();
    name.push("-wal");
    name.into()
}

/// Why a log is kept beside the store: the word in the name of the file.
const KEPT_AS: [&str; 5] = ["damaged", "does-not-follow", "foreign", "missing", "passed-over"];

/// Logs of a store that were damaged or did not belong to it, and are kept beside it.
pub fn kept_beside(store: &Path) -> Vec<PathBuf> {
    let log = path_beside(store);
    let (Some(folder), Some(name)) = (log.parent(), log.file_name()) else { return Vec::new() };
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    let is_kept = |path: &PathBuf| {
        let end = path.file_name().and_then(|found| {
            found.to_str()?.strip_prefix(name.to_str()?)?.strip_prefix('.')?.split_once('.')
        });
        end.is_some_and(|(why, at)| KEPT_AS.contains(&why) && at.parse::<u64>().is_ok())
    };
    let all = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    let mut kept: Vec<_> = all.filter(is_kept).collect();
    kept.sort_unstable();
    kept
}

/// A whole record: the offset it begins with, and its payload.
type Whole<'a> = (u64, &'a [u8]);

/// Places between records that cannot be read.
#[derive(Default)]
struct Gaps {
    /// In words.
    told: Vec<String>,
    /// One lies before the first record that counts, and can have held all that came before that.
    begin: bool,
}

/// The payload of a record, and its number.
type NumberedPayload = (u64, Vec<u8>);

impl FileLog {
    /// The log of the store with this path and key.
    pub fn new(
        store: &Path,
        storage: Option<StorageFactory>,
        key: [u8; 16],
        max_bytes: u64,
    ) -> Self {
        Self {
            path: path_beside(store),
            storage,
            key,
            max_bytes,
            file: None,
            end: 0,
            newest: None,
            is_refused: false,
        }
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        StoreFileKind::read_log(self.storage.as_ref(), &self.path).map_err(|error| {
            LogError(format!(
                "{} cannot be read: {error}\n  it holds the newest messages; make it readable, or move it away to go on without them",
                self.path.display()
            ))
        })
    }

    /// The payloads of records from a number on, in the format of versions before events; and the places
    /// that cannot be read, in words.
    pub(crate) fn payloads(&self, from: u64) -> Result<(Vec<NumberedPayload>, Vec<String>)> {
        let (bytes, mut found) = (self.bytes()?, Vec::new());
        let gaps = self.each_record(from, &bytes, "batches", |number, payload| {
            if number >= from {
                found.push((number, payload.to_vec()));
            }
            Ok(number.checked_add(1))
        })?;
        Ok((found, gaps.told))
    }

    fn contents(&self, from: u64, bytes: &[u8]) -> Result<Contents> {
        let mut contents = Contents::default();
        let mut has_any = false;
        let gaps = self.each_record(from, bytes, "events", |first, payload| {
            let Some(batch) = self.batch(first, payload)? else { return Ok(None) };
            has_any = true;
            let end = batch.end();
            if end > from {
                contents.batches.push(batch);
            }
            Ok(Some(end))
        })?;
        (contents.damage, contents.begins_damaged) = (gaps.told, gaps.begin);
        contents.is_foreign = !has_any && self.is_foreign(from, bytes);
        Ok(contents)
    }

    /// Gives each whole record to `take`, from the beginning on; that says which number the next one
    /// has, or that there is none. Gives the gaps between them.
    fn each_record<'b>(
        &self,
        from: u64,
        bytes: &'b [u8],
        what: &str,
        mut take: impl FnMut(u64, &'b [u8]) -> Result<Option<u64>>,
    ) -> Result<Gaps> {
        let mut gaps = Gaps::default();
        let (mut at, mut next) = (0, None);
        loop {
            let record = self.record(bytes, at);
            let here = record.filter(|((first, _), _)| next.is_none_or(|next| *first == next));
            if let Some(((first, payload), behind)) = here {
                let Some(end) = take(first, payload)? else { break };
                (at, next) = (behind, Some(end));
                continue;
            }
            // Torn, of an earlier round, or damaged.
            let expected = next.unwrap_or(from).max(from);
            let Some((found, first)) = self.find_later(bytes, at, expected) else { break };
            if first > expected {
                gaps.told.push(format!(
                    "{}: bytes {at} to {found} cannot be read, which held the {what} {expected} to {}",
                    self.path.display(),
                    first - 1
                ));
                // Each of them takes a byte at least.
                let can_hold_all = first - expected <= (found - at) as u64;
                gaps.begin |= next.is_none_or(|next| next <= from) && can_hold_all;
            }
            (at, next) = (found, Some(first));
        }
        Ok(gaps)
    }

    /// Whether the file has content, but no record of this store, not even of an earlier round.
    fn is_foreign(&self, from: u64, bytes: &[u8]) -> bool {
        self.record(bytes, 0).is_none()
            && bytes.iter().any(|byte| *byte != 0)
            && self.find_later(bytes, 0, from.saturating_sub(MAX_GAP)).is_none()
    }

    /// The first valid record after `at` whose offset is `expected` or a bit later: its position,
    /// and its offset.
    fn find_later(&self, bytes: &[u8], at: usize, expected: u64) -> Option<(usize, u64)> {
        // After the written part the file is mostly zeros.
        let mut written = bytes;
        while let Some(rest) = written.strip_suffix(&[0; 4096]) {
            written = rest;
        }
        let end = bytes.len().saturating_sub(HEAD).min(written.len());
        (at + 1..end).find_map(|place| {
            let number = bytes[place + 12..place + HEAD].try_into().map(u64::from_le_bytes).ok()?;
            // Checked first, because it is cheap and hardly ever right by chance.
            if !(expected..=expected.saturating_add(MAX_GAP)).contains(&number) {
                return None;
            }
            self.record(bytes, place).map(|_| (place, number))
        })
    }

    /// The batch of a valid record. The record is kept even if this version cannot decode it.
    fn batch(&self, first: u64, payload: &[u8]) -> Result<Option<Batch>> {
        decode_payload(first, payload).map_err(|()| {
            LogError(format!(
                "{} was written by another version of rechat\n  start and stop that version once, and then this one",
                self.path.display()
            ))
        })
    }

    /// The valid record at a position, if there is one, and the position after it.
    fn record<'a>(&self, bytes: &'a [u8], at: usize) -> Option<(Whole<'a>, usize)> {
        let rest = bytes.get(at..)?;
        let (len, _) = rest.split_first_chunk()?;
        let len = u32::from_le_bytes(*len) as usize;
        let (checksum, sealed) = rest.get(4..len)?.split_first_chunk()?;
        if u64::from_le_bytes(*checksum) != self.checksum(sealed) {
            return None;
        }
        let (number, payload) = sealed.split_first_chunk()?;
        Some(((u64::from_le_bytes(*number), payload), at + len))
    }

    fn seal(&self, first: u64, record: LogRecord) -> Vec<u8> {
        let mut bytes = record.bytes;
        let len = bytes.len() as u32;
        bytes[..4].copy_from_slice(&len.to_le_bytes());
        bytes[12..HEAD].copy_from_slice(&first.to_le_bytes());
        let checksum = self.checksum(&bytes[12..]);
        bytes[4..12].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn checksum(&self, sealed: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(sealed);
        hasher.finish()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let file = StoreFileKind::make_log(self.storage.as_ref(), &self.path)?;
            if file.len()? < self.max_bytes {
                file.set_len(self.max_bytes)?;
            }
            self.file.insert(file)
        };
        file.write(self.end, bytes)?;
        file.sync_data()?;
        self.end += bytes.len() as u64;
        Ok(())
    }
}

impl Log for FileLog {
    fn has_room(&self, record: &LogRecord) -> bool {
        self.end + record.bytes.len() as u64 <= self.max_bytes
    }

    fn append(&mut self, expected: u64, record: LogRecord) -> bool {
        if self.newest.is_some_and(|(newest, _)| newest + 1 != expected) {
            tracing::error!(expected, newest = ?self.newest, "the write-ahead log ends at another offset than the tables expect");
            return false;
        }
        let newest = Some((expected + record.count - 1, record.epoch));
        let bytes = self.seal(expected, record);
        let written = self.write(&bytes);
        match &written {
            Ok(()) => self.newest = newest,
            Err(error) => {
                METRICS.store_errors.inc();
                if !self.is_refused {
                    tracing::error!(
                        "{}: {error}; each batch goes into the tables at once meanwhile, which is slower",
                        self.path.display()
                    );
                }
                self.file = None;
            }
        }
        self.is_refused = written.is_err();
        !self.is_refused
    }

    fn begins(&self) -> Option<u64> {
        self.file.is_none().then_some(self.max_bytes)
    }

    fn read(&self, from: u64) -> Result<Contents> {
        let bytes = self.bytes()?;
        let mut contents = self.contents(from, &bytes)?;
        contents.bytes = bytes.len() as u64;
        contents.is_blank = bytes.iter().all(|byte| *byte == 0);
        Ok(contents)
    }

    fn head(&self) -> Option<u64> {
        self.newest.map(|(offset, _)| offset)
    }

    fn epoch(&self) -> Option<Epoch> {
        self.newest.map(|(_, epoch)| epoch)
    }

    fn clear(&mut self) {
        (self.end, self.newest) = (0, None);
    }

    fn keep_aside(&self, why: &str) -> Result<PathBuf> {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{why}.{}", now()));
        let aside = PathBuf::from(name);
        if self.storage.is_none() {
            // Not a copy: a copy needs space on a disk that may be full, and could be lost in a
            // power cut.
            let kept = match rename_durably(&self.path, &aside) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => make_private(&aside),
                kept => kept,
            };
            kept.map_err(|error| {
                LogError(format!(
                    "{} cannot be renamed to {}: {error}\n  move it away by hand",
                    self.path.display(),
                    aside.display()
                ))
            })?;
        }
        Ok(aside)
    }

    fn remove(&mut self) {
        self.file = None;
        if self.storage.is_none() {
            // Usually there is none; if one stays, its offsets show that it is obsolete.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoding::tests::every_event;
    use super::*;
    use proptest::prelude::*;

    fn log(key: u8) -> FileLog {
        FileLog::new(Path::new("none"), None, [key; 16], 1 << 20)
    }

    /// A record of two events that begins at an offset.
    fn record(log: &FileLog, first: u64) -> Vec<u8> {
        let mut record = LogRecord::new(Epoch::new(1), 9);
        for event in &every_event()[..2] {
            record.push(event, None).unwrap();
        }
        log.seal(first, record)
    }

    fn bytes(log: &FileLog, firsts: &[u64]) -> Vec<u8> {
        firsts.iter().flat_map(|first| record(log, *first)).collect()
    }

    fn firsts(contents: &Contents) -> Vec<u64> {
        contents.batches.iter().map(|batch| batch.first).collect()
    }

    #[test]
    fn records_read_back_up_to_what_an_earlier_round_left() {
        let log = log(1);
        let mut bytes = bytes(&log, &[8, 10, 3, 5]);
        let contents = log.contents(8, &bytes).unwrap();
        assert_eq!(firsts(&contents), [8, 10]);
        assert_eq!(contents.batches[1].events, every_event()[..2]);
        assert_eq!(contents.damage, [""; 0]);
        bytes.truncate(bytes.len() / 2 - 1);
        assert_eq!(firsts(&log.contents(8, &bytes).unwrap()), [8]);
        bytes.resize(bytes.len() + 1000, 0);
        assert_eq!(firsts(&log.contents(8, &bytes).unwrap()), [8]);
        // Events that the tables have already are skipped.
        assert_eq!(firsts(&log.contents(10, &bytes).unwrap()), [0; 0]);
    }

    #[test]
    fn the_log_of_another_store_is_none() {
        let bytes = bytes(&log(1), &[1, 3]);
        let none = Contents { is_foreign: true, ..Contents::default() };
        assert_eq!(log(2).contents(1, &bytes).unwrap(), none);
        // Zeros are no log, and records of an earlier round belong to this store.
        let mut left = vec![0; 100];
        assert_eq!(log(1).contents(9, &left).unwrap(), Contents::default());
        left.extend(bytes);
        assert_eq!(log(1).contents(9, &left).unwrap(), Contents::default());
    }

    #[test]
    fn a_gap_before_the_first_record_is_damage_only_where_it_can_have_held_what_is_missing() {
        let log = log(1);
        let mut bytes = bytes(&log, &[5, 7]);
        bytes[20] ^= 1;
        let contents = log.contents(5, &bytes).unwrap();
        assert_eq!((firsts(&contents), contents.begins_damaged), (vec![7], true));
        let older = log.contents(7_u64.saturating_sub(6), &bytes).unwrap();
        assert!(older.begins_damaged, "six events can have been there");
        let mut bytes = super::tests::bytes(&log, &[900_000, 900_002]);
        bytes[20] ^= 1;
        let contents = log.contents(5, &bytes).unwrap();
        assert_eq!((firsts(&contents), contents.begins_damaged), (vec![900_002], false));
    }

    #[test]
    fn logs_that_are_kept_are_found_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("a.redb");
        for name in ["a.redb", "a.redb-wal", "a.redb-wal.before-0.3", "b.redb-wal.damaged.5"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        assert!(kept_beside(&store).is_empty());
        let log = FileLog::new(&store, None, [1; 16], 1 << 20);
        let damaged = log.keep_aside("damaged").unwrap();
        let missing = log.keep_aside("missing").unwrap();
        assert_eq!(kept_beside(&store), [damaged, missing.clone()]);
        assert_eq!(std::fs::read(missing).unwrap(), b"", "there was none");
    }

    #[test]
    fn a_whole_record_that_nobody_understands_is_not_passed_over() {
        let log = log(1);
        let mut record = LogRecord::new(Epoch::new(1), 9);
        record.bytes[HEAD] += 1;
        let bytes = log.seal(1, record);
        let Err(LogError(text)) = log.contents(1, &bytes) else { panic!("it is passed over") };
        assert!(text.contains("another version"), "{text}");
    }

    proptest! {
        #[test]
        fn only_the_damaged_record_is_lost_and_it_is_named(at: prop::sample::Index, bit in 0..8u32) {
            let log = log(1);
            let all = [5, 7, 9, 11];
            let mut bytes = bytes(&log, &all);
            let len = bytes.len() / all.len();
            // After it are records of an earlier round.
            bytes.extend(record(&log, 1));
            let at = at.index(len * all.len());
            bytes[at] ^= 1 << bit;
            let contents = log.contents(5, &bytes).unwrap();
            let lost = all[at / len];
            let left: Vec<_> = all.into_iter().filter(|first| *first != lost).collect();
            prop_assert_eq!(firsts(&contents), left);
            // It is unknown whether the last record was torn.
            let is_told = contents.damage.iter().any(|text| text.contains(&format!("events {lost} to")));
            prop_assert_eq!(is_told, lost != 11, "{:?}", contents.damage);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = log(1).contents(1, &bytes);
        }
    }
}
