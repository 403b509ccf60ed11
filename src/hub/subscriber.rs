//! A session's side of the hub: what it wants, and the next frames for it.

use super::mailbox::{Batches, Found, Mailbox, Missed, Seam, SeqSet};
use super::{Hub, State};
use crate::hub::frame::{self, Batch, Frame};
use crate::hub::replay::{Replay, TooManyReplays};
use crate::model::subscription::{Names, Subscription, Topic};
use crate::store::{self, Store, View};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Messages read from the store at a time.
const CHUNK_MESSAGES: usize = 256;

/// Bytes of content read from the store at a time, roughly.
const CHUNK_BYTES: usize = 256 << 10;

/// How long to wait before asking again for a store that is away.
const STORE_PAUSE: Duration = Duration::from_millis(250);

/// A session that watches.
pub struct Subscriber {
    hub: Arc<Hub>,
    session: u64,
    mailbox: Arc<Mailbox>,
    wanted: Subscription,
    wants_status: bool,
    /// Where it is in the journal, while it is behind.
    replay: Option<Replay>,
    /// Changes of state that it missed and that are being told.
    changed: SeqSet,
}

/// Why a wish to subscribe is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// More pairs than a session may have.
    TooManyPairs {
        /// How many it may have.
        limit: usize,
    },
    /// It went back in time too often before it had caught up.
    TooManyReplays,
    /// `since` lies beyond the newest message.
    BeyondHead {
        /// The newest message.
        head: u64,
    },
}

impl From<TooManyReplays> for Refused {
    fn from(_: TooManyReplays) -> Self {
        Self::TooManyReplays
    }
}

impl Subscriber {
    pub(super) fn new(hub: Arc<Hub>, session: u64, head: u64) -> Self {
        Self {
            hub,
            session,
            mailbox: Arc::new(Mailbox::new(head)),
            wanted: Subscription::default(),
            wants_status: false,
            replay: None,
            changed: SeqSet::default(),
        }
    }

    /// Adds the product of two lists, from now on or from `since` on.
    pub fn subscribe(
        &mut self,
        platforms: &Names,
        conversations: &Names,
        since: Option<u64>,
    ) -> Result<(), Refused> {
        let limit = self.hub.limits.pairs;
        if self.wanted.len().saturating_add(Subscription::product(platforms, conversations)) > limit
        {
            return Err(Refused::TooManyPairs { limit });
        }
        let hub = self.hub.clone();
        // Under the lock that hands out: what is committed from here on comes by the mailbox.
        let mut state = hub.lock();
        let head = state.head;
        if let Some(since) = since.filter(|&since| since < head) {
            let replay = if let Some(replay) = &mut self.replay {
                replay
            } else {
                let position = self.mailbox.fall_behind(head);
                self.replay.insert(Replay::from(position))
            };
            replay.rewind(since, &self.wanted)?;
        }
        if since.is_some_and(|since| since > head) {
            return Err(Refused::BeyondHead { head });
        }
        let new = self.wanted.add(platforms, conversations, since.unwrap_or(head));
        self.register(&mut state, &new);
        Ok(())
    }

    /// Removes the pairs that either list names, or all.
    pub fn unsubscribe(&mut self, platforms: &Names, conversations: &Names) {
        let gone = self.wanted.remove(platforms, conversations);
        if let Some(replay) = &mut self.replay {
            replay.forget(platforms, conversations);
        }
        let mut state = self.hub.lock();
        for pair in &gone {
            state.messages.remove(pair, self.session);
            state.statuses.remove(pair, self.session);
        }
    }

    /// Begins or ends being told changes of state.
    pub fn tell_status(&mut self, wants_status: bool) {
        self.wants_status = wants_status;
        let mut state = self.hub.lock();
        for pair in self.wanted.pairs() {
            if wants_status {
                state.statuses.add(pair, self.session, &self.mailbox);
            } else {
                state.statuses.remove(pair, self.session);
            }
        }
    }

    fn register(&self, state: &mut State, pairs: &[Topic]) {
        for pair in pairs {
            state.messages.add(pair, self.session, &self.mailbox);
            if self.wants_status {
                state.statuses.add(pair, self.session, &self.mailbox);
            }
        }
    }

    /// The next frames, in order; waits for them. May be dropped while it waits.
    pub async fn next(&mut self, store: &Store) -> Batches {
        loop {
            match poll_fn(|cx| self.mailbox.poll_take(cx)).await {
                Found::Mail(batches) => return batches,
                Found::Behind(delivered) => match self.read_on(delivered, store) {
                    Ok(batches) if batches.is_empty() => tokio::task::yield_now().await,
                    Ok(batches) => return batches,
                    Err(error) => {
                        tracing::debug!("a session cannot read on: {error}");
                        tokio::time::sleep(STORE_PAUSE).await;
                    }
                },
            }
        }
    }

    /// Frames that are here already, without waiting; none where the journal is to be read first.
    pub fn queued(&self) -> Batches {
        match self.mailbox.poll_take(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Found::Mail(batches)) => batches,
            Poll::Ready(Found::Behind(_)) | Poll::Pending => Batches::new(),
        }
    }

    /// One step through the journal, and back to the live stream at its end.
    fn read_on(&mut self, delivered: u64, store: &Store) -> store::Result<Batches> {
        let view = store.view()?;
        if !self.changed.is_empty() {
            return Ok(batched(self.tell_changed(&view)?));
        }
        let replay = self.replay.get_or_insert_with(|| Replay::from(delivered));
        let frames = read_chunk(&view, replay, &self.wanted)?;
        if !frames.is_empty() || replay.position() < view.head() {
            return Ok(batched(frames));
        }
        let position = replay.position();
        let head = self.hub.lock();
        match self.mailbox.catch_up(position, head.head) {
            Seam::MoreMessages => {}
            Seam::Live => self.replay = None,
            Seam::Missed(Missed { changed, adapters, .. }) => {
                self.changed = changed;
                return Ok(adapters.into_values().collect());
            }
        }
        Ok(Batches::new())
    }

    /// Tells the present state of messages whose changes were missed.
    fn tell_changed(&mut self, view: &View) -> store::Result<Vec<Frame>> {
        let mut frames = Vec::new();
        for seq in self.changed.take_some() {
            if let Some(message) = view.by_seq(seq)?
                && self.wants_status
                // A pair counts for the states of older messages too.
                && self.wanted.wants(u64::MAX, message.platform_or_local(), &message.recipient)
            {
                frames.push(frame::message_status(&message));
            }
        }
        Ok(frames)
    }
}

fn batched(frames: Vec<Frame>) -> Batches {
    if frames.is_empty() { Batches::new() } else { Batches::from_iter([Batch::of(frames)]) }
}

/// The frames that are owed next; the replay's position moves with them.
fn read_chunk(
    view: &View,
    replay: &mut Replay,
    wanted: &Subscription,
) -> store::Result<Vec<Frame>> {
    let (mut frames, mut bytes) = (Vec::new(), 0);
    let mut messages = view.after(replay.position())?;
    for _ in 0..CHUNK_MESSAGES {
        let Some(message) = messages.next().transpose()? else {
            replay.advance(view.head());
            break;
        };
        if replay.owes(message.seq, message.platform_or_local(), &message.recipient, wanted) {
            let frame = frame::new_message(&message);
            bytes += frame.text.len();
            frames.push(frame);
        }
        replay.advance(message.seq);
        if bytes >= CHUNK_BYTES {
            break;
        }
    }
    Ok(frames)
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.unsubscribe(&Names::absent(), &Names::absent());
    }
}
