//! The store on a disk that loses its power, and on one that fails for a while.
//!
//! Real disks keep what was synced, and of the rest whatever they like: each write whole, torn at
//! a sector, or not at all. So does this one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use proptest::prelude::*;
use rechat::change::Outcome;
use rechat::message::{Draft, Message, MessageType, Status};
use rechat::store::{
    Access, Answer, Command, Error, Filter, Medium, Options, Page, Store, check::check,
};
use redb::StorageBackend;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use uuid::Uuid;

/// What a disk writes whole.
const SECTOR: usize = 512;

/// A disk that many generations of a store are opened on.
#[derive(Debug, Default)]
struct Disk {
    synced: Vec<u8>,
    /// The bytes as the machine sees them while it has power.
    seen: Vec<u8>,
    /// Writes since the last sync, in order.
    unsynced: Vec<(usize, Vec<u8>)>,
    /// Operations until the power is cut, or the fault begins.
    left: Option<u32>,
    /// Rises with each power cut: handles of before reach nothing.
    generation: u32,
}

impl Disk {
    /// Counts an operation; an error where the disk is out of order.
    fn work(&mut self, generation: u32) -> io::Result<()> {
        let is_dead = generation != self.generation || self.left == Some(0);
        if is_dead {
            return Err(io::Error::other("the disk is out of order"));
        }
        self.left = self.left.map(|left| left - 1);
        Ok(())
    }

    /// The power is cut: of what was not synced, only some of the sectors are there.
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
        self.generation += 1;
        self.left = None;
    }
}

#[derive(Debug)]
struct Handle {
    disk: Arc<Mutex<Disk>>,
    generation: u32,
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.lock().unwrap().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let disk = self.disk.lock().unwrap();
        let from = usize::try_from(offset).unwrap();
        let bytes = disk.seen.get(from..from + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        disk.work(self.generation)?;
        disk.seen.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        disk.work(self.generation)?;
        let disk = &mut *disk;
        disk.synced.resize(disk.seen.len(), 0);
        for (at, data) in disk.unsynced.drain(..) {
            if at + data.len() <= disk.synced.len() {
                disk.synced[at..at + data.len()].copy_from_slice(&data);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        disk.work(self.generation)?;
        let at = usize::try_from(offset).unwrap();
        disk.seen[at..at + data.len()].copy_from_slice(data);
        disk.unsynced.push((at, data.to_vec()));
        Ok(())
    }
}

/// A store on such a disk, and what it has acknowledged.
struct Machine {
    runtime: tokio::runtime::Runtime,
    disk: Arc<Mutex<Disk>>,
    options: Options,
    store: Option<Store>,
    /// The last state that was acknowledged; `None` where that was a deletion.
    acknowledged: HashMap<Uuid, Option<Message>>,
    /// Messages of which a change was refused: they may be as acknowledged, or one step further.
    doubtful: Vec<Uuid>,
    /// The store's folder, where free space is looked up.
    _folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let disk: Arc<Mutex<Disk>> = Arc::default();
        let medium = {
            let disk = disk.clone();
            Medium(Arc::new(move || {
                let generation = disk.lock().unwrap().generation;
                Box::new(Handle { disk: disk.clone(), generation })
            }))
        };
        let folder = TempDir::new().unwrap();
        let mut options = Options::new(folder.path().join("a.redb"), Access::Write);
        options.medium = Some(medium);
        options.cache_bytes = 1 << 20;
        let mut machine = Self {
            runtime: tokio::runtime::Runtime::new().unwrap(),
            disk,
            options,
            store: None,
            acknowledged: HashMap::new(),
            doubtful: Vec::new(),
            _folder: folder,
        };
        machine.boot();
        machine
    }

    fn boot(&mut self) {
        self.store = Some(Store::open(&self.options, Box::new(())).unwrap());
    }

    /// Gives a batch to the store at once; notes what it acknowledges, and says whether it did.
    fn write(&mut self, commands: Vec<(Option<Uuid>, Command)>) -> Result<(), Error> {
        let store = self.store.as_ref().unwrap();
        let answers: Vec<_> = self.runtime.block_on(async {
            let mut waits = Vec::new();
            for (id, command) in commands {
                let is_delete = matches!(command, Command::Delete { .. });
                waits.push((id, is_delete, store.submit(command).await));
            }
            let mut answers = Vec::new();
            for (id, is_delete, wait) in waits {
                let answer = match wait {
                    Ok(wait) => wait.await,
                    Err(error) => Err(error),
                };
                answers.push((id, is_delete, answer));
            }
            answers
        });
        let mut result = Ok(());
        for (id, is_delete, answer) in answers {
            match answer {
                Ok(Answer::Done(message)) => {
                    drop(self.acknowledged.insert(message.id, Some(message)));
                }
                Ok(Answer::Claimed(claimed)) => {
                    for message in claimed {
                        self.acknowledged.insert(message.id, Some(message));
                    }
                }
                Ok(Answer::Deleted) if is_delete => {
                    drop(self.acknowledged.insert(id.unwrap(), None));
                }
                Ok(_) => {}
                Err(error) => {
                    self.doubtful.extend(id);
                    result = Err(error);
                }
            }
        }
        result
    }

    /// Every acknowledged change is there, and everything agrees with everything.
    fn verify(&self) {
        let view = self.store.as_ref().unwrap().view().unwrap();
        for (id, wanted) in &self.acknowledged {
            if !self.doubtful.contains(id) {
                assert_eq!(&view.by_id(*id).unwrap(), wanted, "{id}");
            }
        }
        let report = check(&view).unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        assert_eq!(report.messages, view.stats().total);
    }

    /// The power is cut, and comes back.
    fn power_cut(&mut self, keeps: impl FnMut() -> bool) {
        self.disk.lock().unwrap().cut(keeps);
        self.store = None;
        self.boot();
        self.verify();
        // What was in doubt is settled now: it is as it is.
        let view = self.store.as_ref().unwrap().view().unwrap();
        for id in std::mem::take(&mut self.doubtful) {
            self.acknowledged.insert(id, view.by_id(id).unwrap());
        }
    }
}

fn create(n: usize) -> (Option<Uuid>, Command) {
    let draft = Draft::new(MessageType::Text, "x".repeat(n % 900 + 1), "group_1".into(), None);
    (None, Command::Create { draft: draft.unwrap(), at: 1_700_000_000, idempotency: None })
}

/// A batch of changes of every kind, on messages that are there.
fn batch(machine: &Machine, numbers: &[u16]) -> Vec<(Option<Uuid>, Command)> {
    let view = machine.store.as_ref().unwrap().view().unwrap();
    let page = Page { offset: 0, limit: 50, before: None };
    let there = view.list(&Filter::default(), page).unwrap();
    let at = 1_700_000_001;
    numbers
        .iter()
        .map(|&number| {
            let n = usize::from(number);
            let Some(message) = there.get(n / 8 % 50) else { return create(n) };
            let (id, seq) = (message.id, message.seq);
            let status = Status::ALL[n / 8 % 5];
            let command = match n % 8 {
                0 => Command::SetStatus { id, status, at },
                1 => Command::Delete { id },
                2 => Command::Claim { seqs: vec![seq], at },
                3 => {
                    let sent = Outcome::Sent { account: Some("1".into()), external_id: None };
                    Command::Settle { seq, outcome: sent, at }
                }
                _ => return create(n),
            };
            (Some(id), command)
        })
        .collect()
}

/// How often; more with `ROUNDS` in the environment.
fn rounds(few: u32) -> u32 {
    std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(24), ..ProptestConfig::default() })]
    #[test]
    fn a_power_cut_loses_nothing_that_was_acknowledged(
        lives in prop::collection::vec(
            (prop::collection::vec(prop::collection::vec(any::<u16>(), 1..20), 1..12), 0..150u32, any::<u64>()),
            1..4,
        ),
    ) {
        let mut machine = Machine::new();
        for (batches, until_cut, luck) in lives {
            machine.disk.lock().unwrap().left = Some(until_cut);
            for numbers in batches {
                let Ok(_) = machine.store.as_ref().unwrap().view() else { break };
                let batch = batch(&machine, &numbers);
                if machine.write(batch).is_err() {
                    break;
                }
            }
            let mut luck = luck | 1;
            machine.power_cut(move || {
                // A generator is enough: a bit of luck for each sector.
                luck ^= luck << 13;
                luck ^= luck >> 7;
                luck ^= luck << 17;
                luck & 1 == 1
            });
        }
    }
}

#[test]
fn a_disk_that_fails_is_told_of_and_gone_on_with() {
    let mut machine = Machine::new();
    for after in 0..40 {
        machine.write(vec![create(1)]).unwrap();
        machine.disk.lock().unwrap().left = Some(after);
        let mut error = None;
        for n in 0..200 {
            if let Err(failed) = machine.write(vec![create(n)]) {
                error = Some(failed.to_string());
                break;
            }
        }
        let error = error.expect("the fault is noticed");
        assert!(error.contains("store") || error.contains("Repository"), "{error}");
        machine.disk.lock().unwrap().left = None;
        // The writer opens the file again by itself.
        while machine.write(vec![create(1)]).is_err() {}
        machine.verify();
    }
}
