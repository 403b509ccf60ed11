//! Recording of outcomes, which must not be forgotten while the disk refuses.

use crate::clock::now;
use crate::health::HEALTH;
use crate::model::change::Outcome;
use crate::store::{self, Command, Store};
use std::time::Duration;

/// Pause before the disk is tried again.
pub(super) const DISK_PAUSE: Duration = Duration::from_millis(500);

/// Records an outcome, however often the disk has to be asked: it must not be forgotten. One that meets
/// damage cannot be recorded, and the message is as it was.
pub(super) async fn record_outcome(store: &Store, seq: u64, outcome: Outcome) {
    let mut pause = Duration::from_millis(100);
    if let Outcome::Failed { reason, .. } | Outcome::Expired { reason, .. } = &outcome {
        tracing::warn!(message = seq, reason, "a message failed");
    }
    loop {
        let command = Command::RecordOutcome { seq, outcome: outcome.clone(), at: now() };
        match store.write(command).await {
            Ok(_) | Err(store::StoreError::Absent) => return,
            Err(error @ store::StoreError::Damaged(_)) => {
                tracing::error!("the outcome of message {seq} cannot be recorded: {error}");
                HEALTH.degrade("outbox", format!("an outcome cannot be recorded: {error}"));
                // A lane finds the message unchanged, and would be here again at once.
                return tokio::time::sleep(DISK_PAUSE).await;
            }
            Err(error) => {
                tracing::error!("the outcome of message {seq} waits for the disk: {error}");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}
