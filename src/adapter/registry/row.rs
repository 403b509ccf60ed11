//! One row of the registry, and the state that follows from its connections.

use super::{AdapterStatus, StatusChange};
use crate::adapter::settings::Settings;
use crate::adapter::{AccountHandle, Kind, OnUnknown, Request, State};
use crate::clock::now;
use std::sync::Arc;
use tokio::sync::mpsc;

/// One connection of a row.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: u64,
    pub(super) settings: Arc<Settings>,
    /// Where to send by, unless it only brings events.
    pub(super) requests: Option<mpsc::Sender<Request>>,
}

/// An account, or a configured adapter.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) kind: &'static Kind,
    pub(super) platform: String,
    pub(super) account: Option<String>,
    /// It stands for an entry of the configuration, and stays.
    pub(super) configured: bool,
    /// The configured adapter by which the account came.
    pub(super) seat: Option<u64>,
    /// The newest last.
    pub(super) connections: Vec<Connection>,
    /// Why the account is off though connected.
    pub(super) offline: Option<String>,
    /// How the newest connection, or the entry of the configuration, treats unknown outcomes.
    pub(super) on_unknown: OnUnknown,
    /// What it is without a connection.
    pub(super) absent: (State, Option<String>),
    /// The state last published.
    state: State,
    pub(super) since: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) failed: u64,
    pub(super) last_error: Option<String>,
}

impl Row {
    pub(super) fn new(id: u64, kind: &'static Kind, platform: &str, account: Option<&str>) -> Self {
        Self {
            id,
            kind,
            platform: platform.to_owned(),
            account: account.map(str::to_owned),
            configured: false,
            seat: None,
            connections: Vec::new(),
            offline: None,
            on_unknown: OnUnknown::default(),
            absent: (State::Disconnected, None),
            state: State::Disconnected,
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
    pub(super) fn remove(&mut self, connection: u64) -> Option<Connection> {
        let place = self.connections.iter().position(|known| known.id == connection)?;
        Some(self.connections.remove(place))
    }

    /// The state moves to another row: this one is as if it had never been connected.
    pub(super) fn take_state(&mut self, now: u64) -> (State, u64) {
        let taken = (self.state, self.since);
        (self.state, self.since) = (State::Disconnected, now);
        self.absent = (State::Disconnected, None);
        taken
    }

    /// Takes over a state that was published already.
    pub(super) fn inherit(&mut self, (state, since): (State, u64)) {
        (self.state, self.since) = (state, since);
    }

    /// Brings the published state up to date; the change, if it is one.
    pub(super) fn settle(&mut self, now: u64) -> Option<StatusChange> {
        let (state, reason) = self.actual();
        if let (Some(reason), State::Error | State::Disconnected | State::Connecting) =
            (&reason, state)
        {
            self.last_error = Some(reason.clone());
        }
        if state == self.state {
            return None;
        }
        (self.state, self.since) = (state, now);
        Some(self.present())
    }

    fn actual(&self) -> (State, Option<String>) {
        match (&self.offline, self.connections.is_empty()) {
            (_, true) => self.absent.clone(),
            (Some(reason), false) => (State::Error, Some(reason.clone())),
            (None, false) => (State::Connected, None),
        }
    }

    /// The state as a change tells it.
    pub(super) fn present(&self) -> StatusChange {
        StatusChange {
            platform: self.platform.clone(),
            account: self.account.clone(),
            state: self.state,
            reason: self.actual().1,
        }
    }

    /// The way to the account, if one can send by it: its newest connection that takes requests.
    pub(super) fn link(&self) -> Option<AccountHandle> {
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
                requests: connection.requests.clone()?,
            })
        })
    }

    /// The connection to send by, if there is one.
    pub(super) fn link_id(&self) -> Option<u64> {
        self.link().map(|link| link.connection)
    }

    pub(super) fn status(&self) -> AdapterStatus {
        AdapterStatus {
            kind: self.kind.name.into(),
            platform: self.platform.clone(),
            account: self.account.clone(),
            state: self.state,
            since: self.since,
            sent: self.sent,
            received: self.received,
            failed: self.failed,
            last_error: self.last_error.clone(),
        }
    }
}
