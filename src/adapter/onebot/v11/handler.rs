//! Sending the core's messages by one connection, and looking for those that may have gone out.

use super::account::Account;
use super::act::act;
use super::action::{Sending, delivery};
use super::history;
use super::options::Options;
use crate::adapter::api::{Action, ActionError, Delivery, Found, Outbound};
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::common::requests::RequestHandler;
use std::sync::Arc;

/// Answers the core's requests by one connection of an account.
pub(super) struct Handler {
    pub(super) account: Arc<Account>,
    pub(super) calls: Calls,
    pub(super) options: Arc<Options>,
}

impl RequestHandler for Handler {
    async fn send(&self, message: Outbound) -> Delivery {
        let through = self.account.through.get(&message.conversation);
        let sending = match Sending::new(&message, through.as_deref(), &self.options) {
            Ok(sending) => sending,
            Err(reason) => return Delivery::Refused { reason, retryable: false },
        };
        delivery(self.calls.send(message.id, sending.action, &sending, None).await)
    }

    async fn find(&self, message: Outbound) -> Found {
        history::find(&self.account, &self.calls, &message).await
    }

    async fn act(&self, action: Action) -> Result<(), ActionError> {
        act(&self.calls, action).await
    }
}
