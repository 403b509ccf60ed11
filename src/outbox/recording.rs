//! Recording of outcomes, which must not be lost while the disk refuses writes.

use super::context::OutboxContext;
use crate::backoff::Backoff;
use crate::clock::now;
use crate::health::HEALTH;
use crate::model::status_rules::Outcome;
use crate::store::{Command, StoreError};
use std::time::Duration;

/// Pause before the disk is tried again.
pub(super) const DISK_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause after faults that follow each other.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The pauses before an outcome is recorded again.
const RECORD_PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// Pauses after faults that follow each other.
pub(super) fn fault_pauses() -> Backoff {
    Backoff::new(DISK_PAUSE, LONGEST_PAUSE)
}

/// Records an outcome. It must not be lost, so this is tried until the disk accepts it. If a row is damaged, it
/// cannot be recorded, and the message stays as it was. If another node leads by now, the messages that were
/// being sent here are uncertain there, and that node gets the outcome of those that were sent.
pub(super) async fn record_outcome(context: &OutboxContext, seq: u64, outcome: Outcome) {
    let [first, longest] = RECORD_PAUSES;
    let mut backoff = Backoff::new(first, longest);
    if let Outcome::Failed { reason, .. } | Outcome::Expired { reason, .. } = &outcome {
        tracing::warn!(message = seq, reason, "a message failed");
    }
    loop {
        let command = Command::RecordOutcome { seq, outcome: outcome.clone(), at: now() };
        match context.write(command).await {
            Ok(_) | Err(StoreError::Absent) => return,
            Err(_) if !context.is_in_force() => return pass_on(context, seq, outcome),
            Err(error @ StoreError::Damaged(_)) => {
                tracing::error!("the outcome of message {seq} cannot be recorded: {error}");
                HEALTH.degrade("outbox", format!("an outcome cannot be recorded: {error}"));
                // The lane finds the message unchanged, and would come here again at once.
                return tokio::time::sleep(DISK_PAUSE).await;
            }
            Err(error) => {
                tracing::error!("cannot write the outcome of message {seq}, trying again: {error}");
            }
        }
        tokio::time::sleep(backoff.pause()).await;
    }
}

/// Passes on to the leader that a message was sent; other outcomes the leader finds out by itself.
fn pass_on(context: &OutboxContext, seq: u64, outcome: Outcome) {
    let Some(late) = context.late.as_ref().filter(|_| matches!(outcome, Outcome::Sent { .. }))
    else {
        return;
    };
    match context.store.view().and_then(|view| view.by_seq(seq)) {
        Ok(Some(message)) => {
            late.pass_on(Command::RecordLate { id: message.id, outcome, at: now() });
        }
        Ok(None) => {}
        Err(error) => {
            tracing::error!("message {seq} was sent, but this could not be recorded: {error}")
        }
    }
}
