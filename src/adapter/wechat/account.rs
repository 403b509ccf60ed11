//! One account: its addresses, its limits, and the state of its session.

use super::api::{Api, ApiSession};
use super::call_failure::CallFailure;
use super::saved_state::{Login, keep_reply};
use super::window::Windows;
use crate::adapter::api::{AdapterEvent, Delivery, Settings, WindowClosed};
use crate::adapter::context::Context;
use crate::adapter::recent::Recent;
use crate::clock::now;
use crate::model::change::Inbound;
use crate::model::event::AdapterState;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Pause before something is sent again, where the platform cannot be reached.
const UNREACHABLE_PAUSE: Duration = Duration::from_secs(2);

/// The state of a session, as far as it is known after a call was answered that it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SessionCheck {
    /// It goes on.
    Alive,
    /// Nothing says that it goes on.
    NotConfirmed,
    /// The platform did not answer; its text, or the network's.
    NoAnswer(String),
}

/// An account at work.
pub(super) struct RunningAccount {
    pub(super) login: Login,
    pub(super) session: ApiSession,
    pub(super) api: Api,
    /// The address of the media.
    pub(super) cdn: String,
    /// The most characters of one text.
    pub(super) max_text: usize,
    pub(super) windows: Arc<Windows>,
    /// The IDs of messages that came in or were sent lately.
    pub(super) known: Recent,
    pub(super) settings: Arc<Settings>,
    pub(super) context: Context,
    /// Ends this account alone.
    pub(super) stop: CancellationToken,
    /// A call found that the session ended.
    pub(super) ended: Notify,
    /// A person wants another attempt to connect now.
    pub(super) retry: Notify,
    /// Requests that are answered, over the ends of connections.
    pub(super) answering: TaskTracker,
}

impl RunningAccount {
    pub(super) fn platform(&self) -> &str {
        self.settings.platform()
    }

    /// Has messages, what is known of conversations, and more state stored in one commit; `false` where
    /// the core takes nothing any more. What is known is read when it is handed over, so that the newest
    /// is what holds.
    pub(super) fn save(
        &self,
        messages: Vec<Inbound>,
        conversations: BTreeSet<String>,
        mut state: Vec<AdapterState>,
    ) -> impl Future<Output = bool> + Send + 'static {
        let (windows, events) = (Arc::clone(&self.windows), self.context.events.clone());
        let (platform, account) = (self.platform().to_owned(), self.login.account.clone());
        async move {
            let handing_over = windows.handing_over.lock().await;
            state.extend(conversations.iter().filter_map(|conversation| {
                let reply = windows.reply(conversation)?;
                Some(keep_reply(&platform, &account, conversation, reply))
            }));
            let (stored, is_stored) = oneshot::channel();
            let is_taken = events.report(AdapterEvent::Batch { messages, state, stored }).await;
            drop(handing_over);
            is_taken && is_stored.await.is_ok()
        }
    }

    /// The ID under which WeChat took a message; `None` if there is none, or if it is the ID of another
    /// message, which proves nothing of this one.
    pub(super) fn proof(&self, id: Option<String>) -> Option<String> {
        let id = id?;
        let account = &self.login.account;
        if self.known.contains(account, &id) {
            tracing::warn!(
                account,
                id,
                "WeChat gave a message the ID of another one; it counts as sent, but not as confirmed"
            );
            return None;
        }
        self.known.insert(account, &id);
        Some(id)
    }

    /// Asks about a call that was answered that the session ended, for this reason: `Ok` where it goes on,
    /// and the call is to be made once more.
    pub(super) async fn take_up_session(&self, ended: String) -> Result<(), CallFailure> {
        match self.check_session().await {
            SessionCheck::Alive => Ok(()),
            SessionCheck::NotConfirmed => Err(CallFailure::Ended(ended)),
            SessionCheck::NoAnswer(reason) => Err(CallFailure::NotSent(reason)),
        }
    }

    /// Asks whether the session goes on, after a call was answered that it ended: a session may be taken
    /// up again by the notice that polling begins, and a call be refused for the same reason.
    pub(super) async fn check_session(&self) -> SessionCheck {
        match self.api.notify(&self.session, true).await {
            Ok(()) => SessionCheck::Alive,
            // Some servers do not know the notice: the call's own answer holds.
            Err(CallFailure::Ended(_) | CallFailure::Refused(_) | CallFailure::Limited(_)) => {
                SessionCheck::NotConfirmed
            }
            Err(failure) => SessionCheck::NoAnswer(failure.reason().to_owned()),
        }
    }

    /// Ends the session, found by a call; nothing goes out until it is taken up again.
    pub(super) fn session_ended(&self, reason: &str) -> Delivery {
        let reason = format!("the session of this account ended ({reason})");
        self.windows.close_all(Some(WindowClosed { reason, until: None }));
        self.ended.notify_one();
        Delivery::Closed
    }

    /// Lets every conversation wait a little, for the platform cannot be reached.
    pub(super) fn unreachable(&self, reason: &str) -> Delivery {
        let reason = format!("WeChat cannot be reached ({reason})");
        let until = Some(now() + UNREACHABLE_PAUSE.as_secs());
        self.windows.close_all(Some(WindowClosed { reason, until }));
        Delivery::Closed
    }
}
