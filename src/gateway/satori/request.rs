//! A call of a framework (protocol/api.md, "HTTP API"), and its errors.

use crate::actions;
use crate::adapter::ActionError;
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use crate::gateway::raw_object::RawObject;
use crate::model::message::Message;
use crate::store::{self, View};
use hyper::StatusCode;
use std::sync::Arc;

/// Error of a call: the status ("状态码") and a text for people.
pub(super) type RefusedCall = (StatusCode, String);

/// A call for an account.
pub(super) struct SatoriCall<'a> {
    pub(super) bot: &'a Arc<ConfiguredBot>,
    pub(super) account: &'a Arc<ServedAccount>,
    /// The parameters as they were written, so that a large list takes no more memory than its
    /// text.
    pub(super) params: RawObject<'a>,
}

impl SatoriCall<'_> {
    /// A text, a number or a boolean, as a text that is not empty.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.params.text(key).filter(|text| !text.is_empty())
    }

    /// A required parameter.
    pub(super) fn needed(&self, key: &str) -> Result<String, RefusedCall> {
        self.text(key).ok_or_else(|| bad_request(format!("`{key}` is missing")))
    }

    pub(super) fn view(&self) -> Result<Arc<View>, RefusedCall> {
        self.bot.shared.core.store.view().map_err(|error| of_store(&error))
    }

    /// The message that `message_id` names.
    pub(super) fn message(&self) -> Result<Message, RefusedCall> {
        let id = self.needed("message_id")?;
        let found = super::message::find(&*self.view()?, self.account, &id)
            .map_err(|error| of_store(&error))?;
        found.ok_or_else(|| (StatusCode::NOT_FOUND, format!("there is no message `{id}`")))
    }

    /// The conversation that `channel_id` names.
    pub(super) fn conversation(&self) -> Result<String, RefusedCall> {
        self.conversation_at("channel_id")
    }

    /// The conversation in a parameter that has a channel or a guild.
    pub(super) fn conversation_at(&self, key: &str) -> Result<String, RefusedCall> {
        let id = self.needed(key)?;
        let found = super::channel::conversation_of(&*self.view()?, self.account, &id);
        let found = found.map_err(|error| of_store(&error))?;
        found.ok_or_else(|| bad_request(format!("`{key}` names nobody")))
    }
}

pub(super) fn bad_request(words: impl Into<String>) -> RefusedCall {
    (StatusCode::BAD_REQUEST, words.into())
}

/// The platform has no such method ("状态码").
pub(super) fn no_method(name: &str) -> RefusedCall {
    (StatusCode::NOT_FOUND, format!("`{name}` is not there for this platform"))
}

pub(super) fn of_store(error: &store::StoreError) -> RefusedCall {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

/// The error for an action on a message that failed.
pub(super) fn of_action(error: &actions::ActionFailure) -> RefusedCall {
    let status = match error {
        actions::ActionFailure::NotFound
        | actions::ActionFailure::NoForward
        | actions::ActionFailure::Platform(ActionError::Unsupported) => StatusCode::NOT_FOUND,
        actions::ActionFailure::NotSent
        | actions::ActionFailure::InDoubt
        | actions::ActionFailure::InFlight
        | actions::ActionFailure::SentAgain => StatusCode::FORBIDDEN,
        actions::ActionFailure::Platform(ActionError::NotConnected) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        actions::ActionFailure::Platform(_) => StatusCode::BAD_GATEWAY,
        actions::ActionFailure::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, error.to_string())
}
