//! One account: its addresses, its limits, and the state of its session.

use super::api::{Api, ApiSession, CallFailure};
use super::memory::Login;
use super::window::Windows;
use crate::adapter::api::{AdapterEvent, Delivery, Settings, WindowClosed};
use crate::adapter::context::Context;
use crate::clock::now;
use crate::model::change::Inbound;
use crate::model::event::AdapterState;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

/// Pause before something is sent again, where the platform cannot be reached.
const UNREACHABLE_PAUSE: Duration = Duration::from_secs(2);

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
    pub(super) settings: Arc<Settings>,
    pub(super) context: Context,
    /// Ends this account alone.
    pub(super) stop: CancellationToken,
    /// A call found that the session ended.
    pub(super) ended: Notify,
}

impl RunningAccount {
    pub(super) fn platform(&self) -> &str {
        self.settings.platform()
    }

    /// Has messages and state stored in one commit; `false` where the core takes nothing any more.
    pub(super) async fn save(&self, messages: Vec<Inbound>, state: Vec<AdapterState>) -> bool {
        let (stored, is_stored) = oneshot::channel();
        let batch = AdapterEvent::Batch { messages, state, stored };
        self.context.events.report(batch).await && is_stored.await.is_ok()
    }

    /// Asks once more whether the session has ended: a call may be refused in the same words.
    pub(super) async fn is_ended(&self) -> bool {
        matches!(self.api.notify(&self.session, true).await, Err(CallFailure::Ended(_)))
    }

    /// Ends the session, found by a call; nothing goes out until it is taken up again.
    pub(super) fn session_ended(&self) -> Delivery {
        let reason = "the session of this account ended".to_owned();
        self.windows.close_all(Some(WindowClosed { reason, until: None }));
        self.ended.notify_one();
        Delivery::Closed
    }

    /// Lets every conversation wait a little, for the platform cannot be reached.
    pub(super) fn unreachable(&self, words: &str) -> Delivery {
        let reason = format!("WeChat cannot be reached ({words})");
        let until = Some(now() + UNREACHABLE_PAUSE.as_secs());
        self.windows.close_all(Some(WindowClosed { reason, until }));
        Delivery::Closed
    }
}
