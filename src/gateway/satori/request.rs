//! A call of a framework (protocol/api.md, "HTTP API"), and how it ends.

use crate::actions;
use crate::adapter::ActionError;
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use crate::model::message::Message;
use crate::store::{self, View};
use hyper::StatusCode;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Why a call is not answered: the status ("状态码") and words for people.
pub(super) type RefusedCall = (StatusCode, String);

/// A call for an account.
pub(super) struct SatoriCall<'a> {
    pub(super) bot: &'a Arc<ConfiguredBot>,
    pub(super) account: &'a Arc<ServedAccount>,
    pub(super) params: Map<String, Value>,
}

impl SatoriCall<'_> {
    /// A text or a number, as a text.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        match self.params.get(key)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A parameter that must be there.
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
        let id = self.needed("channel_id")?;
        super::channel::conversation_of(&*self.view()?, self.account, &id)
            .map_err(|error| of_store(&error))
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

/// The reason why an action on a message failed.
pub(super) fn of_action(error: &actions::ActionFailure) -> RefusedCall {
    let status = match error {
        actions::ActionFailure::NotFound
        | actions::ActionFailure::NoForward
        | actions::ActionFailure::Platform(ActionError::Unsupported) => StatusCode::NOT_FOUND,
        actions::ActionFailure::NotSent | actions::ActionFailure::InFlight => StatusCode::FORBIDDEN,
        actions::ActionFailure::Platform(ActionError::NotConnected) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        actions::ActionFailure::Platform(_) => StatusCode::BAD_GATEWAY,
        actions::ActionFailure::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, error.to_string())
}
