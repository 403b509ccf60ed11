//! Parts whose echo may come, and whose ID is not known. Their echoes are known by what they say.

use super::newest::keep_newest;
use crate::clock::now;
use crate::model::content::Content;
use crate::model::inbound::{ECHO_LATE, Inbound};
use crate::model::message::ReplyTo;
use std::collections::VecDeque;
use uuid::Uuid;

/// Parts remembered. The oldest is forgotten.
const MAX_NAMELESS: usize = 256;

/// Parts whose ID is not known, the oldest first.
#[derive(Debug, Default)]
pub(super) struct NamelessParts(VecDeque<NamelessPart>);

/// A part that was taken without an ID, or that an attempt in doubt may have sent and another one did.
#[derive(Clone, Debug)]
pub(super) struct NamelessPart {
    pub(super) message: Uuid,
    pub(super) index: usize,
    pub(super) conversation: String,
    pub(super) reply_to: Option<Box<ReplyTo>>,
    pub(super) content: Content,
    /// Another attempt sent it, too.
    pub(super) is_double: bool,
    /// When that became known, in Unix seconds.
    pub(super) at: u64,
}

impl NamelessParts {
    /// Remembers a part.
    pub(super) fn keep(&mut self, part: NamelessPart) {
        self.0.push_back(part);
        keep_newest(&mut self.0, MAX_NAMELESS, |part| part.content.bytes());
    }

    /// Remembers that so many other attempts may have sent this part, too. Their echoes are none of the owner's messages.
    pub(super) fn keep_doubles(&mut self, part: &NamelessPart, attempts: usize) {
        for _ in 0..attempts {
            self.keep(NamelessPart { is_double: true, ..part.clone() });
        }
    }

    /// Takes over others of the same account.
    pub(super) fn append(&mut self, other: Self) {
        for part in other.0 {
            self.keep(part);
        }
    }

    /// Takes out the part whose echo a live message is; each has one.
    pub(super) fn take_echoed(&mut self, inbound: &Inbound) -> Option<NamelessPart> {
        let place = self.0.iter().position(|part| part.may_be(inbound, now()))?;
        self.0.remove(place)
    }

    /// Takes out a part of a message that another attempt sent, too.
    pub(super) fn take_double(&mut self, message: Uuid, index: usize) -> Option<NamelessPart> {
        let is_it =
            |part: &NamelessPart| part.is_double && part.message == message && part.index == index;
        let place = self.0.iter().position(is_it)?;
        self.0.remove(place)
    }

    /// About how many bytes of memory the contents take.
    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(|part| part.content.bytes()).sum()
    }
}

impl NamelessPart {
    fn may_be(&self, inbound: &Inbound, now: u64) -> bool {
        !inbound.from_history
            && now <= self.at.saturating_add(ECHO_LATE)
            && self.conversation == inbound.conversation
            && inbound.tells(&self.content, self.reply_to.as_deref())
    }

    /// Tells people that a part was sent twice.
    pub(super) fn warn_of_double(&self) {
        let Self { message, index, conversation, .. } = self;
        tracing::warn!(
            conversation,
            "part {} of message {message} was sent twice: an attempt that got no answer in time sent it, too",
            index + 1
        );
    }
}
