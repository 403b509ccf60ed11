//! Messages that are sent as a whole. What one of them says may also be a part of another message, so an echo
//! that may be its own proves no part.

use super::newest::keep_newest;
use super::sent_ids::SentIds;
use crate::adapter::api::{Delivery, Outbound};
use crate::clock::now;
use crate::model::content::Content;
use crate::model::inbound::{ECHO_LATE, Inbound};
use crate::model::message::ReplyTo;
use std::collections::VecDeque;
use uuid::Uuid;

/// Messages remembered whose echo is awaited. The oldest is forgotten.
const MAX_AWAITED: usize = 256;

/// Messages of an account that are sent as a whole, and those that were.
#[derive(Debug, Default)]
pub(super) struct WholeMessages {
    awaited: VecDeque<AwaitedEcho>,
    /// Those that were sent.
    known: SentIds,
}

/// A message whose echo may come, and whose ID is not known.
#[derive(Debug)]
struct AwaitedEcho {
    message: Uuid,
    conversation: String,
    reply_to: Option<Box<ReplyTo>>,
    /// Without addresses of media, which may be their bytes.
    content: Content,
    is_under_way: bool,
    /// When an attempt ended that may have sent it, in Unix seconds.
    ended_at: Option<u64>,
}

impl WholeMessages {
    /// An attempt begins.
    pub(super) fn begin(&mut self, message: &Outbound, content: &Content) {
        let earlier = self.take(message.id).and_then(|earlier| earlier.ended_at);
        self.await_echo(AwaitedEcho {
            is_under_way: true,
            ended_at: earlier,
            ..AwaitedEcho::of(message, content)
        });
    }

    /// An attempt of an earlier process may have sent it.
    pub(super) fn doubt(&mut self, message: &Outbound, content: &Content) {
        if self.awaited.iter().all(|known| known.message != message.id) {
            let ended_at = Some(message.may_be_sent_since);
            self.await_echo(AwaitedEcho { ended_at, ..AwaitedEcho::of(message, content) });
        }
    }

    /// About how many bytes of memory the contents take.
    pub(super) fn bytes(&self) -> usize {
        self.awaited.iter().map(|awaited| awaited.content.bytes()).sum()
    }

    /// An attempt ended, or its late answer came.
    pub(super) fn end(&mut self, message: Uuid, delivery: &Delivery) {
        let Some(mut awaited) = self.take(message) else { return };
        awaited.is_under_way = false;
        match delivery {
            Delivery::Sent { external_id: Some(id), .. } => {
                return self.keep(awaited.conversation, id.clone());
            }
            Delivery::Sent { external_id: None, .. } | Delivery::Unknown { .. } => {
                awaited.ended_at = Some(now());
            }
            Delivery::Refused { .. } | Delivery::Closed => {}
        }
        if awaited.ended_at.is_some() {
            self.await_echo(awaited);
        }
    }

    /// Takes over other messages of the same account.
    pub(super) fn append(&mut self, other: Self) {
        for awaited in other.awaited {
            self.await_echo(awaited);
        }
        self.known.append(other.known);
    }

    fn await_echo(&mut self, awaited: AwaitedEcho) {
        self.awaited.retain(|earlier| !earlier.is_late());
        self.awaited.push_back(awaited);
        keep_newest(&mut self.awaited, MAX_AWAITED, |awaited| awaited.content.bytes());
    }

    /// Remembers a message by its ID.
    pub(super) fn keep(&mut self, conversation: String, id: String) {
        self.known.keep(conversation, id, now());
    }

    /// Whether an own message is one of these, by its ID.
    pub(super) fn has(&self, inbound: &Inbound) -> bool {
        self.known.has(inbound, now())
    }

    /// Whether an own message may be the echo of one of these. Each has one echo.
    pub(super) fn take_echo(&mut self, inbound: &Inbound) -> bool {
        let Some(place) = self.awaited.iter().position(|awaited| awaited.may_be(inbound)) else {
            return false;
        };
        // The end of the attempt gives the ID of one that is under way.
        if !self.awaited[place].is_under_way {
            self.awaited.remove(place);
            self.keep(inbound.conversation.clone(), inbound.external_id.clone());
        }
        true
    }

    /// Whether an own message may be one of these, because it says the same.
    pub(super) fn awaits(&self, inbound: &Inbound) -> bool {
        self.awaited.iter().any(|awaited| awaited.may_be(inbound))
    }

    fn take(&mut self, message: Uuid) -> Option<AwaitedEcho> {
        let place = self.awaited.iter().position(|awaited| awaited.message == message)?;
        self.awaited.remove(place)
    }
}

impl AwaitedEcho {
    fn of(message: &Outbound, content: &Content) -> Self {
        Self {
            message: message.id,
            conversation: message.conversation.clone(),
            reply_to: message.reply_to.clone(),
            content: content.without_addresses(),
            is_under_way: false,
            ended_at: None,
        }
    }

    /// Whether its echo does not come any more.
    fn is_late(&self) -> bool {
        let is_past = |at: u64| now() > at.saturating_add(ECHO_LATE);
        !self.is_under_way && self.ended_at.is_some_and(is_past)
    }

    fn may_be(&self, inbound: &Inbound) -> bool {
        self.conversation == inbound.conversation
            && !self.is_late()
            && inbound.tells(&self.content, self.reply_to.as_deref())
    }
}
