//! Which accounts are connected, and the state of every adapter.
//!
//! A row is an account, or a configured adapter that has no account yet. Its state follows from
//! its connections, so that an old socket's end never undoes a new one's beginning.

mod changes;
mod registration;
mod row;

pub use changes::{Changes, StatusChange};
pub(super) use registration::{Registration, Seat};

use super::settings::Settings;
use super::{AccountHandle, Kind, OnUnknown, Request, State};
use crate::clock::now;
use row::{Connection, Row};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{broadcast, mpsc, watch};

/// Requests that may wait for one connection.
const QUEUE: usize = 64;
/// Changes kept for a reader that lags; one that lags further is told the present states.
const CHANGES: usize = 1024;
/// Rows kept; beyond that the accounts that are gone longest are forgotten.
const ROWS: usize = 1024;

/// One adapter as `GET /api/platforms` shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct AdapterStatus {
    pub kind: Cow<'static, str>,
    pub platform: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    pub state: State,
    /// Unix seconds of when it came into this state.
    pub since: u64,
    pub sent: u64,
    pub received: u64,
    pub failed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// The accounts connected, shared by whoever holds a clone.
#[derive(Clone, Debug)]
pub struct Registry {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    rows: Mutex<Rows>,
    changes: broadcast::Sender<StatusChange>,
    /// Rises when there is another way to send, or one less.
    links: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Rows {
    list: Vec<Row>,
    last_id: u64,
}

impl Rows {
    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn get(&mut self, id: u64) -> Option<&mut Row> {
        self.list.iter_mut().find(|row| row.id == id)
    }

    fn find_account(&self, platform: &str, account: Option<&str>) -> Option<u64> {
        let known = |row: &&Row| row.is_account(platform, account) && !row.configured;
        self.list.iter().find(known).map(|row| row.id)
    }

    fn add_account(&mut self, kind: &'static Kind, platform: &str, account: Option<&str>) -> u64 {
        if self.list.len() >= ROWS {
            self.forget_one();
        }
        let id = self.next_id();
        self.list.push(Row::new(id, kind, platform, account));
        id
    }

    /// Forgets the account that is gone longest.
    fn forget_one(&mut self) {
        let gone = self.list.iter().filter(|row| row.connections.is_empty() && !row.configured);
        if let Some(id) = gone.min_by_key(|row| row.since).map(|row| row.id) {
            self.list.retain(|row| row.id != id);
        }
    }
}

/// What is known of a connection when it begins.
pub(super) struct Arrival<'a> {
    pub(super) settings: Arc<Settings>,
    pub(super) platform: &'a str,
    pub(super) account: Option<&'a str>,
    pub(super) seat: Option<&'a Seat>,
    /// Why the account is off, if it is.
    pub(super) offline: Option<&'a str>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// A registry in which nothing is connected.
    pub fn new() -> Self {
        let (changes, _) = broadcast::channel(CHANGES);
        Self {
            shared: Arc::new(Shared {
                rows: Mutex::default(),
                changes,
                links: watch::Sender::default(),
            }),
        }
    }

    /// Every change of state from now on, each once and in order.
    pub fn changes(&self) -> Changes {
        Changes::new(self.clone())
    }

    /// Changes whenever there is another way to send than before. The state alone does not tell:
    /// an account may be connected by what only brings events.
    pub fn links(&self) -> watch::Receiver<u64> {
        self.shared.links.subscribe()
    }

    /// The adapters: those configured, and the accounts that are or were connected.
    pub fn platforms(&self) -> Vec<AdapterStatus> {
        let rows = self.rows();
        rows.list.iter().filter(|row| !is_stood_in(row, &rows.list)).map(Row::status).collect()
    }

    /// An account to send by: the preferred one, else the one connected longest.
    pub fn link(&self, platform: &str, preferred: Option<&str>) -> Option<AccountHandle> {
        let rows = self.rows();
        let links =
            || rows.list.iter().filter(|row| row.platform == platform).filter_map(Row::link);
        let is_preferred =
            |link: &AccountHandle| preferred.is_some() && link.account.as_deref() == preferred;
        links()
            .find(is_preferred)
            .or_else(|| links().min_by_key(|link| (link.since, link.connection)))
    }

    /// Whether any account of a platform, connected or not, is configured never to send again what
    /// may have gone out.
    pub fn is_cautious(&self, platform: &str) -> bool {
        let is_cautious = |row: &Row| row.platform == platform && row.on_unknown == OnUnknown::Fail;
        self.rows().list.iter().any(is_cautious)
    }

    /// The platforms of which an account is connected, each with its kind.
    pub fn connected(&self) -> Vec<(String, &'static Kind)> {
        let rows = self.rows();
        let connected = rows.list.iter().filter(|row| !row.connections.is_empty());
        connected.map(|row| (row.platform.clone(), row.kind)).collect()
    }

    /// The platforms that are configured, or of which an account is or was connected since the
    /// start, each with its kind.
    pub fn known_platforms(&self) -> Vec<(String, &'static Kind)> {
        let rows = self.rows();
        rows.list.iter().map(|row| (row.platform.clone(), row.kind)).collect()
    }

    /// Counts a message that went out.
    pub fn count_sent(&self, platform: &str, account: Option<&str>) {
        self.count(platform, account, |row| row.sent += 1);
    }

    /// Counts a message that came in.
    pub fn count_received(&self, platform: &str, account: Option<&str>) {
        self.count(platform, account, |row| row.received += 1);
    }

    /// Counts an attempt that failed, and keeps why.
    pub fn count_failed(&self, platform: &str, account: Option<&str>, error: &str) {
        self.count(platform, account, |row| {
            row.failed += 1;
            row.last_error = Some(error.to_owned());
        });
    }

    fn count(&self, platform: &str, account: Option<&str>, add: impl FnOnce(&mut Row)) {
        let mut rows = self.rows();
        // An unknown account may be that of a configured adapter, whose row has none yet.
        if let Some(row) = rows.list.iter_mut().find(|row| row.is_account(platform, account)) {
            add(row);
        }
    }

    /// A row for a configured adapter, there before anything connects.
    pub(super) fn seat(&self, settings: &Settings) -> Seat {
        let mut rows = self.rows();
        let id = rows.next_id();
        let mut row = Row::new(id, settings.kind, settings.platform(), None);
        row.configured = true;
        row.on_unknown = settings.on_unknown;
        rows.list.push(row);
        Seat { registry: self.clone(), row: id }
    }

    /// Takes away every configured adapter's place.
    pub(super) fn clear_seats(&self) {
        let mut rows = self.rows();
        let seats: Vec<_> =
            rows.list.iter().filter(|row| row.configured).map(|row| row.id).collect();
        for id in seats {
            self.change(&mut rows, id, |row| {
                row.connections.clear();
                row.offline = None;
                row.absent = (State::Disconnected, Some("no longer configured".into()));
            });
        }
        rows.list.retain(|row| !row.configured);
        rows.list.iter_mut().for_each(|row| row.seat = None);
    }

    /// Registers a connection by which nothing can be sent.
    pub(super) fn connect(&self, arrival: &Arrival<'_>) -> Registration {
        self.add(arrival, None)
    }

    /// Registers a connection that takes requests.
    pub(super) fn connect_for_requests(
        &self,
        arrival: &Arrival<'_>,
    ) -> (Registration, mpsc::Receiver<Request>) {
        let (requests, queue) = mpsc::channel(QUEUE);
        (self.add(arrival, Some(requests)), queue)
    }

    fn add(&self, arrival: &Arrival<'_>, requests: Option<mpsc::Sender<Request>>) -> Registration {
        let mut rows = self.rows();
        let connection = rows.next_id();
        let seat = arrival.seat.map(|seat| seat.row);
        let row = match (arrival.account, seat) {
            (None, Some(seat)) => seat,
            (account, _) => rows.find_account(arrival.platform, account).unwrap_or_else(|| {
                rows.add_account(arrival.settings.kind, arrival.platform, account)
            }),
        };
        let settings = Arc::clone(&arrival.settings);
        self.change(&mut rows, row, |row| {
            row.seat = seat.or(row.seat);
            row.offline = arrival.offline.map(str::to_owned);
            row.on_unknown = settings.on_unknown;
            row.connections.push(Connection { id: connection, settings, requests });
        });
        drop(rows);
        Registration { registry: self.clone(), row, connection }
    }

    /// Changes a row, and publishes its state if that is another one now.
    fn change(&self, rows: &mut Rows, id: u64, change: impl FnOnce(&mut Row)) {
        let Some(row) = rows.get(id) else { return };
        let before = row.link_id();
        change(row);
        let is_other_way = row.link_id() != before;
        if let Some(change) = row.settle(now()) {
            // Nobody may be listening, and that is fine.
            let _ = self.shared.changes.send(change);
        }
        if is_other_way {
            self.shared.links.send_modify(|count| *count += 1);
        }
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.shared.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the accounts that came by a configured adapter are shown in its place.
fn is_stood_in(seat: &Row, rows: &[Row]) -> bool {
    seat.account.is_none()
        && seat.connections.is_empty()
        && (!seat.configured
            || rows.iter().any(|row| row.id != seat.id && row.seat == Some(seat.id)))
}

#[cfg(test)]
mod tests;
