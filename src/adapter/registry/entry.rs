//! One entry of the registry, and the state that follows from its connections.

use crate::adapter::api::{AccountHandle, AccountRequest, Kind, OnUnknown, Settings, Window};
use crate::clock::now;
use crate::protocol::platform::{
    AdapterStatus, AdapterStatusChange, ConnectionCodes, PlatformState,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// One connection of an entry.
#[derive(Debug)]
pub(super) struct EntryConnection {
    pub(super) id: u64,
    pub(super) settings: Arc<Settings>,
    /// Where requests go, unless the connection only brings events.
    pub(super) requests: Option<mpsc::Sender<AccountRequest>>,
    pub(super) window: Option<Arc<dyn Window>>,
}

/// An account, or a configured adapter that has no account yet.
#[derive(Debug)]
pub(super) struct AccountEntry {
    pub(super) id: u64,
    pub(super) kind: &'static Kind,
    pub(super) platform: String,
    pub(super) account: Option<String>,
    /// It stands for an adapter of the configuration, and is never forgotten.
    pub(super) is_configured: bool,
    /// The configured adapter by which the account connected.
    pub(super) configured: Option<u64>,
    /// The newest last.
    pub(super) connections: Vec<EntryConnection>,
    /// Why the account is off though connected.
    pub(super) offline: Option<String>,
    /// How the newest connection, or the entry of the configuration, treats unknown outcomes.
    pub(super) on_unknown: OnUnknown,
    /// How long its messages may wait, where the adapter has a limit of its own.
    pub(super) time_to_live: Option<Duration>,
    /// The state without a connection, and its reason.
    pub(super) unconnected: (PlatformState, Option<String>),
    /// The state last published.
    state: PlatformState,
    pub(super) since: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) failed: u64,
    pub(super) last_error: Option<String>,
}

impl AccountEntry {
    pub(super) fn new(id: u64, kind: &'static Kind, platform: &str, account: Option<&str>) -> Self {
        Self {
            id,
            kind,
            platform: platform.to_owned(),
            account: account.map(str::to_owned),
            is_configured: false,
            configured: None,
            connections: Vec::new(),
            offline: None,
            on_unknown: OnUnknown::default(),
            time_to_live: None,
            unconnected: (PlatformState::Disconnected, None),
            state: PlatformState::Disconnected,
            since: now(),
            sent: 0,
            received: 0,
            failed: 0,
            last_error: None,
        }
    }

    pub(super) fn is_account(&self, platform: &str, account: Option<&str>) -> bool {
        self.platform == platform && self.account.as_deref() == account
    }

    /// Takes a connection out.
    pub(super) fn remove(&mut self, connection: u64) -> Option<EntryConnection> {
        let index = self.connections.iter().position(|known| known.id == connection)?;
        Some(self.connections.remove(index))
    }

    /// The state moves to another entry; this one is as if it had never been connected.
    pub(super) fn take_state(&mut self, now: u64) -> (PlatformState, u64) {
        let taken = (self.state, self.since);
        (self.state, self.since) = (PlatformState::Disconnected, now);
        self.unconnected = (PlatformState::Disconnected, None);
        taken
    }

    /// Takes over a state that was published already.
    pub(super) fn inherit(&mut self, (state, since): (PlatformState, u64)) {
        (self.state, self.since) = (state, since);
    }

    /// Brings the published state up to date; returns the change, if it is one.
    pub(super) fn update_state(&mut self, now: u64) -> Option<AdapterStatusChange> {
        let (state, reason) = self.actual();
        if let Some(reason) = reason {
            self.last_error = Some(reason);
        }
        if state == self.state {
            return None;
        }
        if state == PlatformState::Connected {
            self.last_error = None;
        }
        (self.state, self.since) = (state, now);
        Some(self.as_change())
    }

    fn actual(&self) -> (PlatformState, Option<String>) {
        match (&self.offline, self.connections.is_empty()) {
            (_, true) => self.unconnected.clone(),
            (Some(reason), false) => (PlatformState::Error, Some(reason.clone())),
            (None, false) => (PlatformState::Connected, None),
        }
    }

    /// The present state as a change.
    pub(super) fn as_change(&self) -> AdapterStatusChange {
        AdapterStatusChange {
            platform: self.platform.clone(),
            account: self.account.clone(),
            state: self.state,
            reason: self.actual().1,
        }
    }

    /// The account's handle, if it can send: by its newest connection that takes requests.
    pub(super) fn handle(&self) -> Option<AccountHandle> {
        if self.offline.is_some() {
            return None;
        }
        let mut newest_first = self.connections.iter().rev();
        newest_first.find_map(|connection| {
            Some(AccountHandle {
                kind: self.kind,
                platform: self.platform.clone(),
                account: self.account.clone(),
                since: self.since,
                connection: connection.id,
                settings: Arc::clone(&connection.settings),
                window: connection.window.clone(),
                requests: connection.requests.clone()?,
            })
        })
    }

    /// Why it is in an error, if it is.
    pub(super) fn fault(&self) -> Option<String> {
        match self.actual() {
            (PlatformState::Error, reason) => reason,
            _ => None,
        }
    }

    /// The connection that takes requests, if there is one.
    pub(super) fn sending_connection(&self) -> Option<u64> {
        self.handle().map(|handle| handle.connection)
    }

    pub(super) fn status(&self) -> AdapterStatus {
        let reason = self.actual().1;
        AdapterStatus {
            kind: self.kind.name.into(),
            platform: self.platform.clone(),
            account: self.account.clone(),
            state: self.state,
            codes: ConnectionCodes::of(reason.as_deref(), self.last_error.as_deref()),
            reason,
            since: self.since,
            sent: self.sent,
            received: self.received,
            failed: self.failed,
            last_error: self.last_error.clone(),
        }
    }
}
