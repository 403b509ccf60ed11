//! Sending the core's messages by one connection, and looking for those that may have gone out.

use super::account::Account;
use super::act::act;
use super::action::{SendAction, delivery};
use super::address::OneBot11Address;
use super::compose::{SendStep, steps};
use super::options::OneBot11Options;
use super::written::as_made;
use super::{find_media, history, lookup};
use crate::adapter::api::{
    Action, ActionError, Delivery, ForwardOf, Found, MediaOf, MediaSource, Outbound,
};
use crate::adapter::onebot::common::call::{Calls, NoAnswer};
use crate::adapter::onebot::common::requests::RequestHandler;
use crate::model::content::ForwardItem;
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;

/// How long an action may take that somebody else called: uploads are among them.
const CALL_TIMEOUT: Duration = Duration::from_mins(2);

/// Answers the core's requests by one connection of an account.
pub(super) struct Handler {
    pub(super) account: Arc<Account>,
    pub(super) calls: Calls,
    pub(super) options: Arc<OneBot11Options>,
}

impl RequestHandler for Handler {
    fn media_folder(&self) -> Option<&str> {
        self.options.media_folder.as_deref()
    }

    async fn send(&self, message: Outbound) -> Delivery {
        let refused = |reason| Delivery::Refused { reason, retryable: false };
        let Some(address) = OneBot11Address::parse(&message.conversation) else {
            return refused(format!(
                "`{}` is no conversation of OneBot 11; write group_<id> or private_<id>",
                message.conversation
            ));
        };
        if let Some(original) = &message.original {
            return self.send_as_made(&message, original, &address).await;
        }
        let account = self.account.id().unwrap_or_default();
        let steps = match steps(&message, &address, account, &self.options) {
            Ok(steps) if steps.is_empty() => return refused("there is nothing to send".into()),
            Ok(steps) => steps,
            Err(reason) => return refused(reason),
        };
        let through = self.account.through.get(&message.conversation);
        let sending =
            |step| SendAction::new(step, &address, through.as_deref(), self.options.message_format);
        if let [step] = &steps[..] {
            let sending = sending(step);
            let answer = self.calls.send(message.id, sending.action, &sending, None).await;
            let delivery = delivery(answer);
            if let Delivery::Sent { external_id: Some(id), .. } = &delivery {
                self.account.known.insert(&message.conversation, id);
            }
            return delivery;
        }
        self.send_all(&message, &steps, sending).await
    }

    async fn find(&self, message: Outbound) -> Found {
        history::find(&self.account, &self.calls, &message).await
    }

    async fn open_forward(&self, forward: ForwardOf) -> Result<Vec<ForwardItem>, ActionError> {
        lookup::forward(&forward.id, &self.account, &self.calls).await
    }

    async fn call_through(
        &self,
        action: String,
        params: Box<RawValue>,
    ) -> Result<String, ActionError> {
        let answer = self.calls.call_through(&action, &params, CALL_TIMEOUT).await;
        answer.map_err(|lost| match lost {
            NoAnswer::NotSent(_) => ActionError::NotConnected,
            lost => ActionError::Unknown(lost.to_string()),
        })
    }

    async fn find_media(&self, media: MediaOf) -> Result<MediaSource, ActionError> {
        find_media::find(&self.calls, &media).await
    }

    async fn act(&self, action: Action) -> Result<(), ActionError> {
        let Action::Recall { conversation, external_id } = action else {
            return act(&self.calls, action).await;
        };
        // The last part goes first: should one stay, the message still stands for it.
        let parts = self.account.progress.parts_of(&conversation, &external_id);
        for external_id in parts.into_iter().rev() {
            let conversation = conversation.clone();
            act(&self.calls, Action::Recall { conversation, external_id }).await?;
        }
        Ok(())
    }
}

impl Handler {
    /// Sends a message as a bot wrote it.
    async fn send_as_made(
        &self,
        message: &Outbound,
        original: &str,
        address: &OneBot11Address<'_>,
    ) -> Delivery {
        let through = self.account.through.get(&message.conversation);
        let through = through.as_deref();
        let Ok(made) = as_made(original, self.options.message_format) else {
            let reason = "the message is no JSON".to_owned();
            return Delivery::Refused { reason, retryable: false };
        };
        let sending = SendAction::as_made(&made, address, through);
        let answer = self.calls.send(message.id, sending.action, &sending, None).await;
        let delivery = delivery(answer);
        if let Delivery::Sent { external_id: Some(id), .. } = &delivery {
            self.account.known.insert(&message.conversation, id);
        }
        delivery
    }

    /// Sends the parts of a message one after the other, those that have not gone in an earlier
    /// attempt. The first one's ID stands for the message.
    async fn send_all<'s, 'a: 's>(
        &self,
        message: &Outbound,
        steps: &'s [SendStep<'a>],
        sending: impl Fn(&'s SendStep<'a>) -> SendAction<'s, 'a>,
    ) -> Delivery {
        let progress = &self.account.progress;
        let contents = steps.iter().map(|step| step.content.clone());
        let gone = progress.begin(message.id, &message.conversation, contents);
        let mut any_unconfirmed = false;
        for (place, step) in steps.iter().enumerate().skip(gone) {
            let sending = sending(step);
            // A late answer would tell of this part alone.
            let answer = self.calls.call(sending.action, &sending, None).await;
            let part = |reason| format!("part {} of {}: {reason}", place + 1, steps.len());
            match delivery(answer) {
                Delivery::Sent { external_id, is_unconfirmed } => {
                    if let Some(id) = &external_id {
                        self.account.known.insert(&message.conversation, id);
                    }
                    progress.note(message.id, external_id);
                    any_unconfirmed |= is_unconfirmed;
                }
                Delivery::Refused { reason, retryable } => {
                    return Delivery::Refused { reason: part(reason), retryable };
                }
                Delivery::Closed => return Delivery::Closed,
                Delivery::Unknown { reason } => return Delivery::Unknown { reason: part(reason) },
            }
        }
        let external_id = progress.finish(message.id);
        Delivery::Sent { external_id, is_unconfirmed: any_unconfirmed }
    }
}
