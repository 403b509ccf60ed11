//! The write-ahead log: commands that were acknowledged before the tables were durable.
//!
//! A batch costs one write and one sync of a file whose blocks are there already, instead of the
//! dozen pages that the tables would write. The tables follow without a sync; once they are durable
//! the log begins anew. After a crash it is carried out again, from where the tables end.
//!
//! A record: its length (4 bytes), its checksum (8), the batch's number (8), then the commands in
//! postcard; numbers are little-endian. Numbers grow by one, so what is left of an earlier round
//! ends the log as zeros do. The checksum is keyed by the store, so a log of another store is none.

use super::command::Command;
use super::file::{Part, Prepared};
use super::open::Options;
use super::{Error, Result};
use redb::StorageBackend;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::io;
use std::path::{Path, PathBuf};

/// The form of the commands in it.
const VERSION: u8 = 1;

/// Bytes before a record's commands: length, checksum, number.
const HEAD: usize = 4 + 8 + 8;

/// A log, open for writing.
#[derive(Debug)]
pub(super) struct Wal {
    options: Options,
    path: PathBuf,
    key: [u8; 16],
    /// Open as long as it is needed.
    file: Option<Prepared>,
    /// Where the next record goes.
    end: u64,
}

/// A batch of commands as the log has it; its number is filled in last.
pub(super) struct Record(Vec<u8>);

impl Record {
    /// Encodes a batch; `None` where it has something that is never logged.
    pub(super) fn of(commands: &[Command]) -> Option<Self> {
        if commands.iter().any(|command| matches!(command, Command::Import { .. })) {
            return None;
        }
        let mut bytes = vec![0; HEAD];
        bytes.push(VERSION);
        postcard::to_extend(commands, bytes).ok().map(Self)
    }
}

/// A batch that the log holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Logged {
    pub(super) number: u64,
    pub(super) commands: Vec<Command>,
}

/// Where the log of a store lies: beside it, by whatever links it is reached.
fn path_beside(store: &Path) -> PathBuf {
    let store = std::fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    let mut name = store.into_os_string();
    name.push("-wal");
    name.into()
}

impl Wal {
    /// The log of the store that has this key.
    pub(super) fn new(options: &Options, key: [u8; 16]) -> Self {
        let path = path_beside(&options.path);
        Self { options: options.clone(), path, key, file: None, end: 0 }
    }

    /// Whether nothing in it is still needed.
    pub(super) fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// Whether a record fits behind what is there.
    pub(super) fn has_room(&self, record: &Record) -> bool {
        self.end + record.0.len() as u64 <= self.options.log_bytes
    }

    /// Writes a record behind the others, and returns once it is on disk.
    pub(super) fn append(&mut self, number: u64, record: Record) -> Result<()> {
        let bytes = self.seal(number, record);
        self.write(&bytes)
            .map_err(|error| Error::Write(format!("{}: {error}", self.path.display())))
    }

    /// Begins anew: the tables hold all of it.
    pub(super) fn clear(&mut self) {
        self.end = 0;
    }

    /// Begins anew, and lets go of the file until it is needed again.
    pub(super) fn rest(&mut self) {
        self.clear();
        self.file = None;
    }

    /// Removes the file; for when the tables hold all of it and are closed.
    pub(super) fn remove(self) {
        if self.options.medium.is_none() {
            // Mostly there is none; one that stays is found to be over by its numbers.
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// What the log of before holds, oldest first.
    pub(super) fn read(&self) -> Result<Vec<Logged>> {
        let unreadable = |error: io::Error| {
            Error::Open(format!(
                "{} cannot be read: {error}\n  it holds the newest messages; make it readable, or move it away to go on without them",
                self.path.display()
            ))
        };
        self.records(&Part::read_log(&self.options, &self.path).map_err(unreadable)?)
    }

    fn records(&self, bytes: &[u8]) -> Result<Vec<Logged>> {
        let mut all: Vec<Logged> = Vec::new();
        let mut rest = bytes;
        while let Some((number, payload, behind)) = self.first(rest) {
            if all.last().is_some_and(|last| last.number + 1 != number) {
                break;
            }
            all.push(Logged { number, commands: self.commands(payload)? });
            rest = behind;
        }
        Ok(all)
    }

    /// The commands of a record that is whole: they are kept, even if nobody here understands them.
    fn commands(&self, payload: &[u8]) -> Result<Vec<Command>> {
        let known = payload.split_first().filter(|(version, _)| **version == VERSION);
        known.and_then(|(_, commands)| postcard::from_bytes(commands).ok()).ok_or_else(|| {
            Error::Open(format!(
                "{} was written by another version of rechat\n  start and stop that version once, and then this one",
                self.path.display()
            ))
        })
    }

    /// The record at the beginning, if there is a whole one: its number, its payload, and what
    /// follows it.
    fn first<'a>(&self, bytes: &'a [u8]) -> Option<(u64, &'a [u8], &'a [u8])> {
        let (len, _) = bytes.split_first_chunk()?;
        let (record, behind) = bytes.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        let (checksum, sealed) = record.get(4..)?.split_first_chunk()?;
        if u64::from_le_bytes(*checksum) != self.checksum(sealed) {
            return None;
        }
        let (number, payload) = sealed.split_first_chunk()?;
        Some((u64::from_le_bytes(*number), payload, behind))
    }

    fn seal(&self, number: u64, Record(mut bytes): Record) -> Vec<u8> {
        let len = bytes.len() as u32;
        bytes[..4].copy_from_slice(&len.to_le_bytes());
        bytes[12..HEAD].copy_from_slice(&number.to_le_bytes());
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
            let file = Part::make_log(&self.options, &self.path)?;
            if file.len()? < self.options.log_bytes {
                file.set_len(self.options.log_bytes)?;
            }
            self.file.insert(file)
        };
        file.write(self.end, bytes)?;
        file.sync_data()?;
        self.end += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::open::Access;
    use super::*;
    use crate::change::Outcome;
    use crate::message::{Draft, MessageType, Status};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn wal(key: u8) -> Wal {
        Wal::new(&Options::new("none", Access::Write), [key; 16])
    }

    fn commands(text: &str) -> Vec<Command> {
        let draft = Draft::new(MessageType::Text, text.into(), "group_1".into(), Some("qq".into()));
        let (id, status) = (Uuid::nil(), Status::Failed);
        let outcome = Outcome::Failed { reason: "it was refused".into() };
        vec![
            Command::Create { draft: draft.unwrap(), at: 7, idempotency: None },
            Command::SetStatus { id, status, at: 8 },
            Command::Delete { id },
            Command::Name { platform: "qq".into(), conversation: "1".into(), name: "One".into() },
            Command::Route { seqs: vec![3], platform: "qq".into(), at: 8 },
            Command::Claim { seqs: vec![1, 2], at: 8 },
            Command::Settle { seq: 4, outcome, at: 9 },
        ]
    }

    fn log(wal: &Wal, numbers: &[u64]) -> Vec<u8> {
        let record = |number: &u64| wal.seal(*number, Record::of(&commands("hello")).unwrap());
        numbers.iter().flat_map(record).collect()
    }

    fn numbers(wal: &Wal, bytes: &[u8]) -> Vec<u64> {
        wal.records(bytes).unwrap().iter().map(|logged| logged.number).collect()
    }

    #[test]
    fn records_read_back_up_to_what_an_earlier_round_left() {
        let wal = wal(1);
        let mut bytes = log(&wal, &[8, 9, 3, 4]);
        assert_eq!(numbers(&wal, &bytes), [8, 9]);
        assert_eq!(wal.records(&bytes).unwrap()[1].commands, commands("hello"));
        bytes.truncate(bytes.len() / 2 - 1);
        assert_eq!(numbers(&wal, &bytes), [8]);
        bytes.resize(1000, 0);
        assert_eq!(numbers(&wal, &bytes), [8]);
    }

    #[test]
    fn the_log_of_another_store_is_none() {
        assert_eq!(numbers(&wal(2), &log(&wal(1), &[1, 2])), [0; 0]);
    }

    #[test]
    fn a_whole_record_that_nobody_understands_is_not_passed_over() {
        let wal = wal(1);
        let mut record = Record::of(&commands("hello")).unwrap();
        record.0[HEAD] = VERSION + 1;
        let bytes = wal.seal(1, record);
        let Err(Error::Open(text)) = wal.records(&bytes) else { panic!("it is passed over") };
        assert!(text.contains("another version"), "{text}");
    }

    proptest! {
        #[test]
        fn a_damaged_log_ends_where_the_damage_begins(at in 0..400usize, bits in 1..=255u8) {
            let wal = wal(1);
            let whole = log(&wal, &[5, 6, 7, 8]);
            let mut bytes = whole.clone();
            let at = at % bytes.len();
            bytes[at] ^= bits;
            let intact = at / (whole.len() / 4);
            prop_assert_eq!(numbers(&wal, &bytes), (5..5 + intact as u64).collect::<Vec<_>>());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = wal(1).records(&bytes);
        }
    }
}
