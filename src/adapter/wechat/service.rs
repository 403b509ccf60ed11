//! The accounts of one configured adapter: which of them work, and requests about them.

mod account_changes;
mod logging_in;
mod login_status;

use self::account_changes::AccountChanges;
use super::account::RunningAccount;
use super::api::{Api, ApiSession};
use super::http::Http;
use super::logins::Logins;
use super::options::IlinkOptions;
use super::saved_state::{self, ADAPTER, KeptLogin};
use super::window::Windows;
use crate::adapter::api::{AdapterEvent, LoginError, LoginRequest, Settings};
use crate::adapter::context::Context;
use crate::adapter::recent::Recent;
use crate::adapter::registry::ConfiguredEntry;
use crate::health::log_panic;
use crate::protocol::platform::PlatformState;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Pause before what is kept is asked for again, while the store is away.
const STORE_PAUSE: Duration = Duration::from_secs(1);

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
    changes: AccountChanges,
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
            changes: AccountChanges::default(),
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
                Some((change, is_saved)) = self.changes.next_saved() => {
                    self.saved(change, is_saved).await;
                }
                Some(ended) = self.tasks.join_next_with_id() => self.account_ended(ended).await,
            }
        }
        let _ = timeout(STOP_SAVE_TIMEOUT, self.save_rest()).await;
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
        if self.accounts.contains_key(&login.account) {
            return tracing::error!(account = login.account, "the account works already");
        }
        let stop = self.context.stop.child_token();
        let account = Arc::new(RunningAccount {
            session: ApiSession { base: login.base.clone(), token: login.token.clone() },
            login: login.clone(),
            api: self.api.clone(),
            cdn: self.options.cdn.clone(),
            max_text: self.options.max_text,
            known: Recent::default(),
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
        if !self.accounts.get(&account).is_some_and(|task| task.ended.is_cancelled()) {
            // It was stopped, and perhaps another login of the account works.
            return;
        }
        tracing::error!(account, "the task of an account panicked and is restarted");
        let stop = self.context.stop.clone();
        if stop.run_until_cancelled(sleep(PANIC_PAUSE)).await.is_none() {
            return;
        }
        self.stop(&account).await;
        let kept = stop.run_until_cancelled(self.kept()).await;
        if let Some(kept) = kept.and_then(|mut kept| kept.remove(&account)) {
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

    /// The account that is meant: one that works, or whose login is to be stored and replaces none that works.
    fn known(&self, account: Option<String>) -> Result<String, LoginError> {
        let unsaved = self.changes.logins().filter(|login| self.replaced_by(login).is_empty());
        let unsaved = unsaved.map(|login| login.account.clone());
        let known: BTreeSet<_> = self.accounts.keys().cloned().chain(unsaved).collect();
        let known = Vec::from_iter(known);
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
}

#[cfg(test)]
mod tests;
