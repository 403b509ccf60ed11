//! The dispatcher: runs a task for each lane with messages that can be sent.

use super::commits::ChangedLanes;
use super::context::OutboxContext;
use super::lane::{Lane, LaneEnd};
use super::lane_key::LaneKey;
use super::recording::fault_pauses;
use super::recovery::recover;
use super::unreadable::cannot_read;
use crate::adapter::conversations_of;
use crate::backoff::Backoff;
use crate::health::HEALTH;
use crate::metrics::METRICS;
use crate::model::message::Status;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::{self, JoinSet};

/// A lane as the dispatcher sees it.
enum LaneState {
    /// Its task runs; `has_changed` says that something changed since the task began.
    Running { wake: Arc<Notify>, has_changed: bool },
    /// No adapter can take its messages now, or the conversation is closed.
    Waiting,
}

pub(super) struct Dispatcher {
    context: OutboxContext,
    lanes: HashMap<LaneKey, LaneState>,
    /// Lanes without a platform, by the conversations that their recipient may mean.
    unrouted: HashMap<String, HashSet<LaneKey>>,
    tasks: JoinSet<LaneEnd>,
    /// The lane of each task.
    running: HashMap<task::Id, LaneKey>,
    /// Pauses of lanes that have panicked, several times in a row.
    panics: HashMap<LaneKey, Backoff>,
}

impl Dispatcher {
    pub(super) fn new(context: OutboxContext) -> Self {
        Self {
            context,
            lanes: HashMap::new(),
            unrouted: HashMap::new(),
            tasks: JoinSet::new(),
            running: HashMap::new(),
            panics: HashMap::new(),
        }
    }

    /// Finds the lanes of all waiting messages, and checks them.
    pub(super) fn begin(&mut self) {
        self.try_all();
        for key in self.waiting() {
            self.look_at(key, false);
        }
    }

    /// The lanes with waiting messages, as far as they can be read.
    fn waiting(&self) -> HashSet<LaneKey> {
        let mut keys = HashSet::new();
        let read = self.context.store.view().and_then(|view| {
            for message in view.outbound(Status::Pending)? {
                keys.insert(LaneKey::of(&message?));
            }
            Ok(())
        });
        if let Err(error) = read {
            cannot_read("a part of what waits", &error);
        }
        keys
    }

    /// Handles changes from commits.
    pub(super) fn take(&mut self, changed: ChangedLanes) {
        if changed.everything {
            return self.begin();
        }
        for (key, is_taken_back) in changed.lanes {
            self.look_at(key, is_taken_back);
        }
        for known in changed.known {
            // A message without a platform may have one now.
            for key in self.unrouted.get(&known.recipient).cloned().unwrap_or_default() {
                self.look_at(key, true);
            }
            // A conversation that was closed may be open now.
            if self.lanes.contains_key(&known) {
                self.look_at(known, true);
            }
        }
    }

    /// Checks every lane, because an adapter may have connected or disconnected.
    pub(super) fn try_all(&mut self) {
        for key in self.lanes.keys().cloned().collect::<Vec<_>>() {
            self.look_at(key, true);
        }
    }

    /// Waits for a task to end; `false` if there is none.
    pub(super) async fn end_one(&mut self) -> bool {
        let Some(ended) = self.tasks.join_next_with_id().await else { return false };
        self.ended(ended);
        true
    }

    /// Waits until all tasks have ended, after the outbox was stopped.
    pub(super) async fn end_all(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// Checks a lane in which something changed; with `anew`, also if it waits for an adapter.
    fn look_at(&mut self, key: LaneKey, anew: bool) {
        match self.lanes.get_mut(&key) {
            Some(LaneState::Running { wake, has_changed }) => {
                *has_changed = true;
                wake.notify_one();
            }
            Some(LaneState::Waiting) if !anew => {}
            Some(LaneState::Waiting) | None => self.start(key),
        }
    }

    fn start(&mut self, key: LaneKey) {
        if key.platform.is_none() {
            for conversation in Self::conversations(&key) {
                self.unrouted.entry(conversation).or_default().insert(key.clone());
            }
        }
        let wake = Arc::new(Notify::new());
        let lane = Lane::new(key.clone(), self.context.clone(), wake.clone());
        self.spawn(key, wake, lane.run());
    }

    fn spawn(
        &mut self,
        key: LaneKey,
        wake: Arc<Notify>,
        work: impl Future<Output = LaneEnd> + Send + 'static,
    ) {
        self.lanes.insert(key.clone(), LaneState::Running { wake, has_changed: false });
        self.running.insert(self.tasks.spawn(work).id(), key);
    }

    /// The conversations that a lane without a platform may mean.
    fn conversations(key: &LaneKey) -> HashSet<String> {
        conversations_of(&key.recipient).chain([key.recipient.clone()]).collect()
    }

    fn ended(&mut self, ended: Result<(task::Id, LaneEnd), task::JoinError>) {
        let id = ended.as_ref().map_or_else(task::JoinError::id, |(id, _)| *id);
        let Some(key) = self.running.remove(&id) else { return };
        let end = match ended {
            Ok((_, end)) => end,
            Err(error) => return self.restart(key, &error),
        };
        let state = self.lanes.get(&key);
        match end {
            _ if matches!(state, Some(LaneState::Running { has_changed: true, .. })) => {
                self.start(key);
            }
            LaneEnd::Rested => self.start(key),
            LaneEnd::Empty => {
                self.panics.remove(&key);
                self.forget(&key);
            }
            LaneEnd::Waiting => {
                self.panics.remove(&key);
                self.lanes.insert(key, LaneState::Waiting);
            }
        }
    }

    fn forget(&mut self, key: &LaneKey) {
        self.lanes.remove(key);
        if key.platform.is_none() {
            for conversation in Self::conversations(key) {
                if let Some(keys) = self.unrouted.get_mut(&conversation) {
                    keys.remove(key);
                    if keys.is_empty() {
                        self.unrouted.remove(&conversation);
                    }
                }
            }
        }
    }

    /// A lane panicked: the outcome of its attempts is unknown; then the lane is started again, after a
    /// pause that grows each time.
    fn restart(&mut self, key: LaneKey, error: &task::JoinError) {
        METRICS.task_panics.inc();
        tracing::error!("sending to {} panicked and starts anew: {error}", key.recipient);
        HEALTH.degrade("sending", "it panicked and was started anew; the log has the details");
        let pause = self.panics.entry(key.clone()).or_insert_with(fault_pauses).pause();
        let (context, lane) = (self.context.clone(), key.clone());
        self.spawn(key, Arc::default(), async move {
            recover(&context, Some(&lane)).await;
            context.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            LaneEnd::Rested
        });
    }
}
