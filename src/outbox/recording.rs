//! Recording of outcomes, which must not be forgotten while the disk refuses.

use super::context::OutboxContext;
use crate::clock::now;
use crate::health::HEALTH;
use crate::model::change::Outcome;
use crate::store::{Command, StoreError};
use std::time::Duration;

/// Pause before the disk is tried again.
pub(super) const DISK_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause after faults that follow each other.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The pause after a fault that so many others came before, in a row.
pub(super) fn growing_pause(before: u32) -> Duration {
    DISK_PAUSE.saturating_mul(2_u32.saturating_pow(before)).min(LONGEST_PAUSE)
}

/// Records an outcome, however often the disk has to be asked: it must not be forgotten. One that meets
/// damage cannot be recorded, and the message is as it was. Once another node leads, that one has put in
/// doubt what was being sent here, and is told of what was sent.
pub(super) async fn record_outcome(context: &OutboxContext, seq: u64, outcome: Outcome) {
    let mut pause = Duration::from_millis(100);
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
                // A lane finds the message unchanged, and would be here again at once.
                return tokio::time::sleep(DISK_PAUSE).await;
            }
            Err(error) => {
                tracing::error!("cannot write the outcome of message {seq}, trying again: {error}");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Tells the leader what was sent here; anything else it finds out by itself.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_a_minute() {
        let seconds: Vec<_> = [0, 1, 2, 6, 7, 300].map(|n| growing_pause(n).as_millis()).into();
        assert_eq!(seconds, [500, 1_000, 2_000, 32_000, 60_000, 60_000]);
    }
}
