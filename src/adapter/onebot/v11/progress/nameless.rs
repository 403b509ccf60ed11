//! Parts that were taken without an ID, and whose echo may come. It is known by what it says.

use super::newest::keep_newest;
use crate::clock::now;
use crate::model::content::Content;
use crate::model::inbound::{ECHO_LATE, Inbound};
use crate::model::message::ReplyTo;
use std::collections::VecDeque;

/// Parts remembered. The oldest is forgotten.
const MAX_NAMELESS: usize = 256;

/// Parts whose ID is not known, the oldest first.
#[derive(Debug, Default)]
pub(super) struct NamelessParts(VecDeque<NamelessPart>);

/// A part that was taken without an ID.
#[derive(Clone, Debug)]
pub(super) struct NamelessPart {
    pub(super) index: usize,
    pub(super) conversation: String,
    pub(super) reply_to: Option<Box<ReplyTo>>,
    pub(super) content: Content,
    /// When that became known, in Unix seconds.
    pub(super) at: u64,
}

impl NamelessParts {
    /// Remembers a part.
    pub(super) fn keep(&mut self, part: NamelessPart) {
        self.0.push_back(part);
        keep_newest(&mut self.0, MAX_NAMELESS, |part| part.content.bytes());
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
}
