//! A session's side of the hub: its subscriptions, and its next frames.

use super::begin::{NoKnownCursor, Rewound, beginning, rewind};
use super::chunk::Batches;
use super::frame::{Frame, FrameBatch, FrameContent};
use super::mailbox::{AdapterStates, CaughtUp, FrameForm, Mailbox, MailboxContent};
use super::reading::{CHUNK_BYTES, MAX_STEP, ReadStep, SMALL_CHUNK_BYTES, StoreReading};
use super::replay::Interest;
use super::resume::ResumePoint;
use super::subscribe_request::{SubscribeRefused, SubscribeRequest, Subscribed};
use super::{Hub, State, position_of};
use crate::health::HEALTH;
use crate::model::cursor::Cursor;
use crate::model::subscription::{NameList, Position, Topic};
use crate::protocol::event::{EventKind, EventKinds};
use crate::store::{self, Store};
use bytes::Bytes;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::tcp::OwnedWriteHalf;

/// Pause before a closed store is tried again.
const STORE_PAUSE: Duration = Duration::from_millis(250);

/// A session of the hub.
pub struct Subscriber {
    hub: Arc<Hub>,
    session: u64,
    mailbox: Arc<Mailbox>,
    form: FrameForm,
    interest: Interest,
    /// Progress through the store, while it is behind.
    reading: Option<Box<StoreReading>>,
    /// [`Hub::life`] when its subscriptions began.
    life: u64,
}

/// Events after the session's position are not kept any more, or the store has lost what the session has.
/// The session has no subscriptions any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorGone;

impl Hub {
    /// A new session without subscriptions.
    pub fn subscriber(self: &Arc<Self>, form: FrameForm) -> Subscriber {
        let mut state = self.lock();
        state.last_session += 1;
        Subscriber::new(self.clone(), state.last_session, form, state.position())
    }
}

impl Subscriber {
    fn new(hub: Arc<Hub>, session: u64, form: FrameForm, head: Position) -> Self {
        let mailbox = Arc::new(Mailbox::new(head));
        mailbox.set_form(form);
        let life = hub.life();
        Self { hub, session, mailbox, form, interest: Interest::default(), reading: None, life }
    }

    /// Lets the hub write frames to this socket while [`Self::next`] waits. Nothing else may write to it
    /// before [`Self::take_unsent`].
    pub fn write_to(&self, socket: Arc<OwnedWriteHalf>) {
        self.mailbox.set_socket(socket);
    }

    /// Ends the hub's writing until [`Self::next`] waits again. Returns the part of a write that the socket
    /// did not take; it must be written before anything else.
    pub fn take_unsent(&self) -> Bytes {
        self.mailbox.take_unsent()
    }

    /// Adds the product of two lists, and kinds of events.
    ///
    /// # Errors
    ///
    /// The position to go on is unknown, or there are too many topics or replays; nothing is changed.
    pub async fn subscribe(
        &mut self,
        asked: SubscribeRequest,
        store: &Store,
    ) -> Result<Subscribed, SubscribeRefused> {
        let SubscribeRequest { platforms, conversations, since, events } = asked;
        let limit = self.hub.limits.topics;
        if !self.interest.topics.has_room(&platforms, &conversations, limit) {
            return Err(SubscribeRefused::TooManyTopics { limit });
        }
        since.wait_until_seen(store).await;
        let begin = self.hub.find_begin(since, store).await?;
        let form = if events.is_some() { FrameForm::Events } else { self.form };
        let hub = self.hub.clone();
        let mut read = Cursor::default();
        let (mut state, Rewound { reading, from }, resume) = loop {
            // Under the lock that guards the sending of commits, so later commits come through the
            // mailbox.
            let state = hub.lock();
            if self.interest.topics.is_empty() && self.life != hub.life() {
                // It was never sent anything of the store that is gone.
                self.begin_afresh(position_of(state.head));
            }
            let head = state.position();
            let behind = || StoreReading::from(form, self.mailbox.place_behind(head));
            let (reading, begins) = (self.reading_on(form, head), (since, begin.as_ref()));
            let rewound = rewind(reading, behind, begins, &self.interest, head)?;
            let known = [state.head.cursor, read];
            match beginning(begin.as_ref(), rewound.reading.as_ref(), known) {
                Ok(resume) => break (state, rewound, resume),
                Err(NoKnownCursor { offset }) => {
                    // The store is read without the lock. Meanwhile the position to continue stays the
                    // same, or becomes the head, whose cursor is then known.
                    drop(state);
                    read = store.view()?.cursor_at(offset)?;
                }
            }
        };
        let head = state.position();
        // From here on nothing is refused.
        self.form = form;
        self.mailbox.set_form(form);
        if reading.is_some() {
            self.mailbox.fall_behind(head);
        }
        self.reading = reading.map(Box::new);
        let new = self.interest.topics.add(&platforms, &conversations, from);
        self.register_all(&mut state, &new, events.unwrap_or_default());
        Ok(Subscribed { queued: self.mailbox.take(), resume })
    }

    /// Registers new topics for all kinds of events, and new kinds for all topics.
    fn register_all(&mut self, state: &mut State, new: &[Topic], events: EventKinds) {
        let known = self.interest.kinds;
        self.interest.kinds = known.union(events);
        self.register(state, EventKind::NewMessage, new.iter());
        for kind in known.iter() {
            self.register(state, kind, new.iter());
        }
        for kind in self.interest.kinds.without(known).iter() {
            self.register(state, kind, self.interest.topics.topics());
        }
    }

    /// The progress in the store of a session that is behind; if its frames have cursors from now
    /// on, it reads the journal.
    fn reading_on(&self, form: FrameForm, head: Position) -> Option<StoreReading> {
        let delivered = self.mailbox.delivered()?;
        let known = self.reading.as_deref().cloned();
        let mut reading = known.unwrap_or_else(|| StoreReading::from(self.form, delivered));
        if form.is_by_offset() && !self.form.is_by_offset() {
            reading.continue_by_offset(head);
        }
        Some(reading)
    }

    fn register<'t>(
        &self,
        state: &mut State,
        kind: EventKind,
        topics: impl Iterator<Item = &'t Topic>,
    ) {
        let index = state.index_mut(kind);
        topics.for_each(|topic| index.add(topic, self.session, &self.mailbox));
    }

    /// Removes the topics that one of the lists names, or all. Returns frames that were sent to the
    /// mailbox before, and come before the answer.
    pub async fn unsubscribe(&mut self, platforms: &NameList, conversations: &NameList) -> Batches {
        self.hub.caught_up(0).await;
        self.leave(platforms, conversations);
        self.mailbox.take()
    }

    fn leave(&mut self, platforms: &NameList, conversations: &NameList) {
        let gone = self.interest.topics.remove(platforms, conversations);
        if let Some(reading) = &mut self.reading {
            reading.forget(platforms, conversations);
        }
        let mut state = self.hub.lock();
        for index in &mut state.indexes {
            for topic in &gone {
                index.remove(topic, self.session);
            }
        }
    }

    /// Ends kinds of events.
    pub async fn end_events(&mut self, kinds: EventKinds) -> Batches {
        self.hub.caught_up(0).await;
        // New messages continue as long as there are topics.
        let kinds = kinds.without([EventKind::NewMessage].into_iter().collect());
        self.interest.kinds = self.interest.kinds.without(kinds);
        if let Some(reading) = &mut self.reading {
            reading.forget_kinds(kinds);
        }
        let mut state = self.hub.lock();
        for kind in kinds.iter() {
            let index = state.index_mut(kind);
            self.interest.topics.topics().for_each(|topic| index.remove(topic, self.session));
        }
        self.mailbox.take()
    }

    /// The next frames, in order; waits for them. May be dropped while it waits.
    ///
    /// # Errors
    ///
    /// The position to go on is not kept any more.
    pub async fn next(&mut self, store: &Store) -> Result<Batches, CursorGone> {
        loop {
            let content = poll_fn(|cx| {
                let content = self.mailbox.poll_take(cx);
                // Afterwards: a change from now on wakes this task.
                if self.is_of_this_life() { content.map(Some) } else { Poll::Ready(None) }
            });
            let delivered = match content.await {
                Some(MailboxContent::Mail(batches)) => return Ok(batches),
                Some(MailboxContent::Behind(delivered)) => delivered,
                None => {
                    self.start_afresh();
                    return Err(CursorGone);
                }
            };
            // Boxed, so that a session that is not behind needs little memory.
            if let Some(batches) = Box::pin(self.catch_up(delivered, store)).await? {
                return Ok(batches);
            }
        }
    }

    /// Reads on in the store after a position; `None` if there is nothing to send yet.
    async fn catch_up(
        &mut self,
        delivered: Position,
        store: &Store,
    ) -> Result<Option<Batches>, CursorGone> {
        let reserved = self.hub.replay_memory.reserve(MAX_STEP).await;
        let most = if reserved.is_some() { CHUNK_BYTES } else { SMALL_CHUNK_BYTES };
        match self.read_on(delivered, store, most) {
            Ok(ReadOn::Frames(frames)) if frames.is_empty() => {
                tokio::task::yield_now().await;
            }
            Ok(ReadOn::Frames(frames)) => {
                return Ok(Some(Batches::from_iter([FrameBatch::held(frames, reserved)])));
            }
            Ok(ReadOn::StoreIsBehind) => {
                drop(reserved);
                tokio::time::sleep(STORE_PAUSE).await;
            }
            Ok(ReadOn::Gone) => return Err(CursorGone),
            // Trying again does not help; the client gets an error, and loads again what can be read.
            Err(error @ store::StoreError::Corrupt(_)) => {
                tracing::error!("a session that was behind is unsubscribed: {error}");
                HEALTH.degrade("store", error.to_string());
                self.start_afresh();
                return Err(CursorGone);
            }
            Err(error) => {
                drop(reserved);
                tracing::debug!("a session cannot read on: {error}");
                tokio::time::sleep(STORE_PAUSE).await;
            }
        }
        Ok(None)
    }

    /// One step in the store of about this number of bytes, and back to live events at its end.
    fn read_on(
        &mut self,
        delivered: Position,
        store: &Store,
        most_bytes: usize,
    ) -> store::Result<ReadOn> {
        let view = store.view()?;
        let form = self.form;
        let reading =
            self.reading.get_or_insert_with(|| Box::new(StoreReading::from(form, delivered)));
        let position = match reading.step(&view, &self.interest, form.shows_cursor(), most_bytes)? {
            ReadStep::Frames(frames) => return Ok(ReadOn::Frames(frames)),
            ReadStep::End(position) => position,
            ReadStep::Gone => {
                let goes_on = self.go_on_without_events();
                return Ok(if goes_on { ReadOn::Frames(Vec::new()) } else { ReadOn::Gone });
            }
        };
        // Before the states of adapters are taken, which must not be lost.
        let resume = reading.resume(&view)?;
        let state = self.hub.lock();
        match self.mailbox.catch_up(position, position_of(state.head)) {
            CaughtUp::MoreToRead => {
                drop(state);
                // More than this view has is in the store, unless a node of a cluster has to read it
                // from the log again.
                if store.view()?.cursor() == view.cursor() {
                    return Ok(ReadOn::StoreIsBehind);
                }
            }
            CaughtUp::Live => self.reading = None,
            CaughtUp::Adapters(adapters) => {
                drop(state);
                return Ok(ReadOn::Frames(self.tell_adapters(&adapters, resume)));
            }
        }
        Ok(ReadOn::Frames(Vec::new()))
    }

    fn tell_adapters(&self, adapters: &AdapterStates, resume: ResumePoint) -> Vec<Frame> {
        let shows_cursor = self.form.shows_cursor();
        let frame = |change| Frame::of(&FrameContent::Adapter(change), resume, shows_cursor);
        adapters.values().map(|change| frame(change)).collect()
    }

    /// Missed events are not kept any more: a session that wants only messages reads these; any
    /// other loses its subscriptions.
    fn go_on_without_events(&mut self) -> bool {
        let head = self.hub.lock().position();
        if let Some(reading) = &mut self.reading
            && reading.go_on_by_messages(&self.interest, head)
        {
            return true;
        }
        self.start_afresh();
        false
    }

    /// Removes all subscriptions, and continues with live events.
    fn start_afresh(&mut self) {
        self.leave(&NameList::absent(), &NameList::absent());
        self.interest.kinds = EventKinds::default();
        let hub = self.hub.clone();
        let state = hub.lock();
        self.begin_afresh(position_of(state.head));
    }

    /// Begins with the events after the hub's head, under the hub's lock.
    fn begin_afresh(&mut self, head: Position) {
        self.life = self.hub.life();
        self.reading = None;
        self.mailbox.go_live(head);
    }

    /// Whether the store has what the session was sent, as far as the hub knows.
    fn is_of_this_life(&self) -> bool {
        self.life == self.hub.life() || self.interest.topics.is_empty()
    }
}

/// Result of a step in the store.
enum ReadOn {
    /// The next frames; there may be more.
    Frames(Vec<Frame>),
    /// The store has less than was sent already: a node of a cluster reads it from the log again.
    StoreIsBehind,
    /// Events after the position are no longer kept.
    Gone,
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.leave(&NameList::absent(), &NameList::absent());
    }
}

#[cfg(test)]
mod tests;
