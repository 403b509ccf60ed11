//! The command that stores an event of an adapter.

use super::Ingest;
use super::unstored::StoredSignal;
use crate::adapter::{AdapterEvent, MessageRef};
use crate::clock::now;
use crate::model::event::AdapterState;
use crate::model::inbound::Inbound;
use crate::model::platform_event::MessageTarget;
use crate::model::status_rules::Outcome;
use crate::store::Command;
use std::collections::HashSet;
use tokio::sync::oneshot;

impl Ingest {
    /// The command for an event; `stored` gets the adapter that waits until it is stored.
    pub(super) fn command(
        &self,
        event: AdapterEvent,
        stored: &mut Option<StoredSignal>,
    ) -> Option<Command> {
        Some(match event {
            AdapterEvent::Message(received) => {
                Command::Receive { received, at: now(), can_wait: true }
            }
            AdapterEvent::RawEvent { platform, account, frame, meaning } => {
                let meaning = meaning.and_then(|meaning| self.command(*meaning, stored));
                let Some(forget_before) = self.raw_events.needed_from(now()) else {
                    return meaning;
                };
                let (meaning, at) = (meaning.map(Box::new), now());
                Command::StoreRawEvent { platform, account, frame, meaning, at, forget_before }
            }
            AdapterEvent::Batch { messages, state, stored: waits } => {
                *stored = Some(StoredSignal::Batch(waits));
                batch(messages, state)
            }
            AdapterEvent::Remembered { adapter, answer } => {
                self.answer_state(adapter, answer);
                return None;
            }
            AdapterEvent::Recalled { message, by, at } => {
                Command::Recall { target: target(message), by, at }
            }
            AdapterEvent::Edited { message, content, at } => {
                Command::Edit { target: target(message), content, at, is_repeated: false }
            }
            AdapterEvent::Reacted { message, change, at } => {
                Command::React { target: target(message), change, at }
            }
            AdapterEvent::Noticed { notice, request } => {
                // A request of two strings always serialises.
                let request = request.and_then(|request| serde_json::to_string(&request).ok());
                Command::Notice { notice, request, is_repeated: false }
            }
            AdapterEvent::MentionNamed { message, user, name } => {
                Command::NameMention { target: target(message), user, name, at: now() }
            }
            AdapterEvent::ReplyFound { message, reply_to } => {
                Command::FindReply { target: target(message), reply_to, at: now() }
            }
            AdapterEvent::ConfirmedLate { message, account, external_id, is_unconfirmed } => {
                let outcome = Outcome::Sent { account, external_id, is_unconfirmed };
                Command::RecordLate { id: message, outcome, at: now() }
            }
            AdapterEvent::RefusedLate { message, reason, retryable } => {
                let outcome = Outcome::RefusedLate { reason, retryable };
                Command::RecordLate { id: message, outcome, at: now() }
            }
            AdapterEvent::PartSent { message, index, external_id, noted } => {
                *stored = Some(StoredSignal::Part(noted));
                Command::NotePart { id: message, index, external_id, at: now() }
            }
            AdapterEvent::Named { platform, conversation, name } => {
                Command::Name { platform, conversation, name }
            }
            AdapterEvent::SentMessages { platform, account, conversation, answer } => {
                self.answer_sent(&platform, &account, &conversation, answer);
                return None;
            }
            AdapterEvent::OwnMessages { platform, account, conversation, answer } => {
                self.answer_own(&platform, &account, &conversation, answer);
                return None;
            }
            AdapterEvent::Conversations { platform, account, limit, answer } => {
                self.answer_conversations(&platform, &account, limit, answer);
                return None;
            }
        })
    }

    fn answer_sent(
        &self,
        platform: &str,
        account: &str,
        conversation: &str,
        answer: oneshot::Sender<Vec<(String, u64)>>,
    ) {
        let view = self.store.view();
        match view.and_then(|view| view.sent_last(platform, account, conversation)) {
            Ok(sent) => drop(answer.send(sent)),
            Err(error) => tracing::error!("what {account} sent last cannot be read: {error}"),
        }
    }

    fn answer_own(
        &self,
        platform: &str,
        account: &str,
        conversation: &str,
        answer: oneshot::Sender<HashSet<String>>,
    ) {
        let view = self.store.view();
        match view.and_then(|view| view.own_messages(platform, account, conversation)) {
            Ok(own) => drop(answer.send(own)),
            Err(error) => tracing::error!("the messages of {account} cannot be read: {error}"),
        }
    }

    fn answer_state(&self, adapter: &str, answer: oneshot::Sender<Vec<(String, Vec<u8>)>>) {
        match self.store.view().and_then(|view| view.adapter_state(adapter)) {
            Ok(state) => drop(answer.send(state)),
            Err(error) => {
                tracing::error!("the state of the adapter {adapter} cannot be read: {error}");
            }
        }
    }

    fn answer_conversations(
        &self,
        platform: &str,
        account: &str,
        limit: usize,
        answer: oneshot::Sender<Vec<String>>,
    ) {
        let view = self.store.view();
        match view.and_then(|view| view.conversations_of(platform, account, limit)) {
            Ok(conversations) => drop(answer.send(conversations)),
            Err(error) => {
                tracing::error!("the conversations of {account} cannot be read: {error}");
            }
        }
    }
}

/// The command that stores messages, and what their adapter is to remember with them, in one commit.
fn batch(messages: Vec<Inbound>, state: Vec<AdapterState>) -> Command {
    let receive =
        |message| Command::Receive { received: Box::new(message), at: now(), can_wait: false };
    let keep = |state| Command::KeepState { state: Box::new(state) };
    let messages = messages.into_iter().map(receive);
    Command::Together(messages.chain(state.into_iter().map(keep)).collect())
}

fn target(message: MessageRef) -> MessageTarget {
    let MessageRef { account, platform, conversation, external_id } = message;
    MessageTarget::External { account, platform, conversation, external_id }
}
