//! The accounts of one configured adapter, and logging in and out.

use super::account::RunningAccount;
use super::api::{Api, ApiSession};
use super::http::Http;
use super::login::{Attempt, LoggedIn, LoginEnd};
use super::logins::Logins;
use super::options::IlinkOptions;
use super::saved_state::{self, ADAPTER, KeptLogin, Login};
use super::window::Windows;
use crate::adapter::api::{AdapterEvent, LoginError, LoginRequest, Settings};
use crate::adapter::context::Context;
use crate::adapter::registry::ConfiguredEntry;
use crate::health::log_panic;
use crate::model::event::AdapterState;
use crate::protocol::login::{LoginState, LoginStatus};
use crate::protocol::platform::{AdapterStatus, PlatformState};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Pause before what is kept is asked for again, while the store is away.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How long an account may take to connect after its person scanned the code again: a notice and a little
/// more.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);

/// Pause before an account that panicked begins anew.
const PANIC_PAUSE: Duration = Duration::from_secs(1);

/// The accounts of one configured adapter.
pub(super) struct IlinkService {
    options: Arc<IlinkOptions>,
    settings: Arc<Settings>,
    entry: Option<ConfiguredEntry>,
    context: Context,
    api: Api,
    accounts: BTreeMap<String, AccountTask>,
    tasks: JoinSet<()>,
    /// The account of each task.
    task_accounts: HashMap<Id, String>,
    logins: Logins,
}

/// An account at work.
struct AccountTask {
    account: Arc<RunningAccount>,
    stop: CancellationToken,
    /// Cancelled once its work has ended.
    ended: CancellationToken,
}

impl IlinkService {
    pub(super) fn new(
        options: Arc<IlinkOptions>,
        settings: Arc<Settings>,
        entry: Option<ConfiguredEntry>,
        context: Context,
    ) -> Self {
        let api = Api {
            http: Http::default(),
            max_bytes: settings.max_frame,
            timeout: settings.answer_timeout,
        };
        Self {
            options,
            settings,
            entry,
            context,
            api,
            accounts: BTreeMap::new(),
            tasks: JoinSet::new(),
            task_accounts: HashMap::new(),
            logins: Logins::default(),
        }
    }

    /// Works until the context stops.
    pub(super) async fn run(mut self, requests: &mut mpsc::Receiver<LoginRequest>) {
        let stop = self.context.stop.clone();
        let Some(kept) = stop.run_until_cancelled(self.kept()).await else { return };
        for kept in kept.into_values() {
            self.start(kept);
        }
        self.show_whether_empty();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(request) = requests.recv() => self.take(request).await,
                Some(end) = self.logins.next_end() => self.login_ended(end).await,
                Some(ended) = self.tasks.join_next_with_id() => self.account_ended(ended).await,
            }
        }
        while self.tasks.join_next().await.is_some() {}
    }

    /// The stored state of each account; asked for until the store answers.
    async fn kept(&self) -> BTreeMap<String, KeptLogin> {
        loop {
            let (answer, kept) = oneshot::channel();
            self.context.events.report(AdapterEvent::Remembered { adapter: ADAPTER, answer }).await;
            if let Ok(kept) = kept.await {
                return saved_state::read(self.settings.platform(), kept);
            }
            sleep(STORE_PAUSE).await;
        }
    }

    fn start(&mut self, kept: KeptLogin) {
        let login = kept.login.clone();
        if let Err(reason) = self.settings.check_account(&login.account) {
            return tracing::warn!("{reason}");
        }
        let stop = self.context.stop.child_token();
        let account = Arc::new(RunningAccount {
            session: ApiSession { base: login.base.clone(), token: login.token.clone() },
            login: login.clone(),
            api: self.api.clone(),
            cdn: self.options.cdn.clone(),
            max_text: self.options.max_text,
            windows: Arc::new(Windows::new(kept.replies.clone(), self.options.join_limit())),
            settings: Arc::clone(&self.settings),
            context: self.context.clone(),
            stop: stop.clone(),
            ended: Notify::new(),
            retry: Notify::new(),
        });
        let work = Arc::clone(&account).run(kept, self.entry.clone());
        let ended = CancellationToken::new();
        let guard = ended.clone().drop_guard();
        let task = self.tasks.spawn(async move {
            let _guard = guard;
            work.await;
        });
        self.task_accounts.insert(task.id(), login.account.clone());
        self.accounts.insert(login.account, AccountTask { account, stop, ended });
    }

    /// Stops an account's work, and waits for its end.
    async fn stop(&mut self, account: &str) -> Option<Arc<RunningAccount>> {
        let running = self.accounts.remove(account)?;
        running.stop.cancel();
        running.ended.cancelled().await;
        Some(running.account)
    }

    /// A configured adapter without an account tells what to do.
    fn show_whether_empty(&self) {
        if let Some(entry) = &self.entry
            && self.accounts.is_empty()
        {
            let platform = self.settings.platform();
            let reason = format!("no account is logged in; log in with `rechat login {platform}`");
            entry.set_state(PlatformState::Disconnected, Some(&reason));
        }
    }

    /// An account's task ended; one that panicked begins anew from what is kept.
    async fn account_ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        let Some(account) = self.task_accounts.remove(&id) else { return };
        let Err(error) = ended else { return };
        log_panic("wechat account", &error);
        tracing::error!(account, "the task of an account panicked and is restarted");
        sleep(PANIC_PAUSE).await;
        self.stop(&account).await;
        if let Some(kept) = self.kept().await.remove(&account) {
            self.start(kept);
        }
    }

    async fn take(&mut self, request: LoginRequest) {
        match request {
            LoginRequest::Begin { answer } => self.begin(answer),
            LoginRequest::Look { id, answer } => drop(answer.send(self.logins.status(&id))),
            LoginRequest::Digits { id, digits, answer } => {
                drop(answer.send(self.logins.give_digits(&id, digits)));
            }
            LoginRequest::LogOut { account, answer } => {
                let done = self.log_out(account).await;
                drop(answer.send(done));
            }
        }
    }

    fn begin(&mut self, answer: oneshot::Sender<Result<LoginStatus, LoginError>>) {
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

    async fn login_ended(&mut self, end: LoginEnd) {
        let (status, account) = match end {
            Err(reason) => return tracing::warn!("a login failed: {reason}"),
            Ok((LoggedIn::Already, status)) => return self.bound_already(status),
            Ok((LoggedIn::New(login), status)) => {
                let account = login.account.clone();
                let is_allowed = self.settings.check_account(&account);
                // Also one that is not allowed: without its token the person could not log in again.
                if !self.keep(login).await {
                    return;
                }
                if let Err(reason) = is_allowed {
                    return status.send_modify(|status| {
                        (status.state, status.reason) = (LoginState::Failed, Some(reason));
                    });
                }
                (status, Some(account))
            }
        };
        tell_done(&status, account);
    }

    /// A code was scanned by a person whose bot is bound here. Nothing says which account that is; each
    /// that does not work is tried again now, and the login is done once one of them does.
    fn bound_already(&self, status: watch::Sender<LoginStatus>) {
        let platform = self.settings.platform().to_owned();
        let mut changes = self.context.registry.changes();
        let is_resting = |shown: &AdapterStatus| {
            shown.platform == platform && shown.state != PlatformState::Connected
        };
        let shown = self.context.registry.platforms().into_iter().filter(is_resting);
        let resting: BTreeMap<_, _> = shown
            .filter_map(|shown| Some((shown.account?, shown.reason.unwrap_or_default())))
            .filter_map(|(account, reason)| {
                self.accounts.get(&account)?.account.retry.notify_one();
                Some((account, reason))
            })
            .collect();
        if resting.is_empty() {
            let mut accounts = self.accounts.keys();
            let only = accounts.next().filter(|_| self.accounts.len() == 1).cloned();
            return tell_done(&status, only);
        }
        let stop = self.context.stop.clone();
        self.context.tracker.spawn(stop.run_until_cancelled_owned(async move {
            let connected = timeout(RETRY_TIMEOUT, async {
                loop {
                    let change = changes.next().await;
                    let account = change.account.filter(|one| resting.contains_key(one));
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
                        (LoginState::Failed, Some(still_resting(&platform, &resting)));
                    (status.qrcode, status.modules) = (None, Vec::new());
                }),
            }
        }));
    }

    /// Keeps a login in place of others of the same person, and starts it; `false` where the core
    /// takes nothing any more.
    async fn keep(&mut self, login: Login) -> bool {
        let platform = self.settings.platform().to_owned();
        let is_replaced = |known: &Login| {
            known.account == login.account || (known.user == login.user && !login.user.is_empty())
        };
        let replaced = self.accounts.values().map(|one| &one.account.login);
        let replaced: Vec<_> = replaced.filter(|known| is_replaced(known)).cloned().collect();
        let mut state = Vec::new();
        for known in &replaced {
            state.extend(self.forgotten(&known.account).await);
        }
        // Later in the commit, so that it holds where the ID is the same.
        state.push(saved_state::keep_login(&platform, &login));
        if !self.save(state).await {
            return false;
        }
        for known in replaced.iter().filter(|known| known.account != login.account) {
            self.context.registry.forget(&platform, &known.account);
        }
        self.start(KeptLogin { login, cursor: String::new(), replies: HashMap::new() });
        true
    }

    /// Stops an account; gives what is to be forgotten of it.
    async fn forgotten(&mut self, account: &str) -> Vec<AdapterState> {
        let stopped = self.stop(account).await;
        let known = stopped.map_or_else(Vec::new, |account| account.windows.conversations());
        let known = known.iter().map(String::as_str);
        saved_state::forget(self.settings.platform(), account, known)
    }

    async fn save(&self, state: Vec<AdapterState>) -> bool {
        let (stored, is_stored) = oneshot::channel();
        let batch = AdapterEvent::Batch { messages: Vec::new(), state, stored };
        self.context.events.report(batch).await && is_stored.await.is_ok()
    }

    async fn log_out(&mut self, account: Option<String>) -> Result<String, LoginError> {
        let known: Vec<_> = self.accounts.keys().cloned().collect();
        let account = match (account, &known[..]) {
            (Some(account), _) if known.contains(&account) => account,
            (Some(account), _) => {
                return Err(LoginError::Unknown(format!("no account `{account}` is logged in")));
            }
            (None, [only]) => only.clone(),
            (None, []) => return Err(LoginError::Unknown("no account is logged in".into())),
            (None, several) => {
                let names = several.join(", ");
                return Err(LoginError::Conflict(format!("name the account: {names}")));
            }
        };
        let state = self.forgotten(&account).await;
        if !self.save(state).await {
            return Err(LoginError::Failed("rechat is stopping".into()));
        }
        self.context.registry.forget(self.settings.platform(), &account);
        self.show_whether_empty();
        Ok(account)
    }
}

/// Tells that a login is done.
fn tell_done(status: &watch::Sender<LoginStatus>, account: Option<String>) {
    status.send_modify(|status| {
        (status.state, status.account) = (LoginState::Done, account);
        (status.qrcode, status.modules, status.reason) = (None, Vec::new(), None);
    });
}

/// Words for people about accounts that do not work though `WeChat` says that they are bound here.
fn still_resting(platform: &str, resting: &BTreeMap<String, String>) -> String {
    let accounts: Vec<_> =
        resting.iter().map(|(account, reason)| format!("{account} ({reason})")).collect();
    format!(
        "WeChat says that this person's bot is logged in here already, and this does not connect: {}; \
         log it out with `rechat logout {platform} ACCOUNT`, then log in again",
        accounts.join(", ")
    )
}

/// Answers once there is a code, or it is clear that there will be none.
async fn answer_with_code(
    mut status: watch::Receiver<LoginStatus>,
    answer: oneshot::Sender<Result<LoginStatus, LoginError>>,
) {
    let is_known = |status: &LoginStatus| {
        status.qrcode.is_some() || matches!(status.state, LoginState::Failed | LoginState::Done)
    };
    let told = status.wait_for(is_known).await.map(|status| status.clone());
    let told = told.map_err(|_| LoginError::Failed("rechat is stopping".into()));
    let _ = answer.send(told.and_then(|status| match (status.state, &status.reason) {
        (LoginState::Failed, Some(reason)) => Err(LoginError::Failed(reason.clone())),
        _ => Ok(status),
    }));
}
