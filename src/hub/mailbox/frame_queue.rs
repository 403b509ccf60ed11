//! The frames of one session: those that wait, or the position from which it reads the store.

use super::broadcast::{Broadcast, FrameForm, HandoutSubject};
use crate::adapter::AdapterStatusChange;
use crate::hub::chunk::{Batches, ChunkMaker, batches_in_chunk};
use crate::hub::limits::SessionLimits;
use crate::metrics::METRICS;
use crate::model::subscription::Position;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The newest state of each adapter that changed, by platform and account.
pub(in crate::hub) type AdapterStates =
    BTreeMap<(String, Option<String>), Arc<AdapterStatusChange>>;

/// The batches that wait for a session that is live, bounded in number and bytes.
#[derive(Default)]
pub(super) struct FrameQueue {
    pub(super) batches: Batches,
    frames: usize,
    bytes: usize,
    /// States of adapters among them.
    adapters: AdapterStates,
    /// Everything up to here was queued, or was known when the session became live.
    pub(super) through: Position,
}

/// State of a session that is behind; its size does not grow while the client is away.
#[derive(Default)]
pub(super) struct Backlog {
    /// Everything up to here was sent.
    pub(super) delivered: Position,
    pub(super) adapters: AdapterStates,
}

impl FrameQueue {
    /// An empty queue. Everything up to a position was sent.
    pub(super) fn after(through: Position) -> Self {
        Self { through, ..Self::default() }
    }

    /// Whether the session has read it from the store already.
    pub(super) fn knows(&self, subject: HandoutSubject, form: FrameForm) -> bool {
        match subject {
            HandoutSubject::Log(through) if form.is_by_offset() => {
                through.offset <= self.through.offset
            }
            HandoutSubject::Log(through) => through.seq <= self.through.seq,
            HandoutSubject::Adapter(..) => false,
            // The session has read further in the store than the hub is, and has a newer state.
            HandoutSubject::Conversation(at) => at.offset < self.through.offset,
        }
    }

    /// Adds a handout to the queue; if it does not fit, the session falls behind.
    pub(super) fn push(
        &mut self,
        handout: &Broadcast,
        form: FrameForm,
        limits: SessionLimits,
    ) -> Option<Backlog> {
        note(&mut self.adapters, handout.subject);
        let mut delivered = self.through;
        match handout.subject {
            HandoutSubject::Log(through) => self.through = delivered.max(through),
            // Its cursor would lead back, so it is sent with the session's own cursor.
            HandoutSubject::Adapter(_, at) if at.offset < delivered.offset => {
                return Some(std::mem::take(self).overflow(delivered));
            }
            HandoutSubject::Adapter(..) | HandoutSubject::Conversation(_) => {}
        }
        for batch in (handout.batches)(form.shows_cursor()) {
            let fits = self.frames + batch.frames().len() <= limits.frames
                && self.bytes + batch.wire().len() <= limits.bytes;
            if !fits && !self.batches.is_empty() {
                delivered = batch.before.map_or(delivered, |before| before.max(delivered));
                return Some(std::mem::take(self).overflow(delivered));
            }
            self.frames += batch.frames().len();
            self.bytes += batch.wire().len();
            self.batches.push(batch.clone());
        }
        None
    }

    pub(super) fn take(&mut self) -> Batches {
        (self.frames, self.bytes) = (0, 0);
        self.adapters.clear();
        std::mem::take(&mut self.batches)
    }

    /// Takes the first batches, as many as one write takes.
    pub(super) fn take_chunk(&mut self, chunks: &mut ChunkMaker) -> Option<Bytes> {
        let count = batches_in_chunk(&self.batches);
        if count == 0 {
            return None;
        }
        let chunk = chunks.chunk(&self.batches[..count]);
        if count == self.batches.len() {
            self.take();
        } else {
            for batch in self.batches.drain(..count) {
                self.frames -= batch.frames().len();
                self.bytes -= batch.wire().len();
            }
        }
        Some(chunk)
    }

    /// Drops all batches, and keeps the position from which to read.
    pub(super) fn overflow(self, delivered: Position) -> Backlog {
        METRICS.overflows.inc();
        METRICS.sessions_behind.inc();
        Backlog { delivered: self.place_behind(delivered), adapters: self.adapters }
    }

    /// The position from which to read in the store: before the first batch that was not taken, else
    /// after `delivered`.
    pub(super) fn place_behind(&self, delivered: Position) -> Position {
        self.batches.iter().find_map(|batch| batch.before).unwrap_or(delivered)
    }
}

/// Keeps an adapter's state, because the store does not have it.
pub(super) fn note(adapters: &mut AdapterStates, subject: HandoutSubject) {
    if let HandoutSubject::Adapter(change, _) = subject {
        adapters.insert((change.platform.clone(), change.account.clone()), change.clone());
    }
}
