//! The values that adapters hold: one for each configured adapter, one for each connection.

use super::entry::AccountEntry;
use super::table::RegistryShared;
use crate::clock::now;
use crate::protocol::platform::PlatformState;
use std::sync::Arc;

/// The entry of a configured adapter.
#[derive(Clone, Debug)]
pub(in crate::adapter) struct ConfiguredEntry {
    pub(super) shared: Arc<RegistryShared>,
    pub(super) id: u64,
}

impl ConfiguredEntry {
    /// Sets the state while nothing is connected.
    pub(in crate::adapter) fn set_state(&self, state: PlatformState, reason: Option<&str>) {
        let mut table = self.shared.lock();
        let connected_by_it =
            |entry: &&AccountEntry| entry.configured == Some(self.id) && entry.account.is_some();
        let mut ids: Vec<u64> =
            table.entries.iter().filter(connected_by_it).map(|entry| entry.id).collect();
        if ids.is_empty() {
            ids.push(self.id);
        }
        for id in ids {
            self.shared.change(&mut table, id, |entry| {
                entry.unconnected = (state, reason.map(str::to_owned));
            });
        }
    }
}

/// A registered connection; its registration ends when this is dropped.
#[derive(Debug)]
pub(in crate::adapter) struct Registration {
    pub(super) shared: Arc<RegistryShared>,
    pub(super) entry: u64,
    pub(super) connection: u64,
}

impl Registration {
    /// The account became known: the connection moves to the account's entry.
    pub(in crate::adapter) fn identify(&mut self, account: &str) {
        let shared = Arc::clone(&self.shared);
        let mut table = shared.lock();
        let Some(from) = table.get(self.entry) else { return };
        let Some(connection) = from.remove(self.connection) else { return };
        let (kind, platform) = (from.kind, from.platform.clone());
        let configured = if from.is_configured { Some(from.id) } else { from.configured };
        let published = from.connections.is_empty().then(|| from.take_state(now()));
        let known = table.find_account(&platform, Some(account));
        self.entry = known.unwrap_or_else(|| table.add_account(kind, &platform, Some(account)));
        shared.change(&mut table, self.entry, |entry| {
            if let (None, Some(published)) = (known, published) {
                entry.inherit(published);
            }
            entry.configured = configured.or(entry.configured);
            entry.offline = None;
            entry.on_unknown = connection.settings.on_unknown;
            entry.time_to_live = connection.settings.time_to_live;
            entry.connections.push(connection);
        });
        table.entries.retain(|entry| {
            entry.is_configured || entry.account.is_some() || !entry.connections.is_empty()
        });
    }

    /// The account is logged out, but the connection to the program is still open.
    pub(in crate::adapter) fn offline(&self, reason: &str) {
        let mut table = self.shared.lock();
        let offline = Some(reason.to_owned());
        self.shared.change(&mut table, self.entry, |entry| entry.offline = offline);
    }

    /// The account is on; returns whether it had been off.
    pub(in crate::adapter) fn online(&self) -> bool {
        let mut table = self.shared.lock();
        let was_off = table.get(self.entry).is_some_and(|entry| entry.offline.is_some());
        self.shared.change(&mut table, self.entry, |entry| entry.offline = None);
        was_off
    }

    /// Keeps an error that ends nothing as the account's last one.
    pub(in crate::adapter) fn note_error(&self, error: &str) {
        let mut table = self.shared.lock();
        self.shared.change(&mut table, self.entry, |entry| entry.last_error = Some(error.into()));
    }

    /// Ends the registration with a state and its reason.
    pub(in crate::adapter) fn end(self, state: PlatformState, reason: &str) {
        self.remove(state, reason);
    }

    fn remove(&self, state: PlatformState, reason: &str) {
        let mut table = self.shared.lock();
        self.shared.change(&mut table, self.entry, |entry| {
            if entry.remove(self.connection).is_some() && entry.connections.is_empty() {
                entry.offline = None;
                entry.unconnected = (state, Some(reason.to_owned()));
            }
        });
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.remove(PlatformState::Disconnected, "the connection ended");
    }
}
