//! The table of entries, and the publishing of what changes in it.

use super::entry::AccountEntry;
use crate::adapter::api::Kind;
use crate::clock::now;
use crate::model::routing::PlatformList;
use crate::protocol::platform::AdapterStatusChange;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{broadcast, watch};

/// Changes kept for a reader that lags; one that lags further is told the present states.
pub(super) const MAX_CHANGES: usize = 1024;
/// Entries kept; beyond that the accounts that are gone longest are forgotten.
pub(super) const MAX_ENTRIES: usize = 1024;

/// The part of a registry that all its clones share.
#[derive(Debug)]
pub(super) struct RegistryShared {
    table: Mutex<AccountTable>,
    pub(super) changes: broadcast::Sender<AdapterStatusChange>,
    /// Rises when there is another way to send, or one less.
    pub(super) handles: watch::Sender<u64>,
}

/// The entries.
#[derive(Debug, Default)]
pub(super) struct AccountTable {
    pub(super) entries: Vec<AccountEntry>,
    last_id: u64,
    /// The platforms of the entries with their kinds; filled when first asked for.
    platforms: Option<PlatformList>,
}

impl RegistryShared {
    pub(super) fn new() -> Self {
        let (changes, _) = broadcast::channel(MAX_CHANGES);
        Self { table: Mutex::default(), changes, handles: watch::Sender::default() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, AccountTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes an entry, and publishes its state if that is another one now.
    pub(super) fn change(
        &self,
        table: &mut AccountTable,
        id: u64,
        change: impl FnOnce(&mut AccountEntry),
    ) {
        let Some(entry) = table.get(id) else { return };
        let before = entry.sending_connection();
        change(entry);
        let is_other_way = entry.sending_connection() != before;
        if let Some(change) = entry.update_state(now()) {
            // An error says that no reader is there, which is fine.
            let _ = self.changes.send(change);
        }
        if is_other_way {
            self.handles.send_modify(|count| *count += 1);
        }
    }
}

impl AccountTable {
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn get(&mut self, id: u64) -> Option<&mut AccountEntry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }

    pub(super) fn find_account(&self, platform: &str, account: Option<&str>) -> Option<u64> {
        let is_it =
            |entry: &&AccountEntry| entry.is_account(platform, account) && !entry.is_configured;
        self.entries.iter().find(is_it).map(|entry| entry.id)
    }

    pub(super) fn add_account(
        &mut self,
        kind: &'static Kind,
        platform: &str,
        account: Option<&str>,
    ) -> u64 {
        if self.entries.len() >= MAX_ENTRIES {
            self.forget_one();
        }
        let id = self.next_id();
        self.add(AccountEntry::new(id, kind, platform, account));
        id
    }

    pub(super) fn add(&mut self, entry: AccountEntry) {
        self.entries.push(entry);
        self.platforms = None;
    }

    /// Keeps the entries that are meant.
    pub(super) fn keep(&mut self, is_meant: impl Fn(&AccountEntry) -> bool) {
        self.entries.retain(is_meant);
        self.platforms = None;
    }

    /// The platforms that are configured, or of which an account is or was connected since the
    /// start, each once with its kind.
    pub(super) fn platforms(&mut self) -> PlatformList {
        let all = || {
            let platform = |entry: &AccountEntry| (entry.platform.clone(), entry.kind.name);
            self.entries.iter().map(platform).collect::<BTreeSet<_>>().into_iter().collect()
        };
        self.platforms.get_or_insert_with(all).clone()
    }

    /// The entries as people see them: without configured adapters that their accounts stand for.
    pub(super) fn shown(&self) -> impl Iterator<Item = &AccountEntry> {
        self.entries.iter().filter(|entry| !self.is_stood_for(entry))
    }

    fn is_stood_for(&self, entry: &AccountEntry) -> bool {
        let has_account = || {
            self.entries
                .iter()
                .any(|other| other.configured == Some(entry.id) && other.id != entry.id)
        };
        entry.account.is_none()
            && entry.connections.is_empty()
            && (!entry.is_configured || has_account())
    }

    /// Forgets the account that is gone longest.
    fn forget_one(&mut self) {
        let gone = |entry: &&AccountEntry| entry.connections.is_empty() && !entry.is_configured;
        let oldest = self.entries.iter().filter(gone).min_by_key(|entry| entry.since);
        if let Some(id) = oldest.map(|entry| entry.id) {
            self.keep(|entry| entry.id != id);
        }
    }
}
