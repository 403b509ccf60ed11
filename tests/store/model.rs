//! A store as a plain model: a map of messages.

use rechat::model::event::Origin;
use rechat::model::inbound::Inbound;
use rechat::model::message::{Direction, Message};
use rechat::model::status_rules::Outcome;
use rechat::protocol::overview::Conversation;
use rechat::store::MessageFilter;
use std::collections::BTreeMap;

/// The plain model: every message there is, oldest first.
#[derive(Default)]
pub(super) struct Model {
    pub(super) messages: Vec<Message>,
    pub(super) received: Vec<Inbound>,
    pub(super) last_seq: u64,
    pub(super) marks: BTreeMap<(String, String), Marks>,
    /// The attempts at each message, by `seq`.
    pub(super) attempts: BTreeMap<u64, Attempts>,
}

/// The attempts at a message, by the steps alone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attempts {
    /// It goes on while the status is set by hand, and across restarts.
    is_under_way: bool,
    /// Attempts that ended without an answer.
    unanswered: u32,
    /// Such attempts count no more, because somebody has the message sent again; they may be refused yet.
    has_forgotten: bool,
}

impl Attempts {
    pub(super) fn begin(&mut self) {
        // There is one at a time: the process of the other one was killed.
        self.unanswered += u32::from(self.is_under_way);
        self.is_under_way = true;
    }

    pub(super) fn record(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Sent { .. } => *self = Self::default(),
            Outcome::Retry { is_uncertain, .. } | Outcome::Failed { is_uncertain, .. } => {
                self.unanswered += u32::from(*is_uncertain && self.is_under_way);
                self.is_under_way = false;
            }
            Outcome::NotAttempted => self.is_under_way = false,
            // It tells which attempt was refused only if there was one.
            Outcome::RefusedLate { .. }
                if self.unanswered == 1 && !self.is_under_way && !self.has_forgotten =>
            {
                self.unanswered = 0;
            }
            Outcome::RefusedLate { .. } | Outcome::Expired { .. } => {}
        }
    }

    /// Somebody has it sent again: only an attempt that is under way counts still.
    pub(super) fn send_again(&mut self) {
        self.has_forgotten = !self.is_under_way && self.unanswered > 0;
        if !self.is_under_way {
            self.unanswered = 0;
        }
    }

    /// Whether one of them may have sent the message.
    pub(super) fn are_in_doubt(self) -> bool {
        self.is_under_way || self.unanswered > 0
    }
}

/// Facts of a conversation that its messages do not have.
#[derive(Clone, Default)]
pub(super) struct Marks {
    pub(super) read: u64,
    /// When something was said last.
    pub(super) said: u64,
    pub(super) muted: bool,
}

pub(super) fn key_of(message: &Message) -> (String, String) {
    (message.platform_or_local().to_owned(), message.recipient.clone())
}

impl Model {
    pub(super) fn at(&mut self, place: usize) -> Option<&mut Message> {
        let from_end = self.messages.len().checked_sub(place + 1)?;
        self.messages.get_mut(from_end)
    }

    pub(super) fn add(&mut self, message: Message, origin: Origin) {
        assert!(message.seq > self.last_seq, "a `seq` was used again");
        self.last_seq = message.seq;
        self.mark(&message, origin);
        self.messages.push(message);
    }

    /// Notes what a message that comes into a conversation reads.
    pub(super) fn mark(&mut self, message: &Message, origin: Origin) {
        let last = self.of(&key_of(message)).map(|message| message.seq).max().unwrap_or(0);
        let marks = self.marks.entry(key_of(message)).or_default();
        let is_ours = message.direction == Direction::Outbound;
        let reads = match origin {
            Origin::Made => is_ours,
            Origin::Received => is_ours && message.created_at >= marks.said,
            Origin::Imported => marks.read >= last,
        };
        if reads {
            marks.read = marks.read.max(message.seq);
        }
        marks.said = marks.said.max(message.created_at);
    }

    pub(super) fn of(&self, key: &(String, String)) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(move |message| key_of(message) == *key)
    }

    /// The conversations as they are to be listed.
    pub(super) fn conversations(&self) -> Vec<Conversation> {
        let entry = |(key, marks): (&(String, String), &Marks)| {
            let last = self.of(key).max_by_key(|message| (message.created_at, message.seq))?;
            let is_unread = |m: &&Message| m.direction == Direction::Inbound && m.seq > marks.read;
            Some(Conversation {
                platform: key.0.clone(),
                conversation: key.1.clone(),
                last_message: Some(last.clone()),
                last_seq: self.of(key).map(|message| message.seq).max()?,
                last_at: last.created_at,
                unread: self.of(key).filter(is_unread).count() as u64,
                mentions: self.of(key).filter(|m| is_unread(m) && m.content.mentions_me()).count()
                    as u64,
                muted: marks.muted,
                ..Conversation::default()
            })
        };
        let mut all: Vec<_> = self.marks.iter().filter_map(entry).collect();
        all.sort_by_key(|conversation| std::cmp::Reverse(conversation.last_seq));
        all
    }

    pub(super) fn list(&self, filter: &MessageFilter) -> Vec<Message> {
        let matches = |m: &&Message| {
            filter.lets_through(m.status)
                && filter.direction.is_none_or(|direction| direction == m.direction)
                && filter
                    .platform
                    .as_deref()
                    .is_none_or(|platform| platform == m.platform_or_local())
                && filter.conversation.as_ref().is_none_or(|name| *name == m.recipient)
        };
        self.messages.iter().rev().filter(matches).cloned().collect()
    }
}
