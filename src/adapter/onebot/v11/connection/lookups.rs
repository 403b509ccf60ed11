//! Requests to the implementation that run beside the connection.

use super::Implementation;
use crate::adapter::api::MessageRef;
use crate::adapter::onebot::common::mentions::person_key;
use crate::adapter::onebot::common::session;
use crate::adapter::onebot::v11::quoted_messages::answered_key;
use crate::adapter::onebot::v11::{history, lookup};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::sleep;

impl Implementation {
    /// Asks for the account, unless the first events tell it.
    pub(super) fn ask_for_account(&self) -> oneshot::Receiver<Option<String>> {
        let (told, login) = oneshot::channel();
        let (calls, identified) = (self.calls.clone(), self.identified.clone());
        self.context.look_up(async move {
            if identified.run_until_cancelled(sleep(session::FIRST_EVENTS_TIMEOUT)).await.is_none()
            {
                return;
            }
            // The connection may have ended meanwhile.
            let _ = told.send(lookup::own_account(&calls).await);
        });
        login
    }

    pub(super) fn catch_up(&self) {
        if self.options.history == 0 {
            return;
        }
        let (account, calls) = (Arc::clone(&self.account), self.calls.clone());
        let (options, events) = (Arc::clone(&self.options), self.context.events.clone());
        let ended = self.ended.clone();
        self.context.look_up(async move {
            let work = history::catch_up(&account, &calls, &options, &events);
            ended.run_until_cancelled(work).await;
        });
    }

    /// Asks for a group's name, unless it is asked for already.
    pub(super) fn ask_for_group_name(&self, conversation: &str) {
        if !self.account.names.is_open(conversation)
            || !self.account.lookups.want(conversation, None)
        {
            return;
        }
        let (account, events) = (Arc::clone(&self.account), self.context.events.clone());
        let conversation = conversation.to_owned();
        self.context.look_up(async move {
            lookup::group_name(&conversation, &account, &events).await;
        });
    }

    /// Asks for the name of a person whom a message mentions. If that is running already, its answer also
    /// completes this message.
    pub(super) fn ask_for_person(&self, message: &MessageRef, user: String) {
        let key = person_key(&message.conversation, &user);
        if !self.account.lookups.want(&key, Some(message.clone())) {
            return;
        }
        let (account, events) = (Arc::clone(&self.account), self.context.events.clone());
        let conversation = message.conversation.clone();
        self.context.look_up(async move {
            lookup::person(&conversation, &user, &account, &events).await;
        });
    }

    /// Asks for a quoted message, unless it came in lately. If that is running already, its answer also
    /// completes this message.
    pub(super) fn ask_for_answered(&self, message: MessageRef, answered: String) {
        let conversation = message.conversation.clone();
        let key = answered_key(&conversation, &answered);
        if self.account.known.contains(&conversation, &answered)
            || !self.account.lookups.want(&key, Some(message))
        {
            return;
        }
        let (account, events) = (Arc::clone(&self.account), self.context.events.clone());
        self.context.look_up(async move {
            lookup::answered(&conversation, &answered, &account, &events).await;
        });
    }
}
