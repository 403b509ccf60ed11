//! Recording of outcomes, which must not be forgotten while the disk refuses.

use crate::clock::now;
use crate::model::change::Outcome;
use crate::store::{self, Command, Store};
use std::time::Duration;

/// Records an outcome, however often the disk has to be asked: it must not be forgotten.
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
                return tracing::error!("the outcome of message {seq} cannot be recorded: {error}");
            }
            Err(error) => {
                tracing::error!("the outcome of message {seq} waits for the disk: {error}");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}
