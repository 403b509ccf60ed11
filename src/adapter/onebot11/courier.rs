//! Sending the core's messages by one connection, and looking for those that may have gone out.

use super::account::Account;
use super::action::{Sending, delivery};
use super::history;
use crate::adapter::onebot::call::Calls;
use crate::adapter::onebot::requests;
use crate::adapter::{Delivery, Found, Outbound, Settings};
use std::sync::Arc;

/// What sends by one connection of an account.
pub(super) struct Courier {
    pub(super) account: Arc<Account>,
    pub(super) calls: Calls,
    pub(super) settings: Arc<Settings>,
}

impl requests::Courier for Courier {
    async fn send(&self, message: Outbound) -> Delivery {
        let through = self.account.through.get(&message.conversation);
        let Some(sending) = Sending::new(&message, through.as_deref(), &self.settings) else {
            let reason = format!(
                "`{}` is no conversation of OneBot 11; write group_<id> or private_<id>",
                message.conversation
            );
            return Delivery::Refused { reason, retryable: false };
        };
        delivery(self.calls.send(message.id, sending.action, &sending, None).await)
    }

    async fn find(&self, message: Outbound) -> Found {
        history::find(&self.account, &self.calls, &message).await
    }
}
