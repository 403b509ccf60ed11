//! Which accounts are connected, and the state of every adapter.
//!
//! An entry is an account, or a configured adapter that has no account yet. Its state follows from
//! its connections, so that the end of an old socket never undoes the beginning of a new one.

mod changes;
mod entry;
mod registration;
mod routing;
mod table;
mod throttled_changes;

pub use changes::Changes;
pub(super) use registration::{ConfiguredEntry, Registration};
pub use routing::{configured_facts, conversations_of, is_fallback, loses_media};
pub use throttled_changes::ThrottledChanges;

use super::api::{AccountHandle, AccountRequest, Kind, OnUnknown, Settings, Window};
use crate::protocol::platform::{AdapterStatus, PlatformState};
use entry::{AccountEntry, EntryConnection};
use std::sync::Arc;
use std::time::Duration;
use table::RegistryShared;
use tokio::sync::{mpsc, watch};

/// Requests that may wait for one connection.
const MAX_REQUESTS: usize = 64;

/// The accounts that are connected, shared by all clones.
#[derive(Clone, Debug)]
pub struct Registry {
    shared: Arc<RegistryShared>,
}

/// A connection as it is known when it begins.
pub(super) struct NewConnection<'a> {
    pub(super) settings: Arc<Settings>,
    pub(super) platform: &'a str,
    pub(super) account: Option<&'a str>,
    /// The configured adapter that it belongs to.
    pub(super) entry: Option<&'a ConfiguredEntry>,
    /// Why the account is off, if it is.
    pub(super) offline: Option<&'a str>,
    /// Conversations that may be closed, where the platform has such.
    pub(super) window: Option<Arc<dyn Window>>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// A registry in which nothing is connected.
    pub fn new() -> Self {
        Self { shared: Arc::new(RegistryShared::new()) }
    }

    /// Every change of state from now on, each once and in order.
    pub fn changes(&self) -> Changes {
        Changes::new(Arc::clone(&self.shared))
    }

    /// The same for those who are told: of an account that goes to and fro, not every change.
    pub fn throttled_changes(&self) -> ThrottledChanges {
        ThrottledChanges::new(self.changes())
    }

    /// Changes whenever another connection takes requests than before. The state is not enough: an
    /// account may be connected by a connection that only brings events.
    pub fn handles_changed(&self) -> watch::Receiver<u64> {
        self.shared.handles.subscribe()
    }

    /// The adapters: those configured, and the accounts that are or were connected.
    pub fn platforms(&self) -> Vec<AdapterStatus> {
        self.shared.lock().shown().map(AccountEntry::status).collect()
    }

    /// An account to send by: the preferred one, else the one connected longest. Where conversations have
    /// windows, each is one account's: another does not stand in for one that is known.
    pub fn handle(&self, platform: &str, preferred: Option<&str>) -> Option<AccountHandle> {
        let table = self.shared.lock();
        let entries = || table.entries.iter().filter(|entry| entry.platform == platform);
        let handles = || entries().filter_map(AccountEntry::handle);
        let is_preferred =
            |handle: &AccountHandle| preferred.is_some() && handle.account.as_deref() == preferred;
        let is_known =
            entries().any(|entry| preferred.is_some() && entry.account.as_deref() == preferred);
        handles().find(is_preferred).or_else(|| {
            let others = handles().filter(|handle| !(is_known && handle.has_window()));
            others.min_by_key(|handle| (handle.since, handle.connection))
        })
    }

    /// Whether any account of a platform, connected or not, is configured never to send again what
    /// may have gone out.
    pub fn is_cautious(&self, platform: &str) -> bool {
        let is_cautious = |entry: &AccountEntry| {
            entry.platform == platform && entry.on_unknown == OnUnknown::Fail
        };
        self.shared.lock().entries.iter().any(is_cautious)
    }

    /// How long a message of a platform may wait, where its adapter has a limit of its own.
    pub fn time_to_live(&self, platform: &str) -> Option<Duration> {
        let table = self.shared.lock();
        let entries = table.entries.iter().filter(|entry| entry.platform == platform);
        entries.filter_map(|entry| entry.time_to_live).max()
    }

    /// The shortest limit of any adapter on how long a message may wait.
    pub fn shortest_time_to_live(&self) -> Option<Duration> {
        self.shared.lock().entries.iter().filter_map(|entry| entry.time_to_live).min()
    }

    /// Why an account of a platform cannot send, where it is known and says why; without one, or where it
    /// is not known, why any that is in an error cannot.
    pub fn fault(&self, platform: &str, account: Option<&str>) -> Option<String> {
        let table = self.shared.lock();
        let mut entries = table.entries.iter().filter(|entry| entry.platform == platform);
        if let Some(known) =
            entries.clone().find(|entry| account.is_some() && entry.account.as_deref() == account)
        {
            return known.fault().or_else(|| known.unconnected.1.clone());
        }
        entries.find_map(AccountEntry::fault)
    }

    /// Whether media of a platform are only to be had for a while, and from nowhere else later.
    pub fn loses_media(&self, platform: &str) -> bool {
        let table = self.shared.lock();
        let mut entries = table.entries.iter().filter(|entry| entry.platform == platform);
        entries.any(|entry| entry.kind.loses_media)
    }

    /// The platforms of which an account is connected and on, each once with its kind.
    pub fn connected(&self) -> Vec<(String, &'static Kind)> {
        let mut found: Vec<(String, &'static Kind)> = Vec::new();
        let table = self.shared.lock();
        let is_on =
            |entry: &&AccountEntry| !entry.connections.is_empty() && entry.offline.is_none();
        for AccountEntry { platform, kind, .. } in table.entries.iter().filter(is_on) {
            if !found.iter().any(|(name, of)| name == platform && of.name == kind.name) {
                found.push((platform.clone(), kind));
            }
        }
        found
    }

    /// Whether an account is connected.
    pub fn has_account(&self, platform: &str, account: &str) -> bool {
        let table = self.shared.lock();
        let mut its = table.entries.iter().filter(|one| one.is_account(platform, Some(account)));
        its.any(|entry| !entry.connections.is_empty())
    }

    /// Counts a message that went out.
    pub fn count_sent(&self, platform: &str, account: Option<&str>) {
        self.count(platform, account, |entry| entry.sent += 1);
    }

    /// Counts a message that came in.
    pub fn count_received(&self, platform: &str, account: Option<&str>) {
        self.count(platform, account, |entry| entry.received += 1);
    }

    /// Counts an attempt that failed, and keeps why.
    pub fn count_failed(&self, platform: &str, account: Option<&str>, error: &str) {
        self.count(platform, account, |entry| {
            entry.failed += 1;
            entry.last_error = Some(error.to_owned());
        });
    }

    fn count(&self, platform: &str, account: Option<&str>, add: impl FnOnce(&mut AccountEntry)) {
        let mut table = self.shared.lock();
        let entry = table.entries.iter_mut().find(|entry| entry.is_account(platform, account));
        if let Some(entry) = entry {
            add(entry);
        }
    }

    /// Adds an entry for a configured adapter, before anything connects.
    pub(super) fn add_configured(&self, settings: &Settings) -> ConfiguredEntry {
        let mut table = self.shared.lock();
        let id = table.next_id();
        let mut entry = AccountEntry::new(id, settings.kind, settings.platform(), None);
        entry.is_configured = true;
        entry.on_unknown = settings.on_unknown;
        entry.time_to_live = settings.time_to_live;
        table.add(entry);
        ConfiguredEntry { shared: Arc::clone(&self.shared), id }
    }

    /// Removes the entries of all configured adapters.
    pub(super) fn remove_configured(&self) {
        let mut table = self.shared.lock();
        let configured = table.entries.iter().filter(|entry| entry.is_configured);
        let ids: Vec<_> = configured.map(|entry| entry.id).collect();
        for id in ids {
            self.shared.change(&mut table, id, |entry| {
                entry.connections.clear();
                entry.offline = None;
                entry.unconnected =
                    (PlatformState::Disconnected, Some("no longer configured".into()));
            });
        }
        table.keep(|entry| !entry.is_configured);
        table.entries.iter_mut().for_each(|entry| entry.configured = None);
    }

    /// Registers a connection that takes no requests.
    pub(super) fn connect(&self, new: &NewConnection<'_>) -> Registration {
        self.add(new, None)
    }

    /// Registers a connection that takes requests.
    pub(super) fn connect_for_requests(
        &self,
        new: &NewConnection<'_>,
    ) -> (Registration, mpsc::Receiver<AccountRequest>) {
        let (requests, queue) = mpsc::channel(MAX_REQUESTS);
        (self.add(new, Some(requests)), queue)
    }

    /// Shows an account that has no connection, in a state.
    pub(super) fn show(&self, new: &NewConnection<'_>, state: PlatformState, reason: Option<&str>) {
        let mut table = self.shared.lock();
        let id = table
            .find_account(new.platform, new.account)
            .unwrap_or_else(|| table.add_account(new.settings.kind, new.platform, new.account));
        self.shared.change(&mut table, id, |entry| {
            entry.configured = new.entry.map(|entry| entry.id).or(entry.configured);
            entry.on_unknown = new.settings.on_unknown;
            entry.time_to_live = new.settings.time_to_live;
            entry.unconnected = (state, reason.map(str::to_owned));
        });
    }

    /// Forgets an account that has no connection.
    pub(super) fn forget(&self, platform: &str, account: &str) {
        let mut table = self.shared.lock();
        table.entries.retain(|entry| {
            entry.is_configured
                || !entry.is_account(platform, Some(account))
                || !entry.connections.is_empty()
        });
    }

    fn add(
        &self,
        new: &NewConnection<'_>,
        requests: Option<mpsc::Sender<AccountRequest>>,
    ) -> Registration {
        let mut table = self.shared.lock();
        let connection = table.next_id();
        let configured = new.entry.map(|entry| entry.id);
        let id = match (new.account, configured) {
            (None, Some(configured)) => configured,
            (account, _) => table
                .find_account(new.platform, account)
                .unwrap_or_else(|| table.add_account(new.settings.kind, new.platform, account)),
        };
        let settings = Arc::clone(&new.settings);
        self.shared.change(&mut table, id, |entry| {
            entry.configured = configured.filter(|it| *it != id).or(entry.configured);
            entry.offline = new.offline.map(str::to_owned);
            entry.on_unknown = settings.on_unknown;
            entry.time_to_live = settings.time_to_live;
            let window = new.window.clone();
            entry.connections.push(EntryConnection { id: connection, settings, requests, window });
        });
        Registration { shared: Arc::clone(&self.shared), entry: id, connection }
    }
}

#[cfg(test)]
mod tests;
