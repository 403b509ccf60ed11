//! The writer: one thread that turns waiting commands into commits.
//!
//! It takes all that has queued since the last commit, has it carried out in one transaction, lets
//! readers and listeners see it, and answers, in that order. While batches follow each other the
//! write-ahead log makes them durable, and the tables once nothing more comes. A disk that is full
//! is noticed before redb does; after any other fault the file is opened again, and then it shows whether
//! the batch is stored that the fault met.

mod doubtful;
mod file_id;
mod reopened_file;
mod reporter;
mod request;

use super::command::Command;
use super::damage::guarded;
use super::error::{Result, StoreError};
use super::file::{BatchOutcome, Durability, StoreFile};
use super::listener::Listener;
use super::options::StoreOptions;
use super::role::StoreRole;
use super::view::CurrentView;
use crate::health::HEALTH;
use crate::metrics::METRICS;
use doubtful::DoubtfulBatch;
use reopened_file::ReopenedFile;
use reporter::Reporter;
use request::AnswerSender;
pub(super) use request::{ClusterRequest, WriterRequest};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// For how long nothing has to come until it is calm.
const QUIET_TIME: Duration = Duration::from_millis(100);

/// How long the writer waits before it tries again to open a file that failed.
const REOPEN_PAUSE: Duration = Duration::from_millis(250);

/// For how long after a fault commands are carried out one by one, so that one which always fails
/// takes no other with it.
const ONE_BY_ONE_TIME: Duration = Duration::from_secs(30);

/// Greatest growth of the tables for a byte of the log; with less free space there is no log.
const TABLES_PER_LOG: u64 = 8;

/// A command, and where its answer goes.
type Waiting = (Command, AnswerSender);

pub(super) fn start(
    file: StoreFile,
    options: StoreOptions,
    current: CurrentView,
    role: Arc<StoreRole>,
    jobs: mpsc::Receiver<WriterRequest>,
    listener: Box<dyn Listener>,
) -> Result<JoinHandle<()>> {
    let no_thread =
        |error| StoreError::Open(format!("cannot start a thread for the writer: {error}"));
    let timer = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let writer = WriterThread {
        file: ReopenedFile::new(file, options, current, role.clone()),
        reporter: Reporter::new(listener, role.clone()),
        timer: timer.map_err(no_thread)?,
        last: None,
        fault: None,
        role,
    };
    std::thread::Builder::new()
        .name("writer".into())
        .spawn(move || writer.run(jobs))
        .map_err(no_thread)
}

struct WriterThread {
    file: ReopenedFile,
    reporter: Reporter,
    /// For waiting with a limit; nothing runs on it.
    timer: Runtime,
    /// When the last batch was committed.
    last: Option<Instant>,
    /// When the last fault was that was none of the disk's space.
    fault: Option<Instant>,
    role: Arc<StoreRole>,
}

impl WriterThread {
    fn run(mut self, mut jobs: mpsc::Receiver<WriterRequest>) {
        let mut batch = Vec::new();
        let mut logged = None;
        loop {
            if !self.file.is_open()
                && let Err(error) = self.open_again()
            {
                if logged.as_ref() != Some(&error) {
                    tracing::error!("{error}");
                    HEALTH.degrade("store", error.to_string());
                    logged = Some(error.clone());
                }
                self.reporter.end_doubt_in_time();
                std::thread::sleep(REOPEN_PAUSE);
                while let Ok(job) = jobs.try_recv() {
                    job.refuse(error.clone());
                }
                if jobs.is_closed() {
                    return;
                }
                continue;
            }
            logged = None;
            match self.wait(&mut jobs, &mut batch) {
                Some(0) => break,
                Some(_) => self.supervised(|writer| writer.carry_out(batch.drain(..))),
                None => self.supervised(Self::checkpoint),
            }
        }
        if let Err(error) = self.file.close() {
            tracing::error!(
                "cannot close the store: {error}; the next start applies the write-ahead log"
            );
        }
    }

    /// Lives on after a panic, as after a fault: the file is opened again, and commands whose answer is
    /// lost have an unknown outcome.
    fn supervised(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            METRICS.task_panics.inc();
            tracing::error!("the store's writer panicked; the store is opened again");
            HEALTH.degrade("writer", "it panicked and was restarted; the log has the details");
            self.fault = Some(Instant::now());
            self.file.close_after_fault();
        }
    }

    /// Waits for commands, and returns how many came; 0 at the end. `None` where the tables have
    /// something to catch up with and it has become calm.
    fn wait(
        &self,
        jobs: &mut mpsc::Receiver<WriterRequest>,
        batch: &mut Vec<WriterRequest>,
    ) -> Option<usize> {
        let is_alone = self.fault.is_some_and(|fault| fault.elapsed() < ONE_BY_ONE_TIME);
        let limit = if is_alone { 1 } else { self.file.options.batch };
        if !self.file.is_behind() {
            return Some(jobs.blocking_recv_many(batch, limit));
        }
        self.timer.block_on(async { timeout(QUIET_TIME, jobs.recv_many(batch, limit)).await.ok() })
    }

    /// Makes the tables durable while no command waits.
    fn checkpoint(&mut self) {
        let file = self.file.get();
        if let Err(error) = file.and_then(|file| guarded(|| file.checkpoint())) {
            METRICS.store_errors.inc();
            tracing::error!("{error}; nothing is lost, the write-ahead log has it");
            self.file.close_after_fault();
        }
    }

    /// Carries out what came, in order; commands that follow each other share a commit.
    fn carry_out(&mut self, jobs: impl Iterator<Item = WriterRequest>) {
        let mut commands = Vec::new();
        for job in jobs {
            match job {
                WriterRequest::Command(_, Some(term), answer) if term != self.role.term() => {
                    let error = "this node lost the lead in between; nothing was stored";
                    drop(answer.send(Err(StoreError::Unavailable(error.into()))));
                }
                WriterRequest::Command(command, _, answer) => commands.push((*command, answer)),
                WriterRequest::Cluster(request) => {
                    self.serve(std::mem::take(&mut commands));
                    self.take_role(request);
                }
            }
        }
        self.serve(commands);
    }

    /// Does what the role of a node in its cluster takes.
    fn take_role(&mut self, request: ClusterRequest) {
        match request {
            ClusterRequest::Follow(answer) => {
                self.role.lead(false);
                let _ = answer.send(());
            }
            ClusterRequest::Replicate(after, batches, answer) => {
                let done = self.change(|file| file.replicate(after, batches)).map(|batches| {
                    for batch in batches {
                        self.reporter.changed(batch);
                    }
                });
                let _ = answer.send(done);
            }
            ClusterRequest::Lead { applied, after, answer } => {
                let done = self.change(|file| file.lead(applied, after));
                self.role.lead(done.is_ok());
                let _ = answer.send(done);
            }
        }
    }

    /// Changes the file as the log of the cluster has it, and shows readers the outcome.
    fn change<T>(&mut self, change: impl FnOnce(&mut StoreFile) -> Result<T>) -> Result<T> {
        self.check_file()?;
        self.file.free_space()?;
        let file = self.file.get()?;
        let done = guarded(|| change(file)).and_then(|done| {
            self.file.show()?;
            Ok(done)
        });
        match &done {
            Ok(_) => {
                self.file.reached();
                self.reporter.is_writing();
            }
            // A damaged row is damaged in a file that is opened again, too.
            Err(StoreError::Unavailable(_) | StoreError::Damaged(_)) => {}
            Err(error) => {
                METRICS.store_errors.inc();
                tracing::error!("{error}");
                self.file.close_after_fault();
            }
        }
        done
    }

    fn serve(&mut self, batch: Vec<Waiting>) {
        if batch.is_empty() {
            return;
        }
        if !self.role.is_leading() {
            let error = StoreError::Unavailable("this node does not lead the cluster".into());
            return batch.into_iter().for_each(|(_, answer)| drop(answer.send(Err(error.clone()))));
        }
        let (commands, waiting): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let is_alone = waiting.len() == 1 && self.fault.is_some();
        if let Err(error) = self.check_file() {
            return self.reporter.refuse(waiting, error, false);
        }
        let epoch = self.file.epoch();
        match self.commit(commands) {
            Ok(outcome) => match outcome.doubt.clone() {
                None => self.reporter.committed(outcome, epoch, waiting),
                Some(error) => {
                    METRICS.store_errors.inc();
                    tracing::error!(in_doubt = waiting.len(), "{error}");
                    let until = Instant::now() + self.file.options.doubt_timeout;
                    let batch = DoubtfulBatch { outcome, epoch, waiting, error, is_alone, until };
                    self.reporter.put_in_doubt(batch);
                    // The reason of a failure is logged when it is tried again.
                    let _ = self.open_again();
                }
            },
            Err(error @ (StoreError::Unavailable(_) | StoreError::Unknown(_))) => {
                tracing::warn!(refused = waiting.len(), "{error}");
                self.role.lead(false);
                for wait in waiting {
                    let _ = wait.send(Err(error.clone()));
                }
            }
            Err(error) => {
                METRICS.store_errors.inc();
                // Before the callers get the error, so that they can read then; the reason of a failure
                // is logged when it is tried again.
                if !self.file.is_open() {
                    let _ = self.open_again();
                }
                self.reporter.refuse(waiting, error, is_alone);
            }
        }
    }

    /// Carries out a batch in one transaction; all of it is on disk, or nothing.
    fn commit(&mut self, commands: Vec<Command>) -> Result<BatchOutcome> {
        let free = self.file.free_space()?;
        let StoreOptions { reserve_bytes, log_bytes, .. } = self.file.options;
        let is_calm = self.last.is_none_or(|last| last.elapsed() > QUIET_TIME);
        // Events in the log need room in the tables afterwards.
        let is_tight = free < reserve_bytes + TABLES_PER_LOG * log_bytes;
        let durability = if is_calm || is_tight { Durability::Tables } else { Durability::Log };
        let file = self.file.get()?;
        let done = guarded(|| file.commit(commands, durability));
        let shown = match &done {
            Ok(BatchOutcome { doubt: Some(error), .. }) | Err(error) => Err(error.clone()),
            Ok(done) if done.has_written => guarded(|| self.file.show_batch(done)),
            Ok(_) => Ok(()),
        };
        self.last = Some(Instant::now());
        match shown {
            // Where the log of the cluster did not take it, the file is as it was.
            Ok(()) | Err(StoreError::Unavailable(_)) => {}
            Err(error) => {
                // After a fault of the disk redb refuses everything until the file is opened again.
                self.fault = Some(Instant::now());
                self.file.close_after_fault();
                if done.as_ref().is_ok_and(|done| done.doubt.is_none()) {
                    METRICS.store_errors.inc();
                    tracing::error!(
                        "{error}; what was written is on disk, and is read once the store is open again"
                    );
                    // So that callers can read it when they are answered; the reason of a failure is logged
                    // when it is tried again.
                    let _ = self.open_again();
                }
            }
        }
        self.file.reached();
        done
    }

    /// Opens the file again after a fault, and reports the outcome of a batch that was in doubt.
    fn open_again(&mut self) -> Result<()> {
        let head = self.file.open_again()?;
        self.reporter.opened(head);
        HEALTH.recover("store");
        tracing::info!("the store is open again");
        Ok(())
    }

    /// Opens the file at the store's path if that is no longer the open one.
    fn check_file(&mut self) -> Result<()> {
        if self.file.close_if_replaced() { self.open_again() } else { Ok(()) }
    }
}
