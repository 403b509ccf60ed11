//! Place of a bot in the log: what it has read, kept in the store.

use super::memory::{self, LogPlace};
use crate::clock::now;
use crate::store::{Result, Store, View};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Pause between two writes of a place.
const PAUSE: Duration = Duration::from_millis(100);

/// Place of a bot, and the connection by which it is told what comes after it.
pub(super) struct PlaceKeeper {
    store: Arc<Store>,
    key: String,
    place: Mutex<Option<LogPlace>>,
    moved: Notify,
    /// Ends the connection that is told now.
    connection: Mutex<CancellationToken>,
}

impl PlaceKeeper {
    /// A place under a key, as the store has it.
    pub(super) fn new(store: Arc<Store>, key: String, place: Option<LogPlace>) -> Self {
        Self {
            store,
            key,
            place: Mutex::new(place),
            moved: Notify::new(),
            connection: Mutex::default(),
        }
    }

    /// A new connection is told from now on; the one before ends.
    pub(super) fn take_over(&self, connection: CancellationToken) {
        let mut current = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, connection).cancel();
    }

    /// Events that were read, ever.
    pub(super) fn delivered(&self) -> u64 {
        self.lock().map_or(0, |place| place.delivered)
    }

    /// The offset after which a bot is told that comes back now: its place, unless what lies there is
    /// older than `catch_up_seconds`; the newest event where it is new.
    pub(super) fn start(&self, view: &View, catch_up_seconds: u64) -> Result<u64> {
        let Some(place) = *self.lock() else { return Ok(view.cursor().offset) };
        let floor = match catch_up_seconds {
            0 => view.cursor().offset,
            seconds => view.offset_before(now().saturating_sub(seconds))?,
        };
        Ok(view.offset_of(place.cursor())?.map_or(floor, |offset| offset.max(floor)))
    }

    /// Moves the place: `events` more were read, and nothing up to `offset` is left to be told.
    pub(super) fn advance(&self, view: &View, offset: u64, events: u64) -> Result<()> {
        let cursor = view.cursor_at(offset)?;
        let mut place = self.lock();
        let delivered = place.map_or(0, |place| place.delivered) + events;
        *place = Some(LogPlace::new(cursor, delivered, now()));
        drop(place);
        self.moved.notify_one();
        Ok(())
    }

    /// Writes the place down whenever it has moved, for as long as this is polled.
    pub(super) async fn write_moves(&self) {
        loop {
            self.moved.notified().await;
            self.write().await;
            sleep(PAUSE).await;
        }
    }

    /// Writes the place down as it is.
    pub(super) async fn write(&self) {
        let Some(place) = *self.lock() else { return };
        if let Err(error) = memory::keep_place(&self.store, &self.key, &place).await {
            tracing::warn!(place = self.key, "the place of a bot is not kept: {error}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<LogPlace>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
