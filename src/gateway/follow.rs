//! Following the log: a bot gets the events after its position, in order and at its own speed.
//!
//! Only a bounded number of events is in memory on the way to a bot; all later ones are read from
//! the log when it is their turn.

use super::acknowledgements::Acknowledgements;
use super::cursor_keeper::{ConnectionNumber, CursorKeeper};
use super::framework::BotPeer;
use super::shared::GatewayContext;
use crate::metrics::METRICS;
use crate::raw_events::RawEventRetention;
use crate::store::{Result, Store};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

/// Entries that are read from the log at once, if many may be on the way.
const CHUNK: usize = 64;

/// Bytes read from the log at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// The most events that a bot may not have read yet.
const MAX_UNREAD_EVENTS: u64 = 256;

/// The most bytes of these events.
const MAX_UNREAD_BYTES: usize = 1 << 20;

/// Pause before the store is read again after an error.
const PAUSE: Duration = Duration::from_secs(1);

/// A connection that gets events.
pub(super) struct EventFollower<'a> {
    store: Arc<Store>,
    raw_events: Arc<RawEventRetention>,
    cursor: &'a CursorKeeper,
    turn: ConnectionNumber,
    /// The bot's name, for the metrics.
    bot: &'a str,
    /// The offset up to which everything was sent.
    position: u64,
    /// Entries that are read from the log at once.
    chunk: usize,
    /// The most events that the bot may not have read yet.
    max_unread_events: u64,
}

/// Begins to follow the log where `start` says; from there on nothing is missed.
pub(super) async fn begin<'a>(
    core: &GatewayContext,
    cursor: &'a CursorKeeper,
    turn: ConnectionNumber,
    bot: &'a str,
    start: impl FnOnce() -> Result<u64>,
) -> Result<EventFollower<'a>> {
    let position = start()?;
    cursor.advance(&*core.store.view()?, turn, position, 0)?;
    // A new bot later gets the events that it misses from now on.
    cursor.write().await;
    let (store, raw_events) = (core.store.clone(), core.raw_events.clone());
    Ok(EventFollower {
        store,
        raw_events,
        cursor,
        turn,
        bot,
        position,
        chunk: CHUNK,
        max_unread_events: MAX_UNREAD_EVENTS,
    })
}

/// Frames that were written, and may not have been read yet.
struct UnreadChunks {
    chunks: VecDeque<Chunk>,
    events: u64,
    bytes: usize,
}

/// Frames of some entries.
#[derive(Default)]
struct NextFrames {
    frames: Vec<String>,
    /// Number of entries that have frames.
    events: u64,
}

struct Chunk {
    through: u64,
    events: u64,
    bytes: usize,
}

impl EventFollower<'_> {
    /// Sends an event only after the one before it was read: if one fails, earlier ones are not
    /// sent again.
    pub(super) fn one_by_one(self) -> Self {
        Self { chunk: 1, max_unread_events: 1, ..self }
    }

    /// Sends the events after the position, until the connection ends.
    pub(super) async fn run(
        mut self,
        peer: &impl BotPeer,
        queue: &mpsc::Sender<Message>,
        acknowledgements: &Acknowledgements,
    ) {
        let cursor = self.cursor;
        tokio::select! {
            () = self.tell(peer, queue, acknowledgements) => {}
            () = cursor.write_moves() => {}
        }
    }

    async fn tell(
        &mut self,
        peer: &impl BotPeer,
        queue: &mpsc::Sender<Message>,
        acknowledgements: &Acknowledgements,
    ) {
        let mut acknowledged = acknowledgements.changes();
        let mut changes = self.raw_events.changes();
        let mut unread = UnreadChunks { chunks: VecDeque::new(), events: 0, bytes: 0 };
        loop {
            let read_to = *acknowledged.borrow_and_update();
            if let Err(error) = self.note_read(&mut unread, read_to) {
                tracing::warn!(bot = self.bot, "the cursor of a bot cannot be changed: {error}");
            }
            if unread.events >= self.max_unread_events || unread.bytes >= MAX_UNREAD_BYTES {
                if acknowledged.changed().await.is_err() {
                    return;
                }
                continue;
            }
            changes.borrow_and_update();
            match self.next(peer).await {
                Ok(Some(NextFrames { frames, .. })) if frames.is_empty() => {
                    if unread.chunks.is_empty() {
                        self.pass_over();
                    }
                    // There may be thousands of events that the bot does not want.
                    tokio::task::yield_now().await;
                }
                Ok(Some(NextFrames { frames, events })) => {
                    let bytes = frames.iter().map(String::len).sum();
                    let frames = frames.into_iter().map(Message::text);
                    for message in frames.chain([acknowledgements.ping(self.position)]) {
                        if queue.send(message).await.is_err() {
                            return;
                        }
                    }
                    unread.events += events;
                    unread.bytes += bytes;
                    unread.chunks.push_back(Chunk { through: self.position, events, bytes });
                }
                Ok(None) => tokio::select! {
                    changed = changes.changed() => if changed.is_err() { return },
                    changed = acknowledged.changed() => if changed.is_err() { return },
                    () = peer.wait_for_frames_without_event() => {}
                },
                Err(error) => {
                    tracing::warn!(bot = self.bot, "the events for a bot cannot be read: {error}");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// The next events, which may be none; `None` if all events were sent.
    async fn next(&mut self, peer: &impl BotPeer) -> Result<Option<NextFrames>> {
        let view = self.store.view()?;
        let Some(entries) = view.feed(self.position, self.chunk, CHUNK_BYTES)? else {
            tracing::warn!(bot = self.bot, "events that a bot missed are no longer kept");
            self.position = view.offset_before(0)?;
            return Ok(Some(NextFrames::default()));
        };
        if entries.is_empty() {
            self.position = self.position.max(view.cursor().offset);
            let frames = peer.frames_without_event(&view, self.position)?;
            return Ok((!frames.is_empty()).then_some(NextFrames { frames, events: 0 }));
        }
        let mut next = NextFrames::default();
        for entry in entries {
            let frames = match peer.tell(&view, &entry).await {
                Ok(frames) => frames,
                Err(error) if next.frames.is_empty() => return Err(error),
                // The entries before it are sent first.
                Err(_) => break,
            };
            next.events += u64::from(!frames.is_empty());
            next.frames.extend(frames);
            self.position = entry.offset;
        }
        Ok(Some(next))
    }

    /// Moves the cursor over events that the bot does not get.
    fn pass_over(&self) {
        let view = self.store.view();
        let moved = view.and_then(|view| self.cursor.advance(&view, self.turn, self.position, 0));
        if let Err(error) = moved {
            tracing::warn!(bot = self.bot, "the cursor of a bot cannot be changed: {error}");
        }
    }

    /// Moves the cursor over events that were read.
    fn note_read(&self, unread: &mut UnreadChunks, read_to: u64) -> Result<()> {
        let (mut events, mut through) = (0, None);
        while let Some(chunk) = unread.chunks.pop_front_if(|chunk| chunk.through <= read_to) {
            events += chunk.events;
            unread.events -= chunk.events;
            unread.bytes -= chunk.bytes;
            through = Some(chunk.through);
        }
        let Some(through) = through else { return Ok(()) };
        METRICS.bot_events(self.bot, events);
        self.cursor.advance(&*self.store.view()?, self.turn, through, events)
    }
}
