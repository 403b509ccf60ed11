//! The writer: one thread that turns waiting commands into commits.
//!
//! It takes all that has queued since the last commit, decides and applies it in one transaction,
//! syncs once, lets readers and listeners see it, and answers, in that order. A disk that is full
//! is noticed before redb does; after any other fault the file is opened again.

use super::keys::Idempotency;
use super::ledger::Ledger;
use super::open::{self, Opened, Writable};
use super::{Current, Error, Listener, Options, Result};
use crate::change::{self, Change, Outcome, Received};
use crate::message::{Draft, Message, Status};
use crate::metrics::METRICS;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// How long the writer waits before it tries again to open a file that failed.
const REOPEN_PAUSE: Duration = Duration::from_millis(250);

/// What somebody wants done. Times are Unix seconds.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Command {
    /// Make an outbound message.
    Create { draft: Draft, at: u64, idempotency: Option<Idempotency> },
    /// Set the status by hand.
    SetStatus { id: Uuid, status: Status, at: u64 },
    /// Delete it.
    Delete { id: Uuid },
    /// Keep what a platform told of, once.
    Receive { received: Box<Received>, at: u64 },
    /// Take in messages that were exported; what is known already stays as it is.
    Import { messages: Vec<Message> },
    /// Note a conversation's name.
    Name { platform: String, conversation: String, name: String },
    /// Give a platform to messages that named none.
    Route { seqs: Vec<u64>, platform: String, at: u64 },
    /// Claim messages for sending, those of them that still wait.
    Claim { seqs: Vec<u64>, at: u64 },
    /// Record how an attempt ended.
    Settle { seq: u64, outcome: Outcome, at: u64 },
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The message as it now is.
    Done(Message),
    /// The idempotency key made this message before, with the same body.
    Repeated(Message),
    /// The idempotency key was used with another body.
    KeyTaken,
    /// These were claimed.
    Claimed(Vec<Message>),
    /// So many were new, and so many known.
    #[allow(missing_docs)]
    Imported { new: u64, known: u64 },
    /// It was noted.
    Noted,
    /// It was deleted.
    Deleted,
    /// There is no such message.
    NotFound,
}

pub(super) struct Job {
    pub(super) command: Command,
    pub(super) answer: oneshot::Sender<Result<Answer>>,
}

pub(super) fn start(
    file: Writable,
    options: Options,
    current: Current,
    jobs: mpsc::Receiver<Job>,
    listener: Box<dyn Listener>,
) -> Result<JoinHandle<()>> {
    let writer = Writer { file: Some(file), left: None, options, current, listener };
    std::thread::Builder::new()
        .name("writer".into())
        .spawn(move || writer.run(jobs))
        .map_err(|error| Error::Open(format!("no thread for the writer: {error}")))
}

struct Writer {
    /// `None` after a fault, until the file could be opened again.
    file: Option<Writable>,
    /// What can still be read meanwhile.
    left: Option<Opened>,
    options: Options,
    current: Current,
    listener: Box<dyn Listener>,
}

impl Writer {
    fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        let mut told = None;
        loop {
            if self.file.is_none()
                && let Err(error) = self.open_again()
            {
                if told.as_ref() != Some(&error) {
                    tracing::error!("{error}");
                    told = Some(error.clone());
                }
                std::thread::sleep(REOPEN_PAUSE);
                while let Ok(job) = jobs.try_recv() {
                    let _ = job.answer.send(Err(error.clone()));
                }
                if jobs.is_closed() {
                    return;
                }
                continue;
            }
            told = None;
            if jobs.blocking_recv_many(&mut batch, self.options.batch) == 0 {
                return;
            }
            self.serve(batch.drain(..));
        }
    }

    fn serve(&mut self, batch: impl Iterator<Item = Job>) {
        let (commands, waiting): (Vec<_>, Vec<_>) =
            batch.map(|job| (job.command, job.answer)).unzip();
        match self.commit(commands) {
            Ok(answers) => {
                for (wait, answer) in waiting.into_iter().zip(answers) {
                    let _ = wait.send(Ok(answer));
                }
            }
            Err(error) => {
                METRICS.store_errors.inc();
                tracing::error!(refused = waiting.len(), "{error}");
                // Before anybody hears of it, so that who then reads finds something; why that
                // fails is told when it is tried again.
                if self.file.is_none() {
                    let _ = self.open_again();
                }
                for wait in waiting {
                    let _ = wait.send(Err(error.clone()));
                }
            }
        }
    }

    /// Carries out a batch in one transaction; all of it is on disk, or nothing.
    fn commit(&mut self, commands: Vec<Command>) -> Result<Vec<Answer>> {
        self.check_space()?;
        let file = self.file.as_ref().ok_or(Error::Absent)?;
        let done = carry_out(file, commands).and_then(|(changes, answers)| {
            if !changes.is_empty() {
                self.current.store(Some(Arc::new(file.view()?)));
                self.listener.committed(&changes);
            }
            Ok(answers)
        });
        if done.is_err() {
            // After a fault of the disk redb refuses everything until the file is opened again.
            self.close();
        }
        done.map_err(|error| match error {
            Error::Read(text) => Error::Write(text),
            other => other,
        })
    }

    fn close(&mut self) {
        if let Some(file) = self.file.take()
            && let Err(error) = file.database.close()
        {
            tracing::warn!("closing the store after a fault: {error}");
        }
    }

    fn open_again(&mut self) -> Result<()> {
        let is_there =
            self.options.medium.is_some() || self.options.path.try_exists().unwrap_or(false);
        let opened = is_there.then(|| open::open(&self.options));
        let path = self.options.path.display();
        let opened = opened.unwrap_or_else(|| {
            Err(Error::Open(format!("{path} has vanished; put it back, or restart")))
        });
        match opened.and_then(|opened| Ok((Arc::new(opened.view()?), opened))) {
            Ok((view, opened)) => {
                self.file = opened.into_database();
                self.left = None;
                let head = view.head();
                self.current.store(Some(view));
                self.listener.opened(head);
                tracing::info!("the store is open again");
                Ok(())
            }
            Err(error) => {
                self.read_on();
                Err(error)
            }
        }
    }

    /// Lets readers have what can be read meanwhile.
    fn read_on(&mut self) {
        if self.left.is_none() && self.options.medium.is_none() {
            self.left = open::open_as_it_is(&self.options).ok();
            let view = self.left.as_ref().and_then(|left| left.view().ok());
            self.current.store(view.map(Arc::new));
        }
    }

    fn check_space(&self) -> Result<()> {
        let folder = self.options.path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let Ok(disk) = rustix::fs::statvfs(folder) else { return Ok(()) };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= self.options.reserve_bytes {
            return Ok(());
        }
        Err(Error::Write(format!(
            "the disk is full: {} kB are free where {} lies, and {} kB must be; free some space",
            free / 1024,
            self.options.path.display(),
            self.options.reserve_bytes / 1024
        )))
    }
}

/// Decides and applies commands one after the other, and commits.
fn carry_out(file: &Writable, commands: Vec<Command>) -> Result<(Vec<Change>, Vec<Answer>)> {
    let began = Instant::now();
    let txn = file.database.begin_write()?;
    let mut ledger = Ledger::open(&txn, file.ids)?;
    let mut changes = Vec::with_capacity(commands.len());
    let mut answers = Vec::with_capacity(commands.len());
    for command in commands {
        let first = changes.len();
        let answer = decide(&mut ledger, command, &mut changes)?;
        for change in &changes[first..] {
            ledger.apply(change)?;
        }
        answers.push(answer);
    }
    if ledger.finish()? {
        txn.commit().map_err(|error| Error::Write(error.to_string()))?;
        METRICS.commit_changes.observe(u32::try_from(changes.len()).map_or(f64::MAX, f64::from));
        METRICS.commit_seconds.observe(began.elapsed().as_secs_f64());
    } else {
        txn.abort()?;
    }
    Ok((changes, answers))
}

/// Turns a command into changes, with the state at hand, and an answer.
fn decide(ledger: &mut Ledger, command: Command, changes: &mut Vec<Change>) -> Result<Answer> {
    match command {
        Command::Create { draft, at, idempotency } => {
            create(ledger, draft, at, idempotency, changes)
        }
        Command::Receive { received, at } => receive(ledger, *received, at, changes),
        Command::SetStatus { id, status, at } => {
            let Some(before) = ledger.by_id(id)? else { return Ok(Answer::NotFound) };
            let after = change::set_status(before.clone(), status, at);
            changes.extend(after.clone().map(Change::Updated));
            Ok(Answer::Done(after.unwrap_or(before)))
        }
        Command::Delete { id } => {
            let Some(message) = ledger.by_id(id)? else { return Ok(Answer::NotFound) };
            changes.push(Change::Deleted(message));
            Ok(Answer::Deleted)
        }
        Command::Import { messages } => import(ledger, messages, changes),
        Command::Name { platform, conversation, name } => {
            ledger.name_conversation(&platform, &conversation, &name)?;
            Ok(Answer::Noted)
        }
        Command::Route { seqs, platform, at } => {
            for seq in seqs {
                let message = ledger.by_seq(seq)?;
                let routed = message.and_then(|message| change::route(message, &platform, at));
                changes.extend(routed.map(Change::Updated));
            }
            Ok(Answer::Noted)
        }
        Command::Claim { seqs, at } => {
            let mut claimed = Vec::with_capacity(seqs.len());
            for seq in seqs {
                let message = ledger.by_seq(seq)?;
                claimed.extend(message.and_then(|message| change::claim(message, at)));
            }
            changes.extend(claimed.iter().cloned().map(Change::Updated));
            Ok(Answer::Claimed(claimed))
        }
        Command::Settle { seq, outcome, at } => {
            let Some(before) = ledger.by_seq(seq)? else { return Ok(Answer::NotFound) };
            let Some(after) = change::settle(before.clone(), outcome, at) else {
                return Ok(Answer::Done(before));
            };
            ledger.remember_sent(&after)?;
            changes.push(Change::Updated(after.clone()));
            Ok(Answer::Done(after))
        }
    }
}

fn create(
    ledger: &mut Ledger,
    draft: Draft,
    at: u64,
    idempotency: Option<Idempotency>,
    changes: &mut Vec<Change>,
) -> Result<Answer> {
    if let Some(key) = &idempotency
        && let Some((seq, same_body)) = ledger.known_key(key, at)?
    {
        if !same_body {
            return Ok(Answer::KeyTaken);
        }
        // A message that was deleted since can be made again.
        if let Some(message) = ledger.by_seq(seq)? {
            return Ok(Answer::Repeated(message));
        }
    }
    let (seq, id) = ledger.next();
    if let Some(key) = &idempotency {
        ledger.remember_key(key, seq, at)?;
    }
    let message = draft.into_message(seq, id, at);
    changes.push(Change::Created(message.clone()));
    Ok(Answer::Done(message))
}

fn receive(
    ledger: &mut Ledger,
    received: Received,
    at: u64,
    changes: &mut Vec<Change>,
) -> Result<Answer> {
    if let Some(seq) = ledger.known(&received)? {
        let Some(known) = ledger.by_seq(seq)? else { return Ok(Answer::NotFound) };
        if received.echoes(&known) {
            let outcome = Outcome::Sent {
                account: Some(received.account.clone()),
                external_id: Some(received.external_id.clone()),
            };
            changes.extend(change::settle(known.clone(), outcome, at).map(Change::Updated));
            ledger.remember_received(&received, seq)?;
        }
        return Ok(Answer::Repeated(known));
    }
    let (seq, id) = ledger.next();
    ledger.remember_received(&received, seq)?;
    let message = received.into_message(seq, id, at);
    changes.push(Change::Created(message.clone()));
    Ok(Answer::Done(message))
}

/// A message of this store goes back to its own place; any other takes the next one.
fn import(
    ledger: &mut Ledger,
    messages: Vec<Message>,
    changes: &mut Vec<Change>,
) -> Result<Answer> {
    let all = messages.len();
    let first = changes.len();
    let (mut next, _) = ledger.next();
    let mut taken = HashSet::with_capacity(all);
    for mut message in messages {
        if !taken.insert(message.id) || ledger.by_id(message.id)?.is_some() {
            continue;
        }
        message.seq = ledger.own_place(message.id).filter(|&seq| seq < next).unwrap_or(next);
        next = next.max(message.seq + 1);
        // An attempt that was under way where it came from is over; nobody can say how it ended.
        if message.status == Status::Sending {
            message.status = Status::Pending;
            message.is_uncertain = true;
        }
        ledger.remember_imported(&message)?;
        changes.push(Change::Created(message));
    }
    let new = (changes.len() - first) as u64;
    Ok(Answer::Imported { new, known: all as u64 - new })
}
