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
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// Accounts whose state is kept after their connections. The one that connected longest ago is forgotten.
const MAX_KEPT: usize = 1_000;
/// Bytes of the messages whose state is kept so, in all.
const MAX_KEPT_BYTES: usize = 64 << 20;

/// The state of an account that outlives its connections, because a message may be sent over several of them.
#[derive(Debug, Default)]
struct LastingState {
    /// Messages that are sent in several parts.
    progress: SendProgress,
    /// The group through which each stranger is reached, by conversation: that of the last message.
    through: Names,
    /// The conversations whose messages in doubt are known that an earlier process may have sent.
    restored: Recent,
}

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
    pub(super) history_limits: Arc<HistoryLimits>,
    pub(super) clocks: Arc<PlatformClocks>,
    /// The state that outlives its connections. Its ID may become known later than its first connection.
    lasting: OnceLock<Arc<LastingState>>,
    /// The same, until its ID is known.
    early: Arc<LastingState>,
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
            history_limits: Arc::clone(&shared.history_limits),
            clocks: Arc::clone(&shared.clocks),
            lasting: OnceLock::new(),
            early: Arc::default(),
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

    /// The messages that are sent in several parts.
    pub(super) fn progress(&self) -> &SendProgress {
        &self.lasting().progress
    }

    /// The group through which each stranger is reached, by conversation.
    pub(super) fn through(&self) -> &Names {
        &self.lasting().through
    }

    /// Whether it is known which messages an earlier process may have sent to a conversation.
    pub(super) fn is_doubt_restored(&self, conversation: &str) -> bool {
        self.lasting().restored.contains("", conversation)
    }

    /// It is known now.
    pub(super) fn doubt_is_restored(&self, conversation: &str) {
        self.lasting().restored.insert("", conversation);
    }

    fn lasting(&self) -> &LastingState {
        self.lasting.get().unwrap_or(&self.early)
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
    /// By platform and ID, the one that connected last at the end.
    kept: Mutex<VecDeque<(String, Arc<LastingState>)>>,
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
        self.give_kept_state(&account);
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        connected.retain(|_, account| account.strong_count() > 0);
        let key = (account.platform.clone(), id.to_owned());
        if let Some(shared) = connected.get(&key).and_then(Weak::upgrade) {
            return shared;
        }
        connected.insert(key, Arc::downgrade(&account));
        account
    }

    /// Gives an account the state of its earlier connections. An attempt may have begun before its ID was
    /// known.
    fn give_kept_state(&self, account: &Account) {
        let key = account.key();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().position(|(known, _)| *known == key);
        let known = known.and_then(|place| kept.remove(place));
        let mut bytes: usize = kept.iter().map(|(_, state)| state.progress.bytes()).sum();
        while kept.len() >= MAX_KEPT || bytes > MAX_KEPT_BYTES {
            let forgotten = kept.pop_front().map_or(bytes, |(_, state)| state.progress.bytes());
            bytes = bytes.saturating_sub(forgotten);
        }
        let state = known.map_or_else(|| Arc::clone(&account.early), |(_, state)| state);
        kept.push_back((key, Arc::clone(&state)));
        let is_other = !Arc::ptr_eq(&state, &account.early);
        let _ = account.lasting.set(state);
        if is_other {
            account.progress().append(&account.early.progress);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::api::Outbound;
    use crate::model::content::Content;
    use uuid::Uuid;

    fn message() -> Outbound {
        Outbound::new(Uuid::from_u128(1), "group_1", Content::text("a b"))
    }

    /// How many parts of the message an account knows to be sent.
    fn gone(account: &Account) -> usize {
        account.progress().begin(&message(), &["a".into(), "b".into()])
    }

    #[test]
    fn the_parts_that_were_sent_are_known_to_the_next_connection() {
        let accounts = Accounts::default();
        let first = accounts.get("qq", Some("1"));
        assert_eq!(gone(&first), 0);
        first.progress().part_sent(message().id, Some("101".into()), false);
        first.through().set("private_5", "77");
        drop(first);
        let next = accounts.get("qq", Some("1"));
        assert_eq!((gone(&next), next.through().get("private_5").as_deref()), (1, Some("77")));
        assert_eq!(gone(&accounts.get("qq", Some("2"))), 0, "that is another account");
        assert_eq!(gone(&accounts.get("red", Some("1"))), 0, "that is another platform");
    }

    #[test]
    fn an_attempt_that_begins_before_the_account_is_known_goes_on() {
        let accounts = Accounts::default();
        drop(accounts.get("qq", Some("1")));
        let unnamed = accounts.get("qq", None);
        assert_eq!(gone(&unnamed), 0);
        let named = accounts.identify(Arc::clone(&unnamed), "1");
        unnamed.progress().part_sent(message().id, Some("101".into()), false);
        assert_eq!(gone(&named), 1);
    }

    #[test]
    fn few_accounts_are_kept() {
        let accounts = Accounts::default();
        for id in 0..MAX_KEPT + 10 {
            drop(accounts.get("qq", Some(&id.to_string())));
        }
        assert_eq!(accounts.kept.lock().unwrap().len(), MAX_KEPT);
    }
}
