//! State of the gateway in the store: the cursors of bots in the log, and the numbers that were
//! given out.

use crate::model::cursor::{Cursor, Epoch};
use crate::model::event::AdapterState;
use crate::store::{Command, Result, Store};
use serde::{Deserialize, Serialize};

/// Name of the gateway as the owner of the values in the store.
pub(super) const OWNER: &str = "bots";

/// Prefix of the key of a number.
pub(super) const NUMBER: &str = "number/";

/// Prefix of the key of a cursor.
const CURSOR: &str = "place/";

/// The cursor of a bot in the log, for one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BotCursor {
    epoch: u64,
    /// The offset up to which everything was read.
    pub(super) offset: u64,
    /// Number of events that were read, ever.
    pub(super) delivered: u64,
    /// Unix seconds at which the cursor was stored.
    pub(super) at: u64,
}

impl BotCursor {
    pub(super) fn new(cursor: Cursor, delivered: u64, at: u64) -> Self {
        Self { epoch: cursor.epoch.number(), offset: cursor.offset, delivered, at }
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor { epoch: Epoch::new(self.epoch), offset: self.offset }
    }
}

/// The key of a cursor.
pub(super) fn cursor_key(bot: &str, platform: &str, account: &str) -> String {
    format!("{CURSOR}{bot}/{platform}/{account}")
}

/// The cursors of a bot among the stored values: platform, account and cursor.
pub(super) fn cursors(bot: &str, kept: &[(String, Vec<u8>)]) -> Vec<(String, String, BotCursor)> {
    let of = |(key, value): &(String, Vec<u8>)| {
        let rest = key.strip_prefix(CURSOR)?.strip_prefix(bot)?.strip_prefix('/')?;
        let (platform, account) = rest.split_once('/')?;
        Some((platform.to_owned(), account.to_owned(), serde_json::from_slice(value).ok()?))
    };
    kept.iter().filter_map(of).collect()
}

/// Stores a cursor; it is on disk when this returns.
pub(super) async fn store_cursor(store: &Store, key: &str, cursor: &BotCursor) -> Result<()> {
    // Numbers always serialise.
    let value = serde_json::to_vec(cursor).unwrap_or_default();
    keep(store, key.to_owned(), Some(value)).await
}

/// Stores a value; it is on disk when this returns.
pub(super) async fn keep(store: &Store, key: String, value: Option<Vec<u8>>) -> Result<()> {
    let state = AdapterState { adapter: OWNER.into(), key, value };
    store.write(Command::KeepState { state: Box::new(state) }).await.map(drop)
}
