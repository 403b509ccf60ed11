//! Logging accounts in and out, and storing that.

use super::login_status::{answer_with_code, not_connected_reason, tell_done, tell_not_stored};
use super::{IlinkService, Saved};
use crate::adapter::api::{AdapterEvent, LoginError};
use crate::adapter::wechat::account::RunningAccount;
use crate::adapter::wechat::login::{Attempt, LoggedIn, LoginEnd};
use crate::adapter::wechat::saved_state::{self, KeptLogin, Login};
use crate::model::event::AdapterState;
use crate::protocol::login::{LoginState, LoginStatus};
use crate::protocol::platform::{AdapterStatus, PlatformState};
use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

/// How long an account may take to connect after its person scanned the code again: a notice and a little
/// more.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a login may take to be stored before people are told why it is not done.
const QUIET_SAVE: Duration = Duration::from_secs(1);

impl IlinkService {
    pub(super) fn begin(&mut self, answer: oneshot::Sender<Result<LoginStatus, LoginError>>) {
        let mut held: Vec<_> = self.accounts.values().map(|one| &one.account.login).collect();
        held.sort_by_key(|login| std::cmp::Reverse(login.at));
        let held = held.into_iter().map(|login| login.token.clone()).collect();
        let (api, base) = (self.api.clone(), self.options.url.clone());
        let stop = self.context.stop.clone();
        let begun = self.logins.begin(|status, digits| async move {
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
            Ok((LoggedIn::New(login), status)) => {
                let replaced = self.replaced_by(&login);
                self.keep(login, &replaced, status, Saved::Login);
            }
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

    /// Has a login stored in place of others of the same person.
    fn keep(
        &mut self,
        login: Login,
        replaced: &[Arc<RunningAccount>],
        status: watch::Sender<LoginStatus>,
        then: fn(Login, watch::Sender<LoginStatus>) -> Saved,
    ) {
        let platform = self.settings.platform();
        let mut state: Vec<_> =
            replaced.iter().flat_map(|replaced| forgotten(platform, replaced)).collect();
        // Later in the commit, so that it holds where the ID is the same.
        state.push(saved_state::keep_login(platform, &login));
        let save = self.save(state);
        self.saving.spawn(async move {
            let mut save = pin!(save);
            let early = timeout(QUIET_SAVE, &mut save).await;
            if early.is_err() {
                tell_not_stored(&status);
            }
            let is_saved = if let Ok(is_saved) = early { is_saved } else { save.await };
            is_saved.then(|| then(login, status))
        });
    }

    /// The accounts that a login replaces: its own, and others of the same person.
    fn replaced_by(&self, login: &Login) -> Vec<Arc<RunningAccount>> {
        let is_replaced = |known: &Login| {
            known.account == login.account || (known.user == login.user && !login.user.is_empty())
        };
        let accounts = self.accounts.values().map(|one| &one.account);
        accounts.filter(|one| is_replaced(&one.login)).cloned().collect()
    }

    pub(super) async fn saved(&mut self, saved: Option<Saved>) {
        match saved {
            None => tracing::warn!("a change of the accounts was not stored: rechat is stopping"),
            Some(Saved::Login(login, status)) => self.replace(login, status).await,
            Some(Saved::Replaced(login, status)) => self.begin_with(login, &status),
            Some(Saved::LoggedOut(account, answer)) => {
                self.context.registry.forget(self.settings.platform(), &account);
                self.show_whether_empty();
                let _ = answer.send(Ok(account));
            }
        }
    }

    /// Stops the accounts that a login replaces, which is on the disk now, and starts it.
    async fn replace(&mut self, login: Login, status: watch::Sender<LoginStatus>) {
        let replaced = self.replaced_by(&login);
        if replaced.is_empty() {
            return self.begin_with(login, &status);
        }
        for known in &replaced {
            let known = &known.login.account;
            self.stop(known).await;
            if *known != login.account {
                self.context.registry.forget(self.settings.platform(), known);
            }
        }
        // They may have kept something since.
        self.keep(login, &replaced, status, Saved::Replaced);
    }

    /// Starts a login that is on the disk, where it is allowed.
    fn begin_with(&mut self, login: Login, status: &watch::Sender<LoginStatus>) {
        let account = login.account.clone();
        match self.settings.check_account(&account) {
            Ok(()) => {
                self.start(KeptLogin { login, cursor: String::new(), replies: HashMap::new() });
                tell_done(status, Some(account));
            }
            Err(reason) => status.send_modify(|status| {
                (status.state, status.reason) = (LoginState::Failed, Some(reason));
            }),
        }
    }

    fn save(&self, state: Vec<AdapterState>) -> impl Future<Output = bool> + Send + 'static {
        let events = self.context.events.clone();
        async move {
            let (stored, is_stored) = oneshot::channel();
            let batch = AdapterEvent::Batch { messages: Vec::new(), state, stored };
            events.report(batch).await && is_stored.await.is_ok()
        }
    }

    pub(super) async fn log_out(
        &mut self,
        account: String,
        answer: oneshot::Sender<Result<String, LoginError>>,
    ) {
        let Some(stopped) = self.stop(&account).await else { return };
        let save = self.save(forgotten(self.settings.platform(), &stopped));
        self.saving.spawn(async move {
            if save.await {
                return Some(Saved::LoggedOut(account, answer));
            }
            let _ = answer.send(Err(LoginError::Failed("rechat is stopping".into())));
            None
        });
    }
}

/// The state of an account, to be forgotten.
fn forgotten(platform: &str, account: &RunningAccount) -> Vec<AdapterState> {
    let known = account.windows.conversations();
    saved_state::forget(platform, &account.login.account, known.iter().map(String::as_str))
}
