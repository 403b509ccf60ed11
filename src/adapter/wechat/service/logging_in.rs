//! Logging accounts in and out, and storing that.

use super::IlinkService;
use super::account_changes::{AccountChange, PendingLogin, PendingLogout};
use super::login_status::{
    answer_with_code, not_connected_reason, tell_done, tell_failed, tell_if_slow,
};
use crate::adapter::api::{AdapterEvent, LoginError};
use crate::adapter::wechat::account::RunningAccount;
use crate::adapter::wechat::login::{Attempt, LoggedIn, LoginEnd};
use crate::adapter::wechat::saved_state::{self, KeptLogin, Login};
use crate::model::event::AdapterState;
use crate::protocol::login::{LoginState, LoginStatus};
use crate::protocol::platform::{AdapterStatus, PlatformState};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

/// How long an account may take to connect after its person scanned the code again: a notice and a little
/// more.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);

/// Words for people about a change of the accounts that does not come to the disk.
const NOT_SAVED: &str = "it could not be stored: rechat is stopping, or the log says why";

impl IlinkService {
    pub(super) fn begin(&mut self, answer: oneshot::Sender<Result<LoginStatus, LoginError>>) {
        let mut held: Vec<_> = self.accounts.values().map(|one| &one.account.login).collect();
        held.sort_by_key(|login| std::cmp::Reverse(login.at));
        let held = held.into_iter().map(|login| login.token.clone()).collect();
        let (api, base) = (self.api.clone(), self.options.url.clone());
        let stop = self.context.stop.clone();
        let unsaved = self.changes.logins().count();
        let begun = self.logins.begin(unsaved, |status, digits| async move {
            let attempt = Attempt { api, base, held, status, digits };
            let stopped = Err("rechat is stopping".to_owned());
            stop.run_until_cancelled(attempt.run()).await.unwrap_or(stopped)
        });
        match begun {
            Ok(status) => drop(self.context.tracker.spawn(answer_with_code(status, answer))),
            Err(error) => {
                tracing::debug!("a login was refused: {error:?}");
                let _ = answer.send(Err(error));
            }
        }
    }

    pub(super) fn login_ended(&mut self, end: LoginEnd) {
        match end {
            Err(reason) => tracing::warn!("a login failed: {reason}"),
            Ok((LoggedIn::Already, status)) => self.bound_already(status),
            // Also one that is not allowed: without its token the person could not log in again.
            Ok((LoggedIn::New(login), status)) => self.log_in(login, status),
        }
    }

    /// A code was scanned by a person whose bot is bound here. Nothing says which account that is; each
    /// that does not work is tried again now, and the login is done once one of them does.
    fn bound_already(&self, status: watch::Sender<LoginStatus>) {
        let platform = self.settings.platform().to_owned();
        let mut changes = self.context.registry.changes();
        let is_offline = |shown: &AdapterStatus| {
            shown.platform == platform && shown.state != PlatformState::Connected
        };
        let shown = self.context.registry.platforms().into_iter().filter(is_offline);
        let offline: BTreeMap<_, _> = shown
            .filter_map(|shown| Some((shown.account?, shown.reason.unwrap_or_default())))
            .filter_map(|(account, reason)| {
                self.accounts.get(&account)?.account.retry.notify_one();
                Some((account, reason))
            })
            .collect();
        if offline.is_empty() {
            let mut accounts = self.accounts.keys();
            let only = accounts.next().filter(|_| self.accounts.len() == 1).cloned();
            return tell_done(&status, only);
        }
        let stop = self.context.stop.clone();
        self.context.tracker.spawn(stop.run_until_cancelled_owned(async move {
            let connected = timeout(RETRY_TIMEOUT, async {
                loop {
                    let change = changes.next().await;
                    let account = change.account.filter(|one| offline.contains_key(one));
                    if change.platform == platform
                        && change.state == PlatformState::Connected
                        && let Some(account) = account
                    {
                        return account;
                    }
                }
            });
            match connected.await {
                Ok(account) => tell_done(&status, Some(account)),
                Err(_) => status.send_modify(|status| {
                    (status.state, status.reason) =
                        (LoginState::Failed, Some(not_connected_reason(&platform, &offline)));
                    (status.qrcode, status.modules) = (None, Vec::new());
                }),
            }
        }));
    }

    /// Has a login stored. One of the same person that is not stored yet comes to nothing.
    fn log_in(&mut self, login: Login, status: watch::Sender<LoginStatus>) {
        let platform = self.settings.platform();
        let reason = "a later login of the same person took its place";
        let forgotten = self.changes.withdraw(platform, reason, |other| login.replaces(other));
        let pending = self.pending_login(login, status, forgotten, false);
        self.changes.add(AccountChange::LogIn(pending));
        self.save_next();
    }

    /// A login that is to be stored; its person is told if that takes long.
    fn pending_login(
        &self,
        login: Login,
        status: watch::Sender<LoginStatus>,
        forgotten: Vec<AdapterState>,
        is_stored: bool,
    ) -> PendingLogin {
        let ends = self.context.stop.child_token();
        let told = ends.clone().run_until_cancelled_owned(tell_if_slow(status.clone()));
        self.context.tracker.spawn(told);
        let slow_notice = ends.drop_guard();
        PendingLogin { login, status, forgotten, slow_notice, is_stored, is_withdrawn: false }
    }

    /// The accounts at work that a login replaces.
    pub(super) fn replaced_by(&self, login: &Login) -> Vec<Arc<RunningAccount>> {
        let accounts = self.accounts.values().map(|one| &one.account);
        accounts.filter(|one| login.replaces(&one.login)).cloned().collect()
    }

    /// Has the next change stored, unless one is being stored.
    fn save_next(&mut self) {
        let Some(change) = self.changes.next() else { return };
        let state = match change {
            AccountChange::LogIn(pending) => self.login_state(pending),
            AccountChange::LogOut(pending) => pending.forgotten.clone(),
        };
        let (events, (stored, is_stored)) = (self.context.events.clone(), oneshot::channel());
        self.changes.save(async move {
            let batch = AdapterEvent::Batch { messages: Vec::new(), state, stored };
            events.report(batch).await && is_stored.await.is_ok()
        });
    }

    /// The changes of a login on the disk: it is kept, and others of the same person are forgotten.
    fn login_state(&self, pending: &PendingLogin) -> Vec<AdapterState> {
        let platform = self.settings.platform();
        let mut state = pending.forgotten.clone();
        let replaced = self.replaced_by(&pending.login);
        state.extend(replaced.iter().flat_map(|account| forget(platform, account)));
        // Later in the commit, so that it holds where the ID is the same.
        state.push(saved_state::keep_login(platform, &pending.login));
        state
    }

    pub(super) async fn saved(&mut self, change: AccountChange, is_saved: bool) {
        match change {
            AccountChange::LogIn(pending) if pending.is_withdrawn => {}
            AccountChange::LogIn(pending) if is_saved => self.login_saved(pending).await,
            // The accounts before it have stopped.
            AccountChange::LogIn(pending) if pending.is_stored => {
                self.begin_with(pending.login, &pending.status);
            }
            AccountChange::LogIn(pending) => tell_failed(&pending.status, NOT_SAVED),
            AccountChange::LogOut(pending) => self.logged_out(pending, is_saved),
        }
        self.save_next();
    }

    /// Has the rest stored, and starts nothing any more.
    pub(super) async fn save_rest(&mut self) {
        while let Some((change, is_saved)) = self.changes.next_saved().await {
            if let AccountChange::LogOut(pending) = change {
                self.logged_out(pending, is_saved);
            }
            self.save_next();
        }
    }

    /// A login is on the disk: it starts once the accounts that it replaces have stopped.
    async fn login_saved(&mut self, pending: PendingLogin) {
        let PendingLogin { login, status, mut forgotten, slow_notice, .. } = pending;
        drop(slow_notice);
        let replaced = self.replaced_by(&login);
        if replaced.is_empty() {
            return self.begin_with(login, &status);
        }
        let platform = self.settings.platform().to_owned();
        for known in replaced {
            let account = &known.login.account;
            self.stop(account).await;
            if *account != login.account {
                self.context.registry.forget(&platform, account);
            }
            forgotten.extend(forget(&platform, &known));
        }
        // They may have kept something since.
        let again = self.pending_login(login, status, forgotten, true);
        self.changes.add_first(AccountChange::LogIn(again));
    }

    /// Starts a login that is on the disk, where it is allowed.
    fn begin_with(&mut self, login: Login, status: &watch::Sender<LoginStatus>) {
        let account = login.account.clone();
        match self.settings.check_account(&account) {
            Ok(()) => {
                self.start(KeptLogin { login, cursor: String::new(), replies: HashMap::new() });
                tell_done(status, Some(account));
            }
            Err(reason) => tell_failed(status, &reason),
        }
    }

    /// Stops an account, withdraws its logins that are not stored, and has both forgotten.
    pub(super) async fn log_out(
        &mut self,
        account: String,
        answer: oneshot::Sender<Result<String, LoginError>>,
    ) {
        let stopped = self.stop(&account).await;
        let platform = self.settings.platform();
        let is_meant = |login: &Login| {
            login.account == account
                || stopped.as_ref().is_some_and(|stopped| login.replaces(&stopped.login))
        };
        let reason = "the account was logged out before the login was on the disk";
        let mut forgotten = self.changes.withdraw(platform, reason, is_meant);
        forgotten.extend(stopped.as_ref().map_or_else(
            || saved_state::forget(platform, &account, []),
            |stopped| forget(platform, stopped),
        ));
        self.changes.add(AccountChange::LogOut(PendingLogout { account, forgotten, answer }));
        self.save_next();
    }

    fn logged_out(&self, pending: PendingLogout, is_saved: bool) {
        let PendingLogout { account, answer, .. } = pending;
        if !is_saved {
            return drop(answer.send(Err(LoginError::Failed(NOT_SAVED.into()))));
        }
        self.context.registry.forget(self.settings.platform(), &account);
        self.show_whether_empty();
        let _ = answer.send(Ok(account));
    }
}

/// The state of an account, to be forgotten.
fn forget(platform: &str, account: &RunningAccount) -> Vec<AdapterState> {
    let known = account.windows.conversations();
    saved_state::forget(platform, &account.login.account, known.iter().map(String::as_str))
}
