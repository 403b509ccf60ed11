//! The write-ahead log: commands that were acknowledged before the tables were durable.
//!
//! A batch costs one write and one sync of a file whose blocks are there already, instead of the
//! dozen pages that the tables would write. The tables follow without a sync; once they are durable
//! the log begins anew. After a crash it is carried out again, from where the tables end. Where it
//! cannot be written, the tables do without it.
//!
//! A record: its length (4 bytes), its checksum (8), the batch's number (8), then the commands in
//! postcard; numbers are little-endian. Numbers grow by one, so what is left of an earlier round
//! ends the log as zeros do, and what the tables hold is known by its number. The checksum is keyed
//! by the store, so a log of another store is none.

use super::command::Command;
use super::file::{Part, Prepared};
use super::open::Options;
use super::{Error, Result};
use crate::clock::now;
use crate::metrics::METRICS;
use redb::StorageBackend;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::io;
use std::path::{Path, PathBuf};

/// The form of the commands in it.
const VERSION: u8 = 2;

/// Bytes before a record's commands: length, checksum, number.
const HEAD: usize = 4 + 8 + 8;

/// A log, open for writing.
#[derive(Debug)]
pub(super) struct Wal {
    options: Options,
    path: PathBuf,
    key: [u8; 16],
    /// Open from the first record on.
    file: Option<Prepared>,
    /// Where the next record goes.
    end: u64,
    /// Whether the last record could not be written, which is told once.
    is_refused: bool,
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
pub(super) fn path_beside(store: &Path) -> PathBuf {
    let store = std::fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    let mut name = store.into_os_string();
    name.push("-wal");
    name.into()
}

impl Wal {
    /// The log of the store that has this key.
    pub(super) fn new(options: &Options, key: [u8; 16]) -> Self {
        let path = path_beside(&options.path);
        Self { options: options.clone(), path, key, file: None, end: 0, is_refused: false }
    }

    /// Whether nothing in it is still needed.
    pub(super) fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// Whether a record fits behind what is there.
    pub(super) fn has_room(&self, record: &Record) -> bool {
        self.end + record.0.len() as u64 <= self.options.log_bytes
    }

    /// Writes a record behind the others; whether it is on disk. Where it is not, it may be there
    /// all the same: the batch must be made durable by the tables, under its number, or be refused.
    pub(super) fn append(&mut self, number: u64, record: Record) -> bool {
        let bytes = self.seal(number, record);
        let written = self.write(&bytes);
        if let Err(error) = &written {
            METRICS.store_errors.inc();
            if !self.is_refused {
                let path = self.path.display();
                tracing::error!(
                    "{path}: {error}; each batch goes into the tables at once meanwhile, which is slower"
                );
            }
            self.file = None;
        }
        self.is_refused = written.is_err();
        !self.is_refused
    }

    /// Begins anew: the tables hold all of it.
    pub(super) fn clear(&mut self) {
        self.end = 0;
    }

    /// Removes the file; for when the tables hold all of it.
    pub(super) fn remove(&mut self) {
        self.file = None;
        if self.options.medium.is_none() {
            // Mostly there is none; one that stays is found to be over by its numbers.
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// Puts a file that does not follow the tables out of the way, and says where it is then.
    pub(super) fn set_aside(&mut self) -> Result<PathBuf> {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{}", now()));
        let aside = PathBuf::from(name);
        if self.options.medium.is_none() {
            std::fs::rename(&self.path, &aside).map_err(|error| {
                Error::Open(format!(
                    "{} does not follow the store and cannot be moved away: {error}\n  move it away by hand",
                    self.path.display()
                ))
            })?;
        }
        Ok(aside)
    }

    /// Whether there is something in it beyond a batch.
    pub(super) fn goes_beyond(&self, batch: u64) -> Result<bool> {
        Ok(!self.read(batch + 1)?.is_empty())
    }

    /// What the log of before holds from a number on, oldest first.
    pub(super) fn read(&self, from: u64) -> Result<Vec<Logged>> {
        let unreadable = |error: io::Error| {
            Error::Open(format!(
                "{} cannot be read: {error}\n  it holds the newest messages; make it readable, or move it away to go on without them",
                self.path.display()
            ))
        };
        self.records(from, &Part::read_log(&self.options, &self.path).map_err(unreadable)?)
    }

    fn records(&self, from: u64, bytes: &[u8]) -> Result<Vec<Logged>> {
        let (mut all, mut rest, mut next) = (Vec::new(), bytes, None);
        while let Some((number, payload, behind)) = self.first(rest) {
            if next.is_some_and(|next| next != number) {
                break;
            }
            if number >= from {
                all.push(Logged { number, commands: self.commands(payload)? });
            }
            (next, rest) = (number.checked_add(1), behind);
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
    use crate::model::change::{Inbound, Outcome};
    use crate::model::message::{Draft, MessageType, Sender, Status};
    use crate::model::routing::RoutingFacts;
    use crate::store::Idempotency;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn wal(key: u8) -> Wal {
        Wal::new(&Options::new("none", Access::Write), [key; 16])
    }

    fn commands(text: &str) -> Vec<Command> {
        let draft = Draft::new(MessageType::Text, text.into(), "group_1".into(), Some("qq".into()));
        let (id, status) = (Uuid::nil(), Status::Failed);
        let outcome = Outcome::Failed { reason: "it was refused".into(), is_uncertain: false };
        vec![
            Command::Create {
                draft: draft.unwrap(),
                at: 7,
                idempotency: None,
                facts: RoutingFacts::default(),
            },
            Command::SetStatus { id, status, at: 8 },
            Command::Delete { id },
            Command::Name { platform: "qq".into(), conversation: "1".into(), name: "One".into() },
            Command::Route { messages: vec![(3, RoutingFacts::default())], at: 8 },
            Command::Claim { seqs: vec![1, 2], account: Some("1".into()), at: 8 },
            Command::RecordOutcome { seq: 4, outcome, at: 9 },
        ]
    }

    /// Every kind of command, each part of it said; never changed without a new [`VERSION`].
    fn every_command() -> Vec<Command> {
        let received = Inbound {
            platform: "qq".into(),
            account: "1".into(),
            conversation: "g".into(),
            conversation_name: Some("G".into()),
            sender: Sender { id: "2".into(), name: "Ann".into() },
            message_type: MessageType::Image,
            content: "c".into(),
            external_id: "e".into(),
            time: 5,
            own: true,
            from_history: false,
            original: Some("o".into()),
        };
        let draft = Draft::new(MessageType::Text, "hi".into(), "g".into(), None).unwrap();
        let sent = Outcome::Sent { account: Some("1".into()), external_id: None };
        let again = Outcome::Retry { reason: "r".into(), is_uncertain: true };
        let record_outcome = |outcome| Command::RecordOutcome { seq: 4, outcome, at: 9 };
        let mut all = commands("hello");
        all.extend([
            Command::Create {
                draft,
                at: 7,
                idempotency: Some(Idempotency { key: 1, body: 300 }),
                facts: RoutingFacts::default(),
            },
            Command::SeePlatform { platform: "qq".into(), kind: "onebot11".into() },
            Command::Receive { received: Box::new(received), at: 6, can_wait: true },
            record_outcome(sent),
            record_outcome(again),
            record_outcome(Outcome::NotAttempted),
        ]);
        all
    }

    #[test]
    fn what_is_written_stays_readable() {
        let bytes = Record::of(&every_command()).unwrap().0.split_off(HEAD);
        let text = bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        assert_eq!(text, include_str!("../../tests/fixtures/store/wal-2.hex").trim_end());
    }

    fn log(wal: &Wal, numbers: &[u64]) -> Vec<u8> {
        let record = |number: &u64| wal.seal(*number, Record::of(&commands("hello")).unwrap());
        numbers.iter().flat_map(record).collect()
    }

    fn numbers(wal: &Wal, bytes: &[u8]) -> Vec<u64> {
        wal.records(0, bytes).unwrap().iter().map(|logged| logged.number).collect()
    }

    #[test]
    fn records_read_back_up_to_what_an_earlier_round_left() {
        let wal = wal(1);
        let mut bytes = log(&wal, &[8, 9, 3, 4]);
        assert_eq!(numbers(&wal, &bytes), [8, 9]);
        assert_eq!(wal.records(0, &bytes).unwrap()[1].commands, commands("hello"));
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
        let Err(Error::Open(text)) = wal.records(0, &bytes) else { panic!("it is passed over") };
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
            let _ = wal(1).records(0, &bytes);
        }
    }
}
