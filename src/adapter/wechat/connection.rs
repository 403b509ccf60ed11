//! The connection of an account, from the login to the end of the session.

use super::account::RunningAccount;
use super::call_failure::CallFailure;
use super::download::find_media;
use super::lock::{self, AccountLock};
use super::poll::{PollEnd, poll};
use super::saved_state::KeptLogin;
use super::send::send;
use super::typing::show_typing;
use crate::adapter::api::{AccountRequest, Action, ActionError, Found, Window};
use crate::adapter::registry::{ConfiguredEntry, NewConnection, Registration};
use crate::backoff::Backoff;
use crate::health::watched;
use crate::protocol::platform::PlatformState;
use futures_util::FutureExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

/// The longest pause before an account that cannot be reached is tried again; pauses double.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Pause before a session that ended is tried again, should the platform change its mind; a person who
/// scans the code again ends it.
const ENDED_PAUSE: Duration = Duration::from_hours(1);

/// Pause between attempts to become the account's poller.
const LOCK_PAUSE: Duration = Duration::from_millis(250);

/// Attempts after which people are told that another process polls the account.
const QUIET_LOCK_ATTEMPTS: u32 = 20;

/// How long requests that are being answered have to end, once the account stops.
const STOP_ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the notice that polling ends may take.
const LOGOUT_NOTICE_TIMEOUT: Duration = Duration::from_millis(500);

/// Words for people about an account that does not work any more.
const STOPPED: &str = "the account was stopped";

/// Why a connection ends.
enum End {
    Stopped,
    Session(String),
    Unreachable(String),
}

impl RunningAccount {
    /// Works until the account is stopped.
    pub(super) async fn run(self: Arc<Self>, kept: KeptLogin, entry: Option<ConfiguredEntry>) {
        let mut cursor = kept.cursor;
        self.show(entry.as_ref(), PlatformState::Connecting, None);
        let Some(_lock) = self.lock(entry.as_ref()).await else { return };
        let mut backoff = Backoff::new(self.settings.reconnect, LONGEST_PAUSE);
        while !self.stop.is_cancelled() {
            let began = Instant::now();
            let end = match self.begin().await {
                Ok(()) => self.connected(entry.as_ref(), &mut cursor).await,
                Err(end) => end,
            };
            if began.elapsed() > LONGEST_PAUSE {
                backoff = Backoff::new(self.settings.reconnect, LONGEST_PAUSE);
            }
            let wait = match &end {
                End::Stopped => break,
                End::Session(_) => ENDED_PAUSE,
                End::Unreachable(_) => backoff.pause(),
            };
            let (state, reason) = self.shown(&end);
            tracing::warn!(account = self.login.account, "{reason}");
            self.show(entry.as_ref(), state, Some(&reason));
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.retry.notified() => {}
                () = sleep(wait) => {}
            }
        }
        self.answering.close();
        self.answering.wait().await;
        let notice = self.api.notify(&self.session, false);
        let _ = timeout(LOGOUT_NOTICE_TIMEOUT, notice).await;
        self.show(entry.as_ref(), PlatformState::Disconnected, Some(STOPPED));
    }

    /// Becomes the login's only poller; `None` once the account is stopped.
    async fn lock(&self, entry: Option<&ConfiguredEntry>) -> Option<AccountLock> {
        for attempt in 0.. {
            match lock::take(&self.login.token) {
                Ok(Some(lock)) => return Some(lock),
                Ok(None) if attempt < QUIET_LOCK_ATTEMPTS => {}
                Ok(None) => {
                    let reason = "another rechat on this host polls this account; stop that one";
                    self.show(entry, PlatformState::Error, Some(reason));
                }
                Err(reason) => self.show(entry, PlatformState::Error, Some(&reason)),
            }
            self.stop.run_until_cancelled(sleep(LOCK_PAUSE)).await?;
        }
        None
    }

    /// Tells that polling begins, which shows whether the account can be reached.
    async fn begin(&self) -> Result<(), End> {
        let notice = self.api.notify(&self.session, true);
        match self.stop.run_until_cancelled(notice).await {
            None => Err(End::Stopped),
            Some(Err(CallFailure::Ended(reason))) => Err(End::Session(reason)),
            Some(Err(CallFailure::NotSent(reason))) => Err(End::Unreachable(reason)),
            // It is of no consequence to the poll, which tells the rest.
            Some(Ok(()) | Err(_)) => Ok(()),
        }
    }

    /// Polls, and answers requests, for as long as the connection lasts.
    async fn connected(
        self: &Arc<Self>,
        entry: Option<&ConfiguredEntry>,
        cursor: &mut String,
    ) -> End {
        let window: Arc<dyn Window> = Arc::clone(&self.windows) as _;
        let new = self.connection(entry, Some(window));
        // Before the lanes look.
        self.windows.close_all(None);
        let (registration, mut requests) = self.context.registry.connect_for_requests(&new);
        let end = self.serve(&registration, &mut requests, cursor).await;
        let (state, reason) = self.shown(&end);
        registration.end(state, &reason);
        requests.close();
        while let Ok(request) = requests.try_recv() {
            self.begin_answer(request);
        }
        end
    }

    /// The state that an end leads to, and reason for people.
    fn shown(&self, end: &End) -> (PlatformState, String) {
        match end {
            End::Stopped => (PlatformState::Disconnected, STOPPED.to_owned()),
            End::Unreachable(reason) => {
                (PlatformState::Connecting, format!("WeChat cannot be reached: {reason}"))
            }
            End::Session(reason) => {
                let advice = format!("log in again with `rechat login {}`", self.platform());
                (
                    PlatformState::Error,
                    format!("the session of this account ended ({reason}); {advice}"),
                )
            }
        }
    }

    async fn serve(
        self: &Arc<Self>,
        registration: &Registration,
        requests: &mut mpsc::Receiver<AccountRequest>,
        cursor: &mut String,
    ) -> End {
        // A call of the connection before may have found its end late.
        let _ = self.ended.notified().now_or_never();
        let mut polling = Box::pin(poll(self, registration, cursor));
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return End::Stopped,
                () = self.ended.notified() => return End::Session("the token is stale".into()),
                end = &mut polling => return match end {
                    PollEnd::Ended(reason) => End::Session(reason),
                    PollEnd::Unreachable(reason) => End::Unreachable(reason),
                    PollEnd::Stopped => End::Stopped,
                },
                Some(request) = requests.recv() => self.begin_answer(request),
            }
        }
    }

    /// Answers a request beside the poll. An end of the connection proves nothing of it, so it goes on
    /// over that; it ends soon after the account stops.
    fn begin_answer(self: &Arc<Self>, request: AccountRequest) {
        let account = Arc::clone(self);
        self.answering.spawn(watched("wechat requests", async move {
            let stopped = async {
                account.stop.cancelled().await;
                sleep(STOP_ANSWER_TIMEOUT).await;
            };
            tokio::select! {
                () = account.answer(request) => {}
                () = stopped => {}
            }
        }));
    }

    async fn answer(&self, request: AccountRequest) {
        match request {
            AccountRequest::Send { message, answer } => {
                // The asker may have gone.
                let _ = answer.send(send(self, message).await);
            }
            // The interface has no history.
            AccountRequest::Find { answer, .. } => drop(answer.send(Found::CannotTell)),
            // Nor has it anything to be done with a message that was sent.
            AccountRequest::OpenForward { answer, .. } => {
                drop(answer.send(Err(ActionError::Unsupported)));
            }
            AccountRequest::Members { answer, .. } => {
                drop(answer.send(Err(ActionError::Unsupported)));
            }
            AccountRequest::FindMedia { media, answer } => {
                drop(answer.send(find_media(&media, &self.cdn)));
            }
            AccountRequest::Act { action: Action::Type { conversation, on }, answer } => {
                drop(answer.send(show_typing(self, &conversation, on).await));
            }
            AccountRequest::Act { answer, .. } => drop(answer.send(Err(ActionError::Unsupported))),
            AccountRequest::Call { answer, .. } => drop(answer.send(Err(ActionError::Unsupported))),
        }
    }

    fn show(&self, entry: Option<&ConfiguredEntry>, state: PlatformState, reason: Option<&str>) {
        self.context.registry.show(&self.connection(entry, None), state, reason);
    }

    fn connection<'a>(
        &'a self,
        entry: Option<&'a ConfiguredEntry>,
        window: Option<Arc<dyn Window>>,
    ) -> NewConnection<'a> {
        NewConnection {
            settings: Arc::clone(&self.settings),
            platform: self.platform(),
            account: Some(&self.login.account),
            entry,
            offline: None,
            window,
        }
    }
}
