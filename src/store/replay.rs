//! Applies a batch of the log to the tables.

use super::error::{Result, StoreError};
use super::transaction::{Transaction, TransactionContext};
use crate::log::Batch;
use crate::model::change::Change;
use crate::model::event::Event;
use redb::WriteTransaction;

/// Treatment of an event that needs a damaged row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DamagePolicy {
    /// The event is skipped and logged, because nothing better is available.
    PassOver,
    /// Nothing of the batch is applied, because a copy of another node is better.
    Refuse,
}

/// Outcome of applying a batch of the log.
pub(super) struct Applied {
    /// Changes for listeners.
    pub(super) changes: Vec<Change>,
    /// The number of events that needed a damaged row.
    pub(super) passed_over: u64,
}

/// Applies a batch of the log.
pub(super) fn apply(
    txn: &WriteTransaction,
    context: &TransactionContext,
    batch: Batch,
    at_damage: DamagePolicy,
) -> Result<Applied> {
    let mut passed_over = 0;
    let mut state = Transaction::open(txn, context, batch.at)?;
    // There may be a gap before the batch, if the log was damaged.
    state.begin_at(batch.first, batch.epoch, &batch.events)?;
    let mut changes = Vec::with_capacity(batch.events.len());
    for event in batch.events {
        match state.load(&event) {
            Ok(()) => changes.extend(state.apply(event, None)?),
            Err(StoreError::Damaged(text)) if at_damage == DamagePolicy::PassOver => {
                let offset = state.pass_over();
                passed_over += 1;
                tracing::error!(
                    offset,
                    kind = kind(&event),
                    "skipped a log event that needs a damaged row: {text}"
                );
            }
            Err(error) => return Err(error),
        }
    }
    state.finish()?;
    Ok(Applied { changes, passed_over })
}

/// The kind of an event, for the program's log, which must not have content of messages.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Opened { .. } => "opened",
        Event::Created { .. } => "created",
        Event::Changed { .. } => "changed",
        Event::Routed { .. } => "routed",
        Event::PlatformSeen { .. } => "platform seen",
        Event::Recognized { .. } => "recognized",
        Event::ContentSet { .. } => "content set",
        Event::ReplyFound { .. } => "reply found",
        Event::Recalled { .. } => "recalled",
        Event::Reacted { .. } => "reacted",
        Event::Noticed { .. } => "noticed",
        Event::RequestAnswered { .. } => "request answered",
        Event::Deleted { .. } => "deleted",
        Event::ConversationNamed { .. } => "conversation named",
        Event::ConversationRead { .. } => "conversation read",
        Event::ConversationSet { .. } => "conversation set",
        Event::Quarantined { .. } => "quarantined",
        Event::Released { .. } => "released",
        Event::Forgotten(_) => "forgotten",
        Event::AdapterState(_) => "adapter state",
        Event::RawEvent(_) => "raw event",
        Event::RecalledEarly(_) => "recalled early",
        Event::RecallsLapsed { .. } => "recalls lapsed",
        Event::PartSent { .. } => "part sent",
        Event::KeysLapsed { .. } => "idempotency keys lapsed",
    }
}
