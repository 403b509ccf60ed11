//! The core's handle of one connected account.

use super::action::{Action, ActionError};
use super::kind::Kind;
use super::media_source::{MediaOf, MediaSource};
use super::message::{Delivery, Found, Outbound};
use super::settings::Settings;
use super::window::{Window, WindowClosed};
use crate::model::content::ForwardItem;
use crate::protocol::http::GroupMembers;
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// A request of the core to a connected account.
#[derive(Debug)]
pub enum AccountRequest {
    /// Send it. Answered once, within the adapter's time limit.
    Send {
        /// The message that is meant.
        message: Outbound,
        /// Gets the outcome.
        answer: oneshot::Sender<Delivery>,
    },
    /// Look in the platform's history whether it went out.
    Find {
        /// The message that is meant.
        message: Outbound,
        /// Gets what the history tells.
        answer: oneshot::Sender<Found>,
    },
    /// Ask for the messages of a forward. Answered once, within the adapter's time limit.
    OpenForward {
        /// The forward that is meant.
        forward: ForwardOf,
        /// Gets the messages, the oldest first.
        answer: oneshot::Sender<Result<Vec<ForwardItem>, ActionError>>,
    },
    /// Ask for a picture, sound, video or file. Answered once, within a few of the adapter's time
    /// limits.
    FindMedia {
        /// The picture, sound, video or file that is meant.
        media: MediaOf,
        /// Gets where it is.
        answer: oneshot::Sender<Result<MediaSource, ActionError>>,
    },
    /// Ask for the members of a group. Answered once, within the adapter's time limit.
    Members {
        /// The group.
        conversation: String,
        /// Gets the members, or the reason why there are none.
        answer: oneshot::Sender<Result<GroupMembers, ActionError>>,
    },
    /// Carry out an action. Answered once, within the adapter's time limit.
    Act {
        /// The action.
        action: Action,
        /// Gets whether it was carried out.
        answer: oneshot::Sender<Result<(), ActionError>>,
    },
    /// Call an action of the implementation by the name that its protocol gives it. Answered once, within a
    /// time limit.
    Call {
        /// The implementation's own name of it.
        action: String,
        /// The parameters as JSON.
        params: Box<RawValue>,
        /// The answer's frame as it came.
        answer: oneshot::Sender<Result<String, ActionError>>,
    },
}

/// A forward as a platform names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardOf {
    /// The conversation of the message that has it.
    pub conversation: String,
    /// The platform's own ID of the forward.
    pub id: String,
}

/// A connected account that takes requests.
#[derive(Clone, Debug)]
pub struct AccountHandle {
    /// Its kind, which decides how it addresses conversations.
    pub kind: &'static Kind,
    /// The platform it is connected for.
    pub platform: String,
    /// The account, once the implementation told it.
    pub account: Option<String>,
    /// Unix seconds of when it connected.
    pub since: u64,
    /// Tells this connection from every other.
    pub connection: u64,
    /// The settings of its adapter.
    pub settings: Arc<Settings>,
    /// Conversations that may be closed, where the platform has such.
    pub(in crate::adapter) window: Option<Arc<dyn Window>>,
    pub(in crate::adapter) requests: mpsc::Sender<AccountRequest>,
}

impl AccountHandle {
    /// Why a conversation takes nothing at `at` (Unix seconds); `None` where it is open.
    pub fn closed(&self, conversation: &str, at: u64) -> Option<WindowClosed> {
        self.window.as_ref()?.closed(conversation, at)
    }

    /// The most characters of a text that several waiting texts are joined to; `None` where each
    /// goes out by itself.
    pub fn join_limit(&self) -> Option<usize> {
        self.window.as_ref()?.join_limit()
    }

    /// Whether conversations may be closed here.
    pub fn has_window(&self) -> bool {
        self.window.is_some()
    }

    /// Sends a message; returns within the adapter's time limits, whatever happens.
    pub async fn send(&self, message: Outbound) -> Delivery {
        let (answer, delivery) = oneshot::channel();
        if let Err(reason) = self.hand_over(AccountRequest::Send { message, answer }).await {
            return Delivery::Refused { reason: reason.into(), retryable: true };
        }
        delivery
            .await
            .unwrap_or_else(|_| Delivery::Unknown { reason: "the connection was lost".into() })
    }

    /// Looks in the platform's history whether a message went out.
    pub async fn find(&self, message: Outbound) -> Found {
        let (answer, found) = oneshot::channel();
        match self.hand_over(AccountRequest::Find { message, answer }).await {
            Ok(()) => found.await.unwrap_or(Found::CannotTell),
            Err(_) => Found::CannotTell,
        }
    }

    /// Asks for the messages of a forward; returns within the adapter's time limits, whatever
    /// happens.
    ///
    /// # Errors
    ///
    /// The account has gone, cannot do it, refused, or did not answer in time; `ActionError` says
    /// which.
    pub async fn open_forward(&self, forward: ForwardOf) -> Result<Vec<ForwardItem>, ActionError> {
        let (answer, opened) = oneshot::channel();
        match self.hand_over(AccountRequest::OpenForward { forward, answer }).await {
            Ok(()) => opened
                .await
                .unwrap_or_else(|_| Err(ActionError::Unknown("the connection was lost".into()))),
            Err(_) => Err(ActionError::NotConnected),
        }
    }

    /// Asks for a picture, sound, video or file; returns within a few of the adapter's time limits.
    ///
    /// # Errors
    ///
    /// The account has gone, cannot do it, refused, or did not answer in time; `ActionError` says
    /// which.
    pub async fn find_media(&self, media: MediaOf) -> Result<MediaSource, ActionError> {
        let (answer, found) = oneshot::channel();
        match self.hand_over(AccountRequest::FindMedia { media, answer }).await {
            Ok(()) => found
                .await
                .unwrap_or_else(|_| Err(ActionError::Unknown("the connection was lost".into()))),
            Err(_) => Err(ActionError::NotConnected),
        }
    }

    /// Asks for the members of a group; returns within the adapter's time limits, whatever happens.
    ///
    /// # Errors
    ///
    /// The account has gone, cannot do it, refused, or did not answer in time; `ActionError` says
    /// which.
    pub async fn members(&self, conversation: String) -> Result<GroupMembers, ActionError> {
        let (answer, listed) = oneshot::channel();
        match self.hand_over(AccountRequest::Members { conversation, answer }).await {
            Ok(()) => listed
                .await
                .unwrap_or_else(|_| Err(ActionError::Unknown("the connection was lost".into()))),
            Err(_) => Err(ActionError::NotConnected),
        }
    }

    /// Carries out an action; returns within the adapter's time limits, whatever happens.
    ///
    /// # Errors
    ///
    /// The account has gone, cannot do it, refused, or did not answer in time; `ActionError` says
    /// which.
    pub async fn act(&self, action: Action) -> Result<(), ActionError> {
        let (answer, done) = oneshot::channel();
        match self.hand_over(AccountRequest::Act { action, answer }).await {
            Ok(()) => done
                .await
                .unwrap_or_else(|_| Err(ActionError::Unknown("the connection was lost".into()))),
            Err(_) => Err(ActionError::NotConnected),
        }
    }

    /// Calls an action of the implementation by its own name, and gives the answer's frame as it came;
    /// returns within a time limit, whatever happens.
    ///
    /// # Errors
    ///
    /// The account has gone, cannot do it, refused, or did not answer in time; `ActionError` says
    /// which.
    pub async fn call(&self, action: String, params: Box<RawValue>) -> Result<String, ActionError> {
        let (answer, answered) = oneshot::channel();
        match self.hand_over(AccountRequest::Call { action, params, answer }).await {
            Ok(()) => answered
                .await
                .unwrap_or_else(|_| Err(ActionError::Unknown("the connection was lost".into()))),
            Err(_) => Err(ActionError::NotConnected),
        }
    }

    async fn hand_over(&self, request: AccountRequest) -> Result<(), &'static str> {
        match timeout(self.settings.answer_timeout, self.requests.send(request)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err("the adapter is not connected"),
            Err(_) => Err("the adapter is busy: too many messages wait for their answers"),
        }
    }
}
