//! Accounts: an API and an Event connection of one ID are one account, and share its state.

use super::history_limits::HistoryLimits;
use super::platform_clock::PlatformClocks;
use super::progress::SendProgress;
use super::quoted_messages::AnsweredMessages;
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::common::lookups::Lookups;
use crate::adapter::onebot::common::names::Names;
use crate::adapter::recent::Recent;
use crate::clock::now;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// One account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) platform: String,
    id: OnceLock<String>,
    /// The groups' names, by conversation.
    pub(super) names: Names,
    /// The names of people in groups, by conversation and person.
    pub(super) people: Names,
    /// Messages that came in or were sent lately, by conversation and ID.
    pub(super) known: Recent,
    /// Quoted messages that were asked for.
    pub(super) answered: AnsweredMessages,
    /// Requests to the implementation that are running.
    pub(super) lookups: Lookups,
    /// The group through which each stranger is reached, by conversation: that of the last message.
    pub(super) through: Names,
    pub(super) history_limits: Arc<HistoryLimits>,
    pub(super) clocks: Arc<PlatformClocks>,
    /// Messages that are sent in several parts.
    pub(super) progress: SendProgress,
    /// The connections that take actions, the newest last.
    calls: Mutex<Vec<Calls>>,
}

impl Account {
    fn new(platform: &str, id: Option<&str>, shared: &Accounts) -> Self {
        Self {
            platform: platform.to_owned(),
            id: id.map_or_else(OnceLock::new, |id| OnceLock::from(id.to_owned())),
            names: Names::default(),
            people: Names::default(),
            known: Recent::default(),
            answered: AnsweredMessages::default(),
            lookups: Lookups::default(),
            through: Names::default(),
            history_limits: Arc::clone(&shared.history_limits),
            clocks: Arc::clone(&shared.clocks),
            progress: SendProgress::default(),
            calls: Mutex::default(),
        }
    }

    /// The account's ID, once it is known.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.get().map(String::as_str)
    }

    /// The platform and the ID, as one text.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.platform, self.id().unwrap_or_default())
    }

    /// A message of ours was sent under this ID.
    pub(super) fn was_sent(&self, conversation: &str, external_id: &str) {
        self.known.insert(conversation, external_id);
        self.clocks.was_sent(&self.key(), conversation, external_id, now());
    }

    /// A connection that takes actions begins.
    pub(super) fn open(&self, calls: Calls) {
        self.lock().push(calls);
    }

    /// A connection that takes actions ended.
    pub(super) fn close(&self, calls: &Calls) {
        self.lock().retain(|known| !known.is(calls));
    }

    /// The connection by which to call actions, if there is one.
    pub(super) fn calls(&self) -> Option<Calls> {
        self.lock().last().cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Calls>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The accounts that have a connection, by platform and ID.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    connected: Mutex<HashMap<(String, String), Weak<Account>>>,
    history_limits: Arc<HistoryLimits>,
    clocks: Arc<PlatformClocks>,
}

impl Accounts {
    /// The account with this ID, shared by its connections. An account whose ID is unknown is not shared.
    pub(super) fn get(&self, platform: &str, id: Option<&str>) -> Arc<Account> {
        let account = Arc::new(Account::new(platform, id, self));
        match id {
            Some(id) => self.share(account, id),
            None => account,
        }
    }

    /// Sets the account's ID once it is known. The result is shared from now on, or is the account that is
    /// shared already.
    pub(super) fn identify(&self, account: Arc<Account>, id: &str) -> Arc<Account> {
        // It is set once; the caller has made sure.
        let _ = account.id.set(id.to_owned());
        self.share(account, id)
    }

    fn share(&self, account: Arc<Account>, id: &str) -> Arc<Account> {
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        connected.retain(|_, account| account.strong_count() > 0);
        let key = (account.platform.clone(), id.to_owned());
        if let Some(shared) = connected.get(&key).and_then(Weak::upgrade) {
            return shared;
        }
        connected.insert(key, Arc::downgrade(&account));
        account
    }
}
