//! A bot: its settings, the accounts that it uses, and its state.

use super::cursor_keeper::{CursorKeeper, WriteTurn};
use super::ids::Named;
use super::saved_state::{self, BotCursor};
use super::settings::{BotConfig, BotKind};
use super::shared::BotsShared;
use crate::clock::now;
use crate::model::message::Message;
use crate::model::notice::ContactRequest;
use crate::protocol::platform::PlatformState;
use crate::store::Result;
use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock, PoisonError};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Seconds after which an account that was not seen is not offered to a bot any more.
const FORGOTTEN_AFTER: u64 = 7 * 24 * 60 * 60;

/// The most accounts of a bot that names none: programs may report ever more accounts.
const MAX_ACCOUNTS: usize = 100;

/// The most messages that a bot may send at once without waiting for their outcomes.
const MAX_UNWATCHED: usize = 128;

/// Platform, account and cursor.
type AccountCursors = Vec<(String, String, BotCursor)>;

/// A configured bot.
pub(super) struct ConfiguredBot {
    pub(super) shared: Arc<BotsShared>,
    /// Settings that can change while it is connected.
    pub(super) config: ArcSwap<BotConfig>,
    /// Ends its connections.
    pub(super) stop: CancellationToken,
    accounts: Mutex<Vec<Arc<ServedAccount>>>,
    /// The cursors that an earlier bot with the same name and other settings left behind.
    inherited: BotCursors,
    /// The cursors from the store when the bot began, or from the earlier bot.
    cursors: OnceLock<AccountCursors>,
    /// The single cursor of the bot, if one connection serves all accounts.
    cursor: OnceLock<Arc<CursorKeeper>>,
    /// Changes whenever an account may have appeared, disappeared or changed its state.
    pub(super) accounts_changed: watch::Sender<()>,
    /// Makes the bot look for accounts again.
    pub(super) look_again: Notify,
    pub(super) status: Mutex<BotStatus>,
    /// Permits for messages whose outcomes it does not wait for.
    pub(super) unwatched: Arc<Semaphore>,
    /// It was logged that an action named none of several accounts.
    pub(super) names_no_account: Once,
    /// Number of its next connections that panic, for tests.
    #[cfg(test)]
    pub(super) panics: std::sync::atomic::AtomicU32,
}

/// The cursors that a bot leaves when it ends, for a new one with the same name.
#[derive(Default)]
pub(super) struct BotCursors {
    cursors: AccountCursors,
    writing: Arc<WriteTurn>,
}

/// State of a bot.
pub(super) struct BotStatus {
    pub(super) state: PlatformState,
    pub(super) since: u64,
    pub(super) last_error: Option<String>,
    /// Number of present connections.
    connections: usize,
}

/// An account that a bot uses.
#[derive(Clone)]
pub(super) struct ServedAccount {
    pub(super) platform: String,
    pub(super) account: String,
    /// The number of the account for the framework.
    pub(super) self_id: i64,
    pub(super) cursor: Arc<CursorKeeper>,
    /// Ends the connections of the account: when the bot ends, or when it does not use the account
    /// any more.
    pub(super) stop: CancellationToken,
}

impl ServedAccount {
    /// Whether a message belongs to this account, as far as is known: a bot reaches no other
    /// account's messages.
    pub(super) fn has(&self, message: &Message) -> bool {
        message.platform.as_ref() == Some(&self.platform)
            && message.account.as_ref().is_none_or(|account| *account == self.account)
    }

    /// Whether a request was made to this account.
    pub(super) fn has_request(&self, request: &ContactRequest) -> bool {
        request.notice.platform == self.platform && request.notice.account == self.account
    }
}

/// A connection of a bot, counted for as long as it is held.
pub(super) struct Connected<'a>(&'a ConfiguredBot);

impl ConfiguredBot {
    pub(super) fn new(shared: Arc<BotsShared>, config: BotConfig, inherited: BotCursors) -> Self {
        let state = if config.url.is_some() {
            PlatformState::Connecting
        } else {
            PlatformState::Disconnected
        };
        let status = BotStatus { state, since: now(), last_error: None, connections: 0 };
        Self {
            stop: shared.core.stop.child_token(),
            shared,
            config: ArcSwap::from_pointee(config),
            accounts: Mutex::default(),
            inherited,
            cursors: OnceLock::new(),
            cursor: OnceLock::new(),
            accounts_changed: watch::Sender::new(()),
            look_again: Notify::new(),
            status: Mutex::new(status),
            unwatched: Arc::new(Semaphore::new(MAX_UNWATCHED)),
            names_no_account: Once::new(),
            #[cfg(test)]
            panics: std::sync::atomic::AtomicU32::new(0),
        }
    }

    /// Panics if a test asked for it.
    #[cfg(test)]
    pub(super) fn panic_if_wanted(&self) {
        use std::sync::atomic::Ordering::Relaxed;
        let wanted = self.panics.load(Relaxed);
        self.panics.store(wanted.saturating_sub(1), Relaxed);
        assert_eq!(wanted, 0, "a test wants a panic here");
    }

    pub(super) fn name(&self) -> String {
        self.config.load().name.clone()
    }

    /// Ends the connections. After this none of them changes a cursor, because the cursors belong to
    /// the next bot with the same name.
    pub(super) fn end(&self) -> BotCursors {
        self.stop.cancel();
        // The bot may not have found every account whose cursor it inherited.
        let mut cursors = self.inherited.cursors.clone();
        for known in lock(&self.accounts).iter() {
            if let Some(cursor) = known.cursor.hand_over() {
                put_cursor(&mut cursors, &known.platform, &known.account, cursor);
            }
        }
        BotCursors { cursors, writing: self.inherited.writing.clone() }
    }

    /// The bot's own token, else the server's (contract, item 35).
    pub(super) fn token(&self) -> Option<String> {
        let config = self.config.load();
        config.token.clone().or_else(|| config.server_token.clone())
    }

    /// The accounts that the bot uses.
    pub(super) fn accounts(&self) -> Vec<Arc<ServedAccount>> {
        lock(&self.accounts).clone()
    }

    /// Looks for new accounts and returns them; drops accounts that the bot does not use any more.
    pub(super) async fn find_accounts(&self) -> Result<Vec<Arc<ServedAccount>>> {
        self.let_go()?;
        let config = self.config.load_full();
        let cursors = self.cursors(&config.name)?;
        let adapters = self.shared.core.registry.platforms().into_iter();
        let seen = adapters.filter_map(|adapter| Some((adapter.platform, adapter.account?)));
        let is_remembered = |cursor: &BotCursor| cursor.at.saturating_add(FORGOTTEN_AFTER) > now();
        let remembered = cursors
            .iter()
            .filter(|(_, _, cursor)| is_remembered(cursor))
            .map(|(platform, account, _)| (platform.clone(), account.clone()));
        let all: Vec<_> = seen.chain(config.accounts.iter().cloned()).chain(remembered).collect();
        let mut new = Vec::new();
        for (platform, account) in all {
            if self.account(&platform, &account).is_none() {
                new.extend(self.add_account(platform, account).await?);
            }
        }
        Ok(new)
    }

    /// An account that the bot uses.
    pub(super) fn account(&self, platform: &str, account: &str) -> Option<Arc<ServedAccount>> {
        let is_it =
            |known: &&Arc<ServedAccount>| known.platform == platform && known.account == account;
        lock(&self.accounts).iter().find(is_it).cloned()
    }

    /// Adds an account; `None` if the bot may not use it, or uses it already.
    pub(super) async fn add_account(
        &self,
        platform: String,
        account: String,
    ) -> Result<Option<Arc<ServedAccount>>> {
        let config = self.config.load_full();
        if !self.speaks_for(&config, &platform, &account)? {
            return Ok(None);
        }
        let self_id = self.shared.ids.number(Named::Person, &platform, &account).await?;
        let cursor = match config.kind {
            BotKind::OneBot11 => self.place_of(&config.name, &platform, &account)?,
            BotKind::Satori => self.cursor()?,
        };
        let mut accounts = lock(&self.accounts);
        let is_known =
            |known: &Arc<ServedAccount>| known.platform == platform && known.account == account;
        if self.stop.is_cancelled() || accounts.iter().any(is_known) {
            return Ok(None);
        }
        if config.accounts.is_empty() && accounts.len() >= MAX_ACCOUNTS {
            let bot = &config.name;
            tracing::warn!(bot, platform, account, "too many accounts for a bot: name its own");
            return Ok(None);
        }
        cursor.keep_under(saved_state::cursor_key(&config.name, &platform, &account));
        let stop = self.stop.child_token();
        let account = Arc::new(ServedAccount { platform, account, self_id, cursor, stop });
        accounts.push(account.clone());
        Ok(Some(account))
    }

    /// Ends the connections of accounts that the bot does not use any more: `loopback` is dropped
    /// when there is another platform.
    fn let_go(&self) -> Result<()> {
        let config = self.config.load_full();
        for known in self.accounts() {
            let ServedAccount { platform, account, .. } = &*known;
            if !self.speaks_for(&config, platform, account)? {
                lock(&self.accounts).retain(|other| !Arc::ptr_eq(other, &known));
                known.stop.cancel();
                tracing::info!(bot = config.name, platform, account, "a bot has lost an account");
            }
        }
        Ok(())
    }

    /// Whether the bot uses an account.
    fn speaks_for(&self, config: &BotConfig, platform: &str, account: &str) -> Result<bool> {
        let is_left_out = config.accounts.is_empty() && self.shared.is_for_trial(platform)?;
        Ok(!is_left_out && config.has_account(platform, account))
    }

    /// The cursor for one account.
    fn place_of(&self, name: &str, platform: &str, account: &str) -> Result<Arc<CursorKeeper>> {
        let is_its = |(its_platform, its, _): &&(String, String, BotCursor)| {
            its_platform == platform && its == account
        };
        let cursor = self.cursors(name)?.iter().find(is_its).map(|(_, _, cursor)| *cursor);
        Ok(Arc::new(self.keeper(cursor)))
    }

    /// The single cursor for all accounts: the earliest of theirs, because a crash may have left
    /// them different. Accounts that the bot does not use any more do not count.
    pub(super) fn cursor(&self) -> Result<Arc<CursorKeeper>> {
        let config = self.config.load_full();
        let mut cursors = Vec::new();
        for (platform, account, cursor) in self.cursors(&config.name)? {
            if self.speaks_for(&config, platform, account)? {
                cursors.push(*cursor);
            }
        }
        let newest = cursors.iter().map(|cursor| cursor.at).max().unwrap_or_default();
        cursors.retain(|cursor| cursor.at.saturating_add(FORGOTTEN_AFTER) > newest);
        let cursor = cursors.into_iter().min_by_key(|cursor| cursor.offset);
        Ok(self.cursor.get_or_init(|| Arc::new(self.keeper(cursor))).clone())
    }

    fn keeper(&self, cursor: Option<BotCursor>) -> CursorKeeper {
        CursorKeeper::new(self.shared.core.store.clone(), cursor, self.inherited.writing.clone())
    }

    fn cursors(&self, name: &str) -> Result<&AccountCursors> {
        if let Some(cursors) = self.cursors.get() {
            return Ok(cursors);
        }
        let kept = self.shared.core.store.view()?.adapter_state(saved_state::OWNER)?;
        let mut cursors = saved_state::cursors(name, &kept);
        for (platform, account, cursor) in &self.inherited.cursors {
            put_cursor(&mut cursors, platform, account, *cursor);
        }
        Ok(self.cursors.get_or_init(|| cursors))
    }

    /// Notes that a connection began.
    pub(super) fn connected(&self) -> Connected<'_> {
        let mut status = lock(&self.status);
        status.connections += 1;
        status.set(PlatformState::Connected, None);
        Connected(self)
    }

    /// Serves an accepted connection until it ends, or `served` (a bot or an account of it) ends;
    /// `serving` returns the reason, and ends with `stop`.
    pub(super) async fn serve_while(
        &self,
        served: &CancellationToken,
        serving: impl Future<Output = String>,
        stop: &CancellationToken,
    ) {
        let serve = async {
            let reason = serving.await;
            self.failed(PlatformState::Disconnected, &reason);
        };
        tokio::pin!(serve);
        tokio::select! {
            () = &mut serve => return,
            () = served.cancelled() => stop.cancel(),
        }
        serve.await;
    }

    /// Notes that the framework was refused.
    pub(super) fn refused(&self, reason: &str) {
        lock(&self.status).refused(reason);
    }

    /// The account for a request that names none: the only one of these, or the only one that is
    /// connected.
    pub(super) fn presumed(&self, accounts: &[Arc<ServedAccount>]) -> Option<Arc<ServedAccount>> {
        only_one(accounts).or_else(|| {
            let registry = &self.shared.core.registry;
            let mut there = accounts.to_vec();
            there.retain(|one| registry.has_account(&one.platform, &one.account));
            only_one(&there)
        })
    }

    /// Notes that a connection ended or failed; `state` is the bot's state if there is no other
    /// connection.
    pub(super) fn failed(&self, state: PlatformState, reason: &str) {
        let mut status = lock(&self.status);
        let state = if status.connections > 0 { PlatformState::Connected } else { state };
        status.set(state, Some(reason));
    }
}

impl BotStatus {
    /// Keeps why the framework was refused, unless another connection of it is there.
    fn refused(&mut self, reason: &str) {
        if self.connections == 0 {
            self.last_error = Some(reason.to_owned());
        }
    }

    fn set(&mut self, state: PlatformState, reason: Option<&str>) {
        match reason {
            Some(reason) => self.last_error = Some(reason.to_owned()),
            None if state == PlatformState::Connected => self.last_error = None,
            None => {}
        }
        if state != self.state {
            (self.state, self.since) = (state, now());
        }
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        let mut status = lock(&self.0.status);
        status.connections -= 1;
        if status.connections == 0 {
            status.set(PlatformState::Disconnected, None);
        }
    }
}

/// The only one of these accounts; `None` if there are several or none.
pub(super) fn only_one(accounts: &[Arc<ServedAccount>]) -> Option<Arc<ServedAccount>> {
    match accounts {
        [account] => Some(account.clone()),
        _ => None,
    }
}

/// Replaces the cursor of an account.
fn put_cursor(cursors: &mut AccountCursors, platform: &str, account: &str, cursor: BotCursor) {
    cursors.retain(|(its_platform, its, _)| (&**its_platform, &**its) != (platform, account));
    cursors.push((platform.to_owned(), account.to_owned(), cursor));
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
