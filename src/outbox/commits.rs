//! Changes for the outbox, from the writer's thread to the dispatcher. They are collected in a queue, so that the
//! writer never waits: the dispatcher may itself be waiting for the writer.

use super::lane_key::LaneKey;
use super::outcomes::Outcomes;
use crate::model::change::{Change, ChangeEffect};
use crate::model::message::{Direction, Status};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// The most lanes and conversations that are listed one by one. If there are more, everything is checked.
const MAX_NAMED: usize = 4096;

/// Changes since the last call.
#[derive(Debug, Default)]
pub(super) struct ChangedLanes {
    /// Everything may have changed.
    pub(super) everything: bool,
    /// Lanes in which something changed; the value says whether something no longer waits there.
    pub(super) lanes: HashMap<LaneKey, bool>,
    /// Conversations that received a message. They are known now, and may be open again.
    pub(super) known: HashSet<LaneKey>,
}

/// Queue of changes for the dispatcher.
#[derive(Debug, Default)]
pub(super) struct ChangeQueue {
    changed: Mutex<ChangedLanes>,
    came: Notify,
}

impl ChangeQueue {
    /// Waits for changes, and takes them. May be dropped while it waits.
    pub(super) async fn next(&self) -> ChangedLanes {
        self.came.notified().await;
        std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the dispatcher check everything.
    pub(super) fn look_at_everything(&self) {
        self.add(|changed| changed.everything = true);
    }

    fn add(&self, add: impl FnOnce(&mut ChangedLanes)) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut changed);
        if changed.lanes.len() + changed.known.len() > MAX_NAMED {
            *changed = ChangedLanes { everything: true, ..ChangedLanes::default() };
        }
        let is_any = changed.everything || !changed.lanes.is_empty() || !changed.known.is_empty();
        drop(changed);
        if is_any {
            self.came.notify_one();
        }
    }
}

/// The writer's end, which gets every commit.
pub struct CommitObserver {
    pub(super) changes: Arc<ChangeQueue>,
    pub(super) outcomes: Arc<Outcomes>,
}

impl CommitObserver {
    /// The store was opened, perhaps after a fault, so waiting messages may differ from the
    /// reported ones.
    pub fn opened(&self) {
        self.changes.look_at_everything();
        self.outcomes.attempt_ended();
    }

    /// Passes on the relevant changes. Never waits.
    pub fn committed(&self, changes: &[Change]) {
        for change in changes {
            match &change.effect {
                ChangeEffect::StatusChanged(message) | ChangeEffect::AttemptEnded(message)
                    if message.direction == Direction::Outbound =>
                {
                    self.outcomes.tell(message);
                }
                ChangeEffect::Deleted(message) => self.outcomes.deleted(message),
                _ => {}
            }
        }
        self.changes.add(|changed| changes.iter().for_each(|change| changed.note(&change.effect)));
    }
}

impl ChangedLanes {
    fn note(&mut self, effect: &ChangeEffect) {
        let Some(message) = effect.message() else { return };
        if message.direction == Direction::Inbound {
            if matches!(effect, ChangeEffect::Created(_) | ChangeEffect::PutBack(_)) {
                self.known.insert(LaneKey::of(message));
            }
            return;
        }
        let (matters, is_taken_back) = match effect {
            ChangeEffect::Created(_) | ChangeEffect::PutBack(_) => {
                (message.status == Status::Pending, false)
            }
            ChangeEffect::StatusChanged(_)
            | ChangeEffect::AttemptEnded(_)
            | ChangeEffect::Updated(_) => (
                !matches!(message.status, Status::Sending | Status::Sent),
                message.status != Status::Pending,
            ),
            ChangeEffect::Deleted(_) => (true, true),
            ChangeEffect::ConversationChanged { .. } | ChangeEffect::Noticed(_) => (false, false),
        };
        if matters {
            *self.lanes.entry(LaneKey::of(message)).or_default() |= is_taken_back;
        }
    }
}
