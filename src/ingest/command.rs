//! The command that stores an event of an adapter.

use super::Ingest;
use super::queued_command::StoredSignal;
use crate::adapter::{AccountConversation, AdapterEvent, MessageRef};
use crate::clock::now;
use crate::model::event::AdapterState;
use crate::model::inbound::Inbound;
use crate::model::message::Message;
use crate::model::platform_event::MessageTarget;
use crate::model::status_rules::Outcome;
use crate::outbox;
use crate::store::{self, Command, View};
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
                self.answer(answer, |view| view.adapter_state(adapter));
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
            AdapterEvent::SentMessages { of, answer } => {
                let AccountConversation { platform, account, conversation } = &of;
                self.answer(answer, |view| view.sent_last(platform, account, conversation));
                return None;
            }
            AdapterEvent::OwnMessages { of, answer } => {
                let AccountConversation { platform, account, conversation } = &of;
                self.answer(answer, |view| {
                    let own = view.own_messages(platform, account, conversation)?;
                    Ok(own.iter().flat_map(Message::platform_ids).cloned().collect())
                });
                return None;
            }
            AdapterEvent::DoubtfulMessages { of, answer } => {
                // Those of a killed process may still wait to be recorded, because the disk refuses.
                let is_recorded = self.outcomes.are_claims_own();
                let interrupted = (!is_recorded).then(|| self.store.owner());
                self.answer(answer, |view| outbox::doubtful(view, &of, interrupted));
                return None;
            }
            AdapterEvent::Conversations { platform, account, limit, answer } => {
                self.answer(answer, |view| view.conversations_of(&platform, &account, limit));
                return None;
            }
        })
    }

    /// Answers a question of an adapter by the store; drops it if that cannot be read.
    fn answer<T>(&self, answer: oneshot::Sender<T>, read: impl FnOnce(&View) -> store::Result<T>) {
        match self.store.view().and_then(|view| read(&view)) {
            Ok(found) => drop(answer.send(found)),
            Err(error) => tracing::error!("a question of an adapter cannot be answered: {error}"),
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
