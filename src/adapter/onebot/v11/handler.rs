//! Sends messages of the core by one connection, and looks up attempts with an unknown outcome.

use super::account::Account;
use super::act::{Reactions, act};
use super::action::{SendAction, delivery};
use super::address::OneBot11Address;
use super::bot_message::as_made;
use super::compose::{SendStep, contents, steps};
use super::options::OneBot11Options;
use super::progress::{OwnersMessage, RefusedPart, SentPart};
use super::{find_media, history, lookup};
use crate::adapter::api::{
    Action, ActionError, AdapterEvent, Delivery, EventSink, ForwardOf, Found, MediaOf, MediaSource,
    Outbound, PartNoted,
};
use crate::adapter::onebot::common::call::{Calls, NoAnswer};
use crate::adapter::onebot::common::requests::RequestHandler;
use crate::model::content::{Content, ForwardItem, Segment};
use crate::protocol::http::GroupMembers;
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Time limit of an action that a bot or a client calls; uploads are among them.
const CALL_TIMEOUT: Duration = Duration::from_mins(2);
/// How long an attempt waits until the note of a sent part is stored. The disk may refuse for long.
const KEEP_TIMEOUT: Duration = Duration::from_secs(5);
/// The most forwards of one message that are opened to be sent.
const MAX_OPENED: usize = 8;

/// Answers the core's requests by one connection of an account.
pub(super) struct Handler {
    pub(super) account: Arc<Account>,
    pub(super) calls: Calls,
    pub(super) options: Arc<OneBot11Options>,
    /// The core, which is told of parts that have gone.
    pub(super) events: EventSink,
    /// The tasks that report to the core.
    pub(super) tracker: TaskTracker,
    pub(super) reactions: Reactions,
}

impl RequestHandler for Handler {
    fn media_folder(&self) -> Option<&str> {
        self.options.media_folder.as_deref()
    }

    async fn send(&self, message: Outbound) -> Delivery {
        let refused = |reason| Delivery::Refused { reason, retryable: false };
        let message = match self.with_opened_forwards(message).await {
            Ok(message) => message,
            Err(reason) => return Delivery::Refused { reason, retryable: true },
        };
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
        let through = self.account.through().get(&message.conversation);
        let sending =
            |step| SendAction::new(step, &address, through.as_deref(), self.options.message_format);
        if let [step] = &steps[..] {
            return self.send_whole(&message, &step.content, sending(step)).await;
        }
        self.send_all(&message, &steps, sending).await
    }

    async fn find(&self, message: Outbound) -> Found {
        // The parts of an attempt were made of opened forwards, too.
        let Ok(message) = self.with_opened_forwards(message).await else {
            return Found::CannotTell;
        };
        let (account, calls, events) = (&self.account, &self.calls, &self.events);
        match &contents(&message, account.id().unwrap_or_default(), &self.options)[..] {
            [] => Found::CannotTell,
            [content] => history::find(account, calls, events, &message, content).await,
            contents => history::find_parts(account, calls, events, &message, contents).await,
        }
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
            refused @ (NoAnswer::TooLarge | NoAnswer::Busy) => {
                ActionError::Refused(refused.to_string())
            }
            lost => ActionError::Unknown(lost.to_string()),
        })
    }

    async fn find_media(&self, media: MediaOf) -> Result<MediaSource, ActionError> {
        find_media::find(&self.calls, &media).await
    }

    async fn members(&self, conversation: String) -> Result<GroupMembers, ActionError> {
        lookup::members(&conversation, &self.calls).await
    }

    async fn act(&self, action: Action) -> Result<(), ActionError> {
        match action {
            Action::Recall { conversation, external_id, parts } if !parts.is_empty() => {
                self.recall_all(&conversation, external_id, parts).await
            }
            action => act(&self.calls, &self.reactions, action).await,
        }
    }
}

impl Handler {
    /// Takes all parts of a message back; none if the ID of one is unknown.
    async fn recall_all(
        &self,
        conversation: &str,
        first: String,
        mut parts: Vec<String>,
    ) -> Result<(), ActionError> {
        parts[0] = first;
        if let Some(unknown) = parts.iter().position(String::is_empty) {
            return Err(ActionError::Refused(format!(
                "cannot recall part {} of {}: the platform gave no ID for it; no part was recalled",
                unknown + 1,
                parts.len()
            )));
        }
        // The last part first: if a later recall fails, the first part, which stands for the message, is
        // still there.
        for external_id in parts.into_iter().rev() {
            let conversation = conversation.to_owned();
            let action = Action::Recall { conversation, external_id, parts: Vec::new() };
            act(&self.calls, &self.reactions, action).await?;
        }
        Ok(())
    }

    /// The message with the content of its forwards that have only an ID. A forward that the implementation
    /// cannot open any more stays as it is.
    async fn with_opened_forwards(&self, message: Outbound) -> Result<Outbound, String> {
        let is_closed = |segment: &Segment| matches!(segment, Segment::Forward { items, id: Some(_), .. } if items.is_empty());
        let has_closed =
            message.content.segments().is_some_and(|segments| segments.iter().any(is_closed));
        if !has_closed || message.original.is_some() {
            return Ok(message);
        }
        let mut segments = message.content.to_segments();
        for segment in segments.iter_mut().filter(|segment| is_closed(segment)).take(MAX_OPENED) {
            let Segment::Forward { items, id: Some(id), .. } = segment else { continue };
            match lookup::forward(id, &self.account, &self.calls).await {
                Ok(found) => *items = found,
                Err(ActionError::Unsupported | ActionError::Refused(_)) => {}
                Err(error) => return Err(format!("its forward could not be opened: {error}")),
            }
        }
        Ok(Outbound { content: Content::of(segments), ..message })
    }

    /// Stores that a part was sent, so that an attempt after a restart sends only the rest, and all parts
    /// can be recalled. Returns whether the message was deleted; if the note cannot be stored here, that is
    /// not known, and the attempt goes on.
    async fn keep_part(
        &self,
        message: Uuid,
        index: usize,
        external_id: Option<String>,
    ) -> Option<PartNoted> {
        let (noted, mut is_noted) = oneshot::channel();
        let events = self.events.clone();
        let part = AdapterEvent::PartSent { message, index, external_id, noted };
        // It is stored even if that takes longer than the wait.
        self.tracker.spawn(async move { events.report(part).await });
        let Ok(answer) = timeout(KEEP_TIMEOUT, &mut is_noted).await else {
            self.account.progress().note(message, index, Err(is_noted));
            return None;
        };
        let answer = answer.ok()?;
        self.account.progress().note(message, index, Ok(answer));
        Some(answer)
    }

    /// Tells the core of a message that was taken for the echo of a part. Bots have its frame already.
    async fn give_back(&self, owners_message: Option<OwnersMessage>) {
        if let Some(message) = owners_message {
            self.events.report(AdapterEvent::Message(message)).await;
        }
    }

    /// Sends a message as a bot wrote it.
    async fn send_as_made(
        &self,
        message: &Outbound,
        original: &str,
        address: &OneBot11Address<'_>,
    ) -> Delivery {
        let through = self.account.through().get(&message.conversation);
        let through = through.as_deref();
        let Ok(made) = as_made(original, self.options.message_format) else {
            let reason = "the message is no JSON".to_owned();
            return Delivery::Refused { reason, retryable: false };
        };
        let sending = SendAction::as_made(&made, address, through);
        self.send_whole(message, &message.content, sending).await
    }

    async fn send_whole(
        &self,
        message: &Outbound,
        content: &Content,
        sending: SendAction<'_, '_>,
    ) -> Delivery {
        self.account.progress().begin_whole(message, content);
        let answer = self.calls.send(message.id, sending.action, &sending, None).await;
        let delivery = delivery(answer);
        self.account.progress().end_whole(message.id, &delivery);
        if let Delivery::Sent { external_id: Some(id), .. } = &delivery {
            self.account.was_sent(&message.conversation, id);
        }
        delivery
    }

    /// Sends the parts of a message one after the other, without those that an earlier attempt sent. The ID
    /// of the first one stands for the message.
    async fn send_all<'s, 'a: 's>(
        &self,
        message: &Outbound,
        steps: &'s [SendStep<'a>],
        sending: impl Fn(&'s SendStep<'a>) -> SendAction<'s, 'a>,
    ) -> Delivery {
        // The account may become known meanwhile, and has the state of its earlier connections then.
        let progress = || self.account.progress();
        let contents: Vec<_> = steps.iter().map(|step| step.content.clone()).collect();
        let gone = progress().begin(message, &contents);
        for (place, step) in steps.iter().enumerate().skip(gone) {
            let sending = sending(step);
            progress().send(message.id);
            let answer = self.calls.send_part(message.id, place, sending.action, &sending).await;
            let part = |reason| format!("part {} of {}: {reason}", place + 1, steps.len());
            let delivery = delivery(answer);
            let proven = match &delivery {
                Delivery::Sent { .. } => None,
                Delivery::Unknown { .. } => progress().part_unanswered(message.id),
                Delivery::Refused { .. } | Delivery::Closed => {
                    match progress().part_refused(message.id) {
                        RefusedPart::SentEarlier(proven) => Some(proven),
                        RefusedPart::NotSent(owners_message) => {
                            self.give_back(owners_message).await;
                            None
                        }
                    }
                }
            };
            match proven.unwrap_or(delivery) {
                Delivery::Sent { external_id, is_unconfirmed } => {
                    let SentPart { external_id, owners_message } =
                        progress().part_sent(message.id, external_id, is_unconfirmed);
                    self.give_back(owners_message).await;
                    if let Some(id) = &external_id {
                        self.account.was_sent(&message.conversation, id);
                    }
                    let noted = self.keep_part(message.id, place, external_id).await;
                    if noted == Some(PartNoted::MessageDeleted) {
                        let reason = "the message was deleted while it was being sent".into();
                        return Delivery::Unknown { reason: part(reason) };
                    }
                }
                Delivery::Refused { reason, retryable } => {
                    return Delivery::Refused { reason: part(reason), retryable };
                }
                Delivery::Closed => return Delivery::Closed,
                Delivery::Unknown { reason } => return Delivery::Unknown { reason: part(reason) },
            }
        }
        progress().finish(message.id)
    }
}
