//! Reports of what became of a batch, to listeners and to callers.

use super::doubtful::DoubtfulBatch;
use super::request::AnswerSender;
use crate::health::HEALTH;
use crate::model::change::Committed;
use crate::model::cursor::{Cursor, Epoch};
use crate::store::command::Answer;
use crate::store::error::{Result, StoreError};
use crate::store::file::BatchOutcome;
use crate::store::listener::{Head, Listener};
use crate::store::role::StoreRole;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Reports to listeners and callers what became of each batch.
pub(super) struct Reporter {
    listener: Box<dyn Listener>,
    role: Arc<StoreRole>,
    /// The runtime of those who wait for answers, if there is one.
    answering: Option<Handle>,
    /// The batch that a fault met, until the file is open again.
    doubtful: Option<DoubtfulBatch>,
    /// The last batch was refused as a whole.
    is_refusing: bool,
}

impl Reporter {
    pub(super) fn new(listener: Box<dyn Listener>, role: Arc<StoreRole>) -> Self {
        let answering = Handle::try_current().ok();
        Self { listener, role, answering, doubtful: None, is_refusing: false }
    }

    /// The file is open again: tells listeners, and the callers of a batch that was in doubt.
    pub(super) fn opened(&mut self, head: Head) {
        self.listener.opened(head);
        self.answer_doubtful(head.cursor);
    }

    /// A batch is stored.
    pub(super) fn committed(
        &mut self,
        outcome: BatchOutcome,
        epoch: Epoch,
        waiting: Vec<AnswerSender>,
    ) {
        self.is_writing();
        let BatchOutcome { changes, answers, .. } = outcome;
        self.changed(Committed { epoch, changes });
        self.answer(waiting, answers);
    }

    /// Tells listeners of changes.
    pub(super) fn changed(&mut self, batch: Committed) {
        if !batch.changes.is_empty() {
            self.listener.committed(Arc::new(batch));
        }
    }

    /// Writing succeeds.
    pub(super) fn is_writing(&mut self) {
        if std::mem::take(&mut self.is_refusing) {
            HEALTH.recover("writing");
        }
    }

    /// Tells callers that nothing of their batch is stored.
    pub(super) fn refuse(&mut self, waiting: Vec<AnswerSender>, error: StoreError, is_alone: bool) {
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

    /// Keeps a batch whose outcome shows once the file is open again.
    pub(super) fn put_in_doubt(&mut self, batch: DoubtfulBatch) {
        self.doubtful = Some(batch);
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
    pub(super) fn end_doubt_in_time(&mut self) {
        if let Some(batch) = self.doubtful.take_if(|batch| batch.has_timed_out()) {
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
}

/// The error of a batch that may be stored.
fn unknown(error: StoreError) -> StoreError {
    match not_written(error) {
        StoreError::Write(text) => {
            StoreError::InDoubt(format!("{text}; whether it was stored is unknown"))
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
