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
use crate::health::{HEALTH, log_panic};
use crate::model::event::AdapterState;
use crate::protocol::login::{LoginState, LoginStatus};
use crate::protocol::platform::{AdapterStatus, PlatformState};
use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Pause before what is kept is asked for again, while the store is away.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How long an account may take to connect after its person scanned the code again: a notice and a little
/// more.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a login may take to be stored before people are told why it is not done.
const QUIET_SAVE: Duration = Duration::from_secs(1);

/// How long changes of the accounts have to come to the disk, once the service stops.
const STOP_SAVE_TIMEOUT: Duration = Duration::from_secs(1);

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
    /// Changes of the accounts on their way to the disk, which may take long; `None` where one is not taken.
    saving: JoinSet<Option<Saved>>,
}

/// A change of the accounts that is on the disk.
enum Saved {
    /// A new login, and those are forgotten that it replaces. They work on until now.
    Login(Login, watch::Sender<LoginStatus>),
    /// The same once more, after those that it replaces have stopped.
    Replaced(Login, watch::Sender<LoginStatus>),
    LoggedOut(String, oneshot::Sender<Result<String, LoginError>>),
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
            saving: JoinSet::new(),
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
                Some(end) = self.logins.next_end() => self.login_ended(end),
                Some(saved) = self.saving.join_next() => self.saved(saved.ok().flatten()).await,
                Some(ended) = self.tasks.join_next_with_id() => self.account_ended(ended).await,
            }
        }
        let saved = async { while self.saving.join_next().await.is_some() {} };
        let _ = timeout(STOP_SAVE_TIMEOUT, saved).await;
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
            answering: TaskTracker::new(),
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
            LoginRequest::LogOut { account, answer } => match self.known(account) {
                Ok(account) => self.log_out(account, answer).await,
                Err(error) => drop(answer.send(Err(error))),
            },
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

    fn login_ended(&mut self, end: LoginEnd) {
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

    async fn saved(&mut self, saved: Option<Saved>) {
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

    /// The account that is meant.
    fn known(&self, account: Option<String>) -> Result<String, LoginError> {
        let known: Vec<_> = self.accounts.keys().cloned().collect();
        match (account, &known[..]) {
            (Some(account), _) if known.contains(&account) => Ok(account),
            (Some(account), _) => {
                Err(LoginError::Unknown(format!("no account `{account}` is logged in")))
            }
            (None, [only]) => Ok(only.clone()),
            (None, []) => Err(LoginError::Unknown("no account is logged in".into())),
            (None, several) => {
                let names = several.join(", ");
                Err(LoginError::Conflict(format!("name the account: {names}")))
            }
        }
    }

    async fn log_out(
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

/// Tells why a login is not done yet that `WeChat` has confirmed.
fn tell_not_stored(status: &watch::Sender<LoginStatus>) {
    let fault = HEALTH.reason().unwrap_or_else(|| "the disk does not answer".into());
    let reason = format!(
        "WeChat confirmed the login, which is done once it is on the disk; do not stop rechat until then \
         ({fault})"
    );
    tracing::error!("{reason}");
    status.send_modify(|status| status.set(LoginState::Scanned, Some(&reason)));
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
