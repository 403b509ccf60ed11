//! Position of a bot in the log: the offset up to which it has read, kept in the store.

use super::saved_state::{self, BotCursor};
use crate::clock::now;
use crate::store::{Result, Store, View};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Pause between two writes of a cursor.
const PAUSE: Duration = Duration::from_millis(100);

/// Reason of the end of a connection that another connection of the same bot replaced.
const TAKEN_OVER: &str = "another connection of this bot took its place; if that is another program, give it an \
     entry of its own";

/// Position of a bot, and the connection that gets the events after it.
pub(super) struct CursorKeeper {
    store: Arc<Store>,
    /// One key for each account with this cursor.
    keys: Mutex<Vec<String>>,
    cursor: Mutex<CurrentCursor>,
    moved: Notify,
    /// Held while a cursor of the bot is written, by this keeper or by its successor.
    writing: Arc<WriteTurn>,
    /// Ends the present connection, which has this turn.
    connection: Mutex<(ConnectionNumber, CancellationToken)>,
}

/// The number of a connection among those that got events one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ConnectionNumber(u64);

/// The turn to write the cursors of one bot, so that keepers and their successors write in order.
pub(super) type WriteTurn = tokio::sync::Mutex<()>;

/// The present cursor.
#[derive(Clone, Copy, Default)]
struct CurrentCursor {
    cursor: Option<BotCursor>,
    /// A successor has the cursor; this keeper changes and writes nothing more.
    is_handed_over: bool,
}

impl CursorKeeper {
    /// A cursor from the store or from the keeper before.
    pub(super) fn new(
        store: Arc<Store>,
        cursor: Option<BotCursor>,
        writing: Arc<WriteTurn>,
    ) -> Self {
        Self {
            store,
            keys: Mutex::default(),
            cursor: Mutex::new(CurrentCursor { cursor, is_handed_over: false }),
            moved: Notify::new(),
            writing,
            connection: Mutex::default(),
        }
    }

    /// Hands the cursor over to a successor.
    pub(super) fn hand_over(&self) -> Option<BotCursor> {
        let mut kept = self.lock();
        kept.is_handed_over = true;
        kept.cursor
    }

    /// Also writes the cursor under this key from now on.
    pub(super) fn keep_under(&self, key: String) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key);
    }

    /// Makes a new connection get the events; the one before ends, and cannot move the cursor any
    /// more.
    pub(super) fn take_over(&self, connection: CancellationToken) -> ConnectionNumber {
        let mut current = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        current.1.cancel();
        let turn = ConnectionNumber(current.0.0 + 1);
        *current = (turn, connection);
        turn
    }

    /// The reason of a connection's end: `reason`, unless another connection replaced it.
    pub(super) fn reason(&self, turn: ConnectionNumber, reason: String) -> String {
        if self.is_turn(turn) { reason } else { TAKEN_OVER.to_owned() }
    }

    fn is_turn(&self, turn: ConnectionNumber) -> bool {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).0 == turn
    }

    /// Number of events that were read, ever.
    pub(super) fn delivered(&self) -> u64 {
        self.lock().cursor.map_or(0, |cursor| cursor.delivered)
    }

    /// The offset after which a bot gets events when it reconnects: the one that it names, else its
    /// cursor, but nothing older than `catch_up_seconds`; for a new bot, the newest event.
    pub(super) fn start(
        &self,
        view: &View,
        catch_up_seconds: u64,
        named: Option<u64>,
    ) -> Result<u64> {
        let cursor = self.lock().cursor;
        if cursor.is_none() && named.is_none() {
            return Ok(view.cursor().offset);
        }
        let floor = match catch_up_seconds {
            0 => view.cursor().offset,
            seconds => view.offset_before(now().saturating_sub(seconds))?,
        };
        let known = match (named, cursor) {
            (Some(offset), _) => Some(offset),
            (None, Some(cursor)) => view.kept_offset_of(cursor.cursor())?,
            (None, None) => None,
        };
        Ok(known.map_or(floor, |offset| offset.max(floor)))
    }

    /// Moves the cursor, if it is the connection's turn: `events` more were read, and everything up
    /// to `offset` was sent.
    pub(super) fn advance(
        &self,
        view: &View,
        turn: ConnectionNumber,
        offset: u64,
        events: u64,
    ) -> Result<()> {
        let cursor = view.cursor_at(offset)?;
        let mut kept = self.lock();
        if self.is_turn(turn) && !kept.is_handed_over {
            let delivered = kept.cursor.map_or(0, |cursor| cursor.delivered) + events;
            kept.cursor = Some(BotCursor::new(cursor, delivered, now()));
        }
        drop(kept);
        self.moved.notify_one();
        Ok(())
    }

    /// Writes the cursor whenever it has moved, for as long as this future is polled.
    pub(super) async fn write_moves(&self) {
        loop {
            self.moved.notified().await;
            self.write().await;
            sleep(PAUSE).await;
        }
    }

    /// Writes the present cursor.
    pub(super) async fn write(&self) {
        let _turn = self.writing.lock().await;
        let CurrentCursor { cursor, is_handed_over } = *self.lock();
        let Some(cursor) = cursor.filter(|_| !is_handed_over) else { return };
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for key in keys {
            if let Err(error) = saved_state::store_cursor(&self.store, &key, &cursor).await {
                tracing::warn!(cursor = key, "the cursor of a bot cannot be written: {error}");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, CurrentCursor> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
