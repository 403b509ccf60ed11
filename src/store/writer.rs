//! The writer: one thread that turns waiting commands into commits.
//!
//! It takes all that has queued since the last commit, has it carried out in one transaction, lets
//! readers and listeners see it, and answers, in that order. While batches follow each other the
//! write-ahead log makes them durable, and the tables once nothing more comes. A disk that is full
//! is noticed before redb does; after any other fault the file is opened again, and then it shows whether
//! the batch is stored that the fault met.

use super::command::{Answer, Command};
use super::damage::guarded;
use super::error::{Result, StoreError};
use super::file::{BatchOutcome, Durability, StoreFile};
use super::listener::Listener;
use super::open::{self, Opened};
use super::options::StoreOptions;
use super::role::StoreRole;
use super::view::View;
use crate::health::HEALTH;
use crate::log::SharedBatch;
use crate::log::disk::forget_cached;
use crate::log::file::path_beside;
use crate::metrics::METRICS;
use crate::model::change::Committed;
use crate::model::cursor::{Cursor, Epoch};
use arc_swap::ArcSwapOption;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// For how long nothing has to come until it is calm.
const QUIET_TIME: Duration = Duration::from_millis(100);

/// How long the writer waits before it tries again to open a file that failed.
const REOPEN_PAUSE: Duration = Duration::from_millis(250);

/// How long callers wait for a file that failed to be opened again, to hear what is stored.
const DOUBT_TIMEOUT: Duration = Duration::from_secs(1);

/// For how long after a fault commands are carried out one by one, so that one which always fails
/// takes no other with it.
const ONE_BY_ONE_TIME: Duration = Duration::from_secs(30);

/// Greatest growth of the tables for a byte of the log; with less free space there is no log.
const TABLES_PER_LOG: u64 = 8;

/// The commit that readers see: the newest, or none while the store is away.
pub(super) type Current = Arc<ArcSwapOption<View>>;

/// Something for the writer to do.
pub(super) enum WriterRequest {
    /// Carry out a command, where a term is given only while the store leads in that.
    Command(Box<Command>, Option<u64>, oneshot::Sender<Result<Answer>>),
    /// Apply what was read from the log of the cluster, behind the batch at a place.
    Replicate(u64, Vec<SharedBatch>, oneshot::Sender<Result<()>>),
    /// Begin to lead the cluster, behind a message of its log; the last whole batch is to be applied.
    Lead { applied: u64, after: u64, answer: oneshot::Sender<Result<()>> },
    /// Lead no longer.
    Follow(oneshot::Sender<()>),
}

impl WriterRequest {
    fn refuse(self, error: StoreError) {
        match self {
            Self::Command(_, _, answer) => drop(answer.send(Err(error))),
            Self::Replicate(_, _, answer) | Self::Lead { answer, .. } => {
                drop(answer.send(Err(error)));
            }
            Self::Follow(answer) => drop(answer.send(())),
        }
    }
}

/// Where an answer goes.
type AnswerSender = oneshot::Sender<Result<Answer>>;

/// A command, and where its answer goes.
type Waiting = (Command, AnswerSender);

/// A batch that the disk failed to make durable; the log or the tables may have it all the same.
struct DoubtfulBatch {
    outcome: BatchOutcome,
    epoch: Epoch,
    waiting: Vec<AnswerSender>,
    error: StoreError,
    /// The only command, not long after another fault.
    is_alone: bool,
    /// Until when the callers wait.
    until: Instant,
}

impl DoubtfulBatch {
    /// Whether a file that ends with this event has the batch; `None` where it goes on otherwise, because
    /// more of it is damaged.
    fn is_stored(&self, end: Cursor) -> Option<bool> {
        let (first, last) = (*self.outcome.events.start(), *self.outcome.events.end());
        if end == (Cursor { epoch: self.epoch, offset: last }) {
            return Some(true);
        }
        (end.offset + 1 == first).then_some(false)
    }
}

pub(super) fn start(
    file: StoreFile,
    options: StoreOptions,
    current: Current,
    role: Arc<StoreRole>,
    jobs: mpsc::Receiver<WriterRequest>,
    listener: Box<dyn Listener>,
) -> Result<JoinHandle<()>> {
    let no_thread = |error| StoreError::Open(format!("no thread for the writer: {error}"));
    let timer = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let writer = WriterThread {
        file: Some(file),
        left: None,
        opened_as: FileId::of(&options),
        doubtful: None,
        timer: timer.map_err(no_thread)?,
        answering: Handle::try_current().ok(),
        last: None,
        fault: None,
        is_refusing: false,
        options,
        current,
        role,
        listener,
    };
    std::thread::Builder::new()
        .name("writer".into())
        .spawn(move || writer.run(jobs))
        .map_err(no_thread)
}

struct WriterThread {
    /// `None` after a fault, until the file could be opened again.
    file: Option<StoreFile>,
    /// Which file is open.
    opened_as: Option<FileId>,
    /// The store for reading meanwhile.
    left: Option<Opened>,
    /// The batch that the fault met.
    doubtful: Option<DoubtfulBatch>,
    /// For waiting with a limit; nothing runs on it.
    timer: Runtime,
    /// The runtime of those who wait for answers, where there is one.
    answering: Option<Handle>,
    /// When the last batch was committed.
    last: Option<Instant>,
    /// When the last fault was that was none of the disk's space.
    fault: Option<Instant>,
    /// The last batch was refused as a whole.
    is_refusing: bool,
    options: StoreOptions,
    current: Current,
    role: Arc<StoreRole>,
    listener: Box<dyn Listener>,
}

impl WriterThread {
    fn run(mut self, mut jobs: mpsc::Receiver<WriterRequest>) {
        let mut batch = Vec::new();
        let mut told = None;
        loop {
            if self.file.is_none()
                && let Err(error) = self.open_again()
            {
                if told.as_ref() != Some(&error) {
                    tracing::error!("{error}");
                    HEALTH.degrade("store", error.to_string());
                    told = Some(error.clone());
                }
                self.doubtful_for_long();
                std::thread::sleep(REOPEN_PAUSE);
                while let Ok(job) = jobs.try_recv() {
                    job.refuse(error.clone());
                }
                if jobs.is_closed() {
                    return;
                }
                continue;
            }
            told = None;
            match self.wait(&mut jobs, &mut batch) {
                Some(0) => break,
                Some(_) => self.supervised(|writer| writer.carry_out(batch.drain(..))),
                None => self.supervised(Self::checkpoint),
            }
        }
        if let Some(Err(error)) = self.file.map(|file| guarded(|| file.close())) {
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
            self.close();
        }
    }

    /// Waits for commands, and says how many came; 0 at the end. `None` where the tables have
    /// something to catch up with and it has become calm.
    fn wait(
        &self,
        jobs: &mut mpsc::Receiver<WriterRequest>,
        batch: &mut Vec<WriterRequest>,
    ) -> Option<usize> {
        let is_alone = self.fault.is_some_and(|fault| fault.elapsed() < ONE_BY_ONE_TIME);
        let limit = if is_alone { 1 } else { self.options.batch };
        if !self.file.as_ref().is_some_and(StoreFile::is_behind) {
            return Some(jobs.blocking_recv_many(batch, limit));
        }
        self.timer.block_on(async { timeout(QUIET_TIME, jobs.recv_many(batch, limit)).await.ok() })
    }

    /// Makes the tables durable while no command waits.
    fn checkpoint(&mut self) {
        let done = self.file.as_mut().map_or(Ok(()), |file| guarded(|| file.checkpoint()));
        if let Err(error) = done {
            METRICS.store_errors.inc();
            tracing::error!("{error}; nothing is lost, the write-ahead log has it");
            self.close();
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
                other => {
                    self.serve(std::mem::take(&mut commands));
                    self.run_cluster_job(other);
                }
            }
        }
        self.serve(commands);
    }

    /// Does what the part of a node in its cluster takes.
    fn run_cluster_job(&mut self, job: WriterRequest) {
        match job {
            WriterRequest::Command(..) => {}
            WriterRequest::Follow(answer) => {
                self.role.lead(false);
                let _ = answer.send(());
            }
            WriterRequest::Replicate(after, batches, answer) => {
                let done = self.change(|file| file.replicate(after, batches));
                let told = done.map(|told| {
                    for batch in told.into_iter().filter(|batch| !batch.changes.is_empty()) {
                        self.listener.committed(Arc::new(batch));
                    }
                });
                let _ = answer.send(told);
            }
            WriterRequest::Lead { applied, after, answer } => {
                let done = self.change(|file| file.lead(applied, after));
                self.role.lead(done.is_ok());
                let _ = answer.send(done);
            }
        }
    }

    /// Changes the file as the log of the cluster has it, and shows readers the outcome.
    fn change<T>(&mut self, change: impl FnOnce(&mut StoreFile) -> Result<T>) -> Result<T> {
        self.check_place()?;
        self.free_space()?;
        let file = self.file.as_mut().ok_or(StoreError::Absent)?;
        let done = guarded(|| change(file)).and_then(|done| {
            self.current.store(Some(Arc::new(file.view()?)));
            Ok(done)
        });
        match &done {
            Ok(_) => {
                self.reached();
                if std::mem::take(&mut self.is_refusing) {
                    HEALTH.recover("writing");
                }
            }
            // A damaged row is damaged in a file that is opened again, too.
            Err(StoreError::Unavailable(_) | StoreError::Damaged(_)) => {}
            Err(error) => {
                METRICS.store_errors.inc();
                tracing::error!("{error}");
                self.close();
            }
        }
        done
    }

    fn reached(&self) {
        if let Some(shared) = self.file.as_ref().and_then(|file| file.shared.as_ref()) {
            self.role.reach(shared.stream_seq());
        }
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
        if let Err(error) = self.check_place() {
            return self.refuse(waiting, error, false);
        }
        let epoch = self.file.as_ref().map_or_else(Epoch::default, |file| file.context.epoch);
        match self.commit(commands) {
            Ok(outcome) => match outcome.doubt.clone() {
                None => self.committed(outcome, epoch, waiting),
                Some(error) => {
                    METRICS.store_errors.inc();
                    tracing::error!(in_doubt = waiting.len(), "{error}");
                    let until = Instant::now() + DOUBT_TIMEOUT;
                    let batch = DoubtfulBatch { outcome, epoch, waiting, error, is_alone, until };
                    self.doubtful = Some(batch);
                    // Why that fails is told when it is tried again.
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
                // Before anybody hears of it, so that who then reads finds something; why that
                // fails is told when it is tried again.
                if self.file.is_none() {
                    let _ = self.open_again();
                }
                self.refuse(waiting, error, is_alone);
            }
        }
    }

    /// Tells listeners and callers that a batch is stored.
    fn committed(&mut self, outcome: BatchOutcome, epoch: Epoch, waiting: Vec<AnswerSender>) {
        if std::mem::take(&mut self.is_refusing) {
            HEALTH.recover("writing");
        }
        let BatchOutcome { changes, answers, .. } = outcome;
        if !changes.is_empty() {
            self.listener.committed(Arc::new(Committed { epoch, changes }));
        }
        self.answer(waiting, answers);
    }

    /// Tells callers that nothing of their batch is stored.
    fn refuse(&mut self, waiting: Vec<AnswerSender>, error: StoreError, is_alone: bool) {
        tracing::error!(refused = waiting.len(), "{error}");
        HEALTH.degrade("writing", error.to_string());
        self.is_refusing = true;
        // A command that alone meets a damaged page will always meet it.
        let error = match error {
            StoreError::Corrupt(_) if is_alone => StoreError::Damaged(error.to_string()),
            error => not_written(error),
        };
        let error = self.elsewhere(error);
        for wait in waiting {
            let _ = wait.send(Err(error.clone()));
        }
    }

    /// Tells the callers of a batch that was in doubt whether it is stored, from the newest event of the
    /// file.
    fn answer_doubtful(&mut self, end: Cursor) {
        let Some(batch) = self.doubtful.take() else { return };
        match batch.is_stored(end) {
            Some(true) => {
                tracing::info!("the commands that the fault met are stored");
                self.committed(batch.outcome, batch.epoch, batch.waiting);
            }
            Some(false) => self.refuse(batch.waiting, batch.error, batch.is_alone),
            None => self.refuse(batch.waiting, unknown(batch.error), false),
        }
    }

    /// Ends the wait for a file that cannot be opened again.
    fn doubtful_for_long(&mut self) {
        if let Some(batch) = self.doubtful.take_if(|batch| Instant::now() >= batch.until) {
            self.refuse(batch.waiting, unknown(batch.error), false);
        }
    }

    /// The error of a node's own disk, which is not that of others: one of them leads then.
    fn elsewhere(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Write(text) if self.role.is_of_a_node() => {
                self.role.lead(false);
                StoreError::Unavailable(format!("{text}; this node leads no longer"))
            }
            error => error,
        }
    }

    /// Gives each its answer. From one task, for waking a task from this thread costs far more than from
    /// a thread of its runtime.
    fn answer(&self, waiting: Vec<AnswerSender>, answers: Vec<Result<Answer>>) {
        let answer = move || {
            for (wait, answer) in waiting.into_iter().zip(answers) {
                let _ = wait.send(answer.map_err(not_written));
            }
        };
        match &self.answering {
            Some(runtime) => drop(runtime.spawn(async { answer() })),
            None => answer(),
        }
    }

    /// Carries out a batch in one transaction; all of it is on disk, or nothing.
    fn commit(&mut self, commands: Vec<Command>) -> Result<BatchOutcome> {
        let free = self.free_space()?;
        let file = self.file.as_mut().ok_or(StoreError::Absent)?;
        let is_calm = self.last.is_none_or(|last| last.elapsed() > QUIET_TIME);
        // Events in the log need room in the tables afterwards.
        let is_tight = free < self.options.reserve_bytes + TABLES_PER_LOG * self.options.log_bytes;
        let durability = if is_calm || is_tight { Durability::Tables } else { Durability::Log };
        let done = guarded(|| file.commit(commands, durability));
        let view = match &done {
            Ok(BatchOutcome { doubt: Some(error), .. }) | Err(error) => Err(error.clone()),
            Ok(done) if done.has_written => guarded(|| file.view()).map(Some),
            Ok(_) => Ok(None),
        };
        self.last = Some(Instant::now());
        match view {
            // Where the log of the cluster did not take it, the file is as it was.
            Ok(None) | Err(StoreError::Unavailable(_)) => {}
            Ok(Some(view)) => self.current.store(Some(Arc::new(view))),
            Err(error) => {
                // After a fault of the disk redb refuses everything until the file is opened again.
                self.fault = Some(Instant::now());
                self.close();
                if done.as_ref().is_ok_and(|done| done.doubt.is_none()) {
                    METRICS.store_errors.inc();
                    tracing::error!(
                        "{error}; what was written is on disk, and is read once the store is open again"
                    );
                    // So that who is answered can read it; why that fails is told when it is tried again.
                    let _ = self.open_again();
                }
            }
        }
        self.reached();
        done
    }

    fn close(&mut self) {
        if self.options.shared_log.is_some() {
            self.role.lead(false);
        }
        if let Some(file) = self.file.take()
            && let Err(error) = guarded(|| file.abandon())
        {
            tracing::warn!("closing the store after a fault: {error}");
        }
    }

    fn open_again(&mut self) -> Result<()> {
        let opened = guarded(|| {
            let opened = self.open_there()?;
            Ok((Arc::new(opened.view()?), opened))
        });
        match opened {
            Ok((view, opened)) => {
                self.file = opened.into_writable();
                self.opened_as = FileId::of(&self.options);
                self.reached();
                self.left = None;
                let head = view.position();
                self.current.store(Some(view));
                self.listener.opened(head);
                self.answer_doubtful(head.cursor);
                HEALTH.recover("store");
                tracing::info!("the store is open again");
                Ok(())
            }
            Err(error) => {
                self.read_on();
                Err(error)
            }
        }
    }

    /// Opens what lies at the store's path if that is no longer the open file: what is written to one that
    /// was removed or replaced is lost at the next start.
    fn check_place(&mut self) -> Result<()> {
        if FileId::of(&self.options) == self.opened_as {
            return Ok(());
        }
        tracing::error!(
            "the file {} was removed or replaced while the server runs; it is opened again",
            self.options.path.display()
        );
        self.close();
        self.open_again()
    }

    fn open_there(&self) -> Result<Opened> {
        let path = &self.options.path;
        if self.options.storage.is_none() {
            if !path.try_exists().unwrap_or(false) {
                let path = path.display();
                return Err(StoreError::Open(format!(
                    "{path} has vanished; put it back, or restart"
                )));
            }
            // A repair needs space, too.
            self.free_space()?;
            forget_cached(path);
            forget_cached(&path_beside(path));
        }
        // It is looked at again soon; those who ask are not to wait for it.
        open::open(&StoreOptions { patience: Duration::ZERO, ..self.options.clone() })
    }

    /// Opens what can be read for readers in the meantime.
    fn read_on(&mut self) {
        if self.left.is_none() && self.options.storage.is_none() {
            self.left = guarded(|| open::open_as_it_is(&self.options)).ok();
            let view = self.left.as_ref().and_then(|left| left.view().ok());
            self.current.store(view.map(Arc::new));
        }
    }

    /// Bytes that are free where the store lies; an error where they are too few to go on.
    fn free_space(&self) -> Result<u64> {
        // The file itself, for the folder of its path may hold but a link to it.
        let Ok(disk) = rustix::fs::statvfs(&self.options.path) else { return Ok(u64::MAX) };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= self.options.reserve_bytes {
            return Ok(free);
        }
        Err(StoreError::Write(format!(
            "the disk is full: {} kB are free where {} lies, and {} kB must be; free some space",
            free / 1024,
            self.options.path.display(),
            self.options.reserve_bytes / 1024
        )))
    }
}

/// A file, whatever its name: its device and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    /// The file at the store's path; `None` if there is none, or it is no file of a disk.
    fn of(options: &StoreOptions) -> Option<Self> {
        if options.storage.is_some() {
            return None;
        }
        let found = std::fs::metadata(&options.path).ok()?;
        Some(Self(found.dev(), found.ino()))
    }
}

/// The error of a batch that may be stored.
fn unknown(error: StoreError) -> StoreError {
    match not_written(error) {
        StoreError::Write(text) => {
            StoreError::Write(format!("{text}; whether it was stored is unknown"))
        }
        error => error,
    }
}

/// For a writer, an error of reading is a reason why the change was not written.
fn not_written(error: StoreError) -> StoreError {
    match error {
        StoreError::Read(text) => StoreError::Write(text),
        StoreError::Corrupt(_) => StoreError::Write(error.to_string()),
        other => other,
    }
}
