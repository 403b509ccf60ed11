//! Sending the core's messages by one connection, and looking for those that may have gone out.

use super::account::Account;
use super::action::{Sending, delivery};
use super::history;
use super::options::Options;
use crate::adapter::api::{Delivery, Event, EventSink, Found, Outbound};
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::common::requests::RequestHandler;
use std::sync::Arc;

/// Answers the core's requests by one connection of an account.
pub(super) struct Handler {
    pub(super) account: Arc<Account>,
    pub(super) calls: Calls,
    pub(super) options: Arc<Options>,
    pub(super) events: EventSink,
}

impl RequestHandler for Handler {
    async fn send(&self, message: Outbound) -> Delivery {
        let through = self.account.through.get(&message.conversation);
        let sending = match Sending::new(&message, through.as_deref(), &self.options) {
            Ok(sending) => sending,
            Err(reason) => return Delivery::Refused { reason, retryable: false },
        };
        self.account.echoes.begin(&message);
        let answer = self.calls.call(sending.action, &sending, None).await;
        let (delivery, other) = self.account.echoes.end(message.id, delivery(answer));
        for message in other {
            self.events.report(Event::Message(Box::new(message))).await;
        }
        delivery
    }

    async fn find(&self, message: Outbound) -> Found {
        history::find(&self.account, &self.calls, &message).await
    }
}
