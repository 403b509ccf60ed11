//! A message that a platform reported, and the own messages that it may be the echo of. Times are Unix seconds.

use crate::model::content::Content;
use crate::model::message::{Direction, Message, ReplyTo, Sender, Status};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use uuid::Uuid;

/// A message that a platform reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inbound {
    /// The platform that reported the message.
    pub platform: String,
    /// The own account that received or sent it.
    pub account: String,
    /// The conversation, as the adapter addresses it.
    pub conversation: String,
    /// Name of the conversation, if the platform gave one.
    pub conversation_name: Option<String>,
    /// The author.
    pub sender: Sender,
    /// The content.
    pub content: Content,
    /// The message that this one answers, with the fields that the platform gives.
    pub reply_to: Option<Box<ReplyTo>>,
    /// The platform's own ID of the message.
    pub external_id: String,
    /// Time at which it was written, according to the platform.
    pub time: u64,
    /// The account's owner wrote it.
    pub own: bool,
    /// It comes from a platform's history, whose time or ID may differ from those of the live
    /// event.
    pub from_history: bool,
    /// The entries of the same history that it could be confused with.
    pub alike: AlikeEntries,
    /// Seconds by which the clock that wrote `time` is ahead of ours; `None` if that is not known.
    pub clock_ahead: Option<i64>,
    /// The content as the platform wrote it, in its own format.
    pub original: Option<String>,
    /// Recognizes the message when it comes again under another ID, on platforms where that
    /// happens.
    pub fingerprint: Option<String>,
}

/// Entries of a history that have the sender and the content of one of them, and about its time. All of
/// them may come under new IDs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlikeEntries {
    /// The platform's IDs of those before it, in their order.
    pub before: Vec<String>,
    /// The IDs of those after it, in their order.
    pub after: Vec<String>,
    /// The time of the first entry of the history, in Unix seconds by the clock that wrote it.
    pub since: u64,
}

impl Inbound {
    /// The inbound event behind a stored message; `None` where the platform's ID is not known.
    pub fn of(message: &Message) -> Option<Self> {
        Some(Self {
            platform: message.platform.clone()?,
            account: message.account.clone()?,
            conversation: message.recipient.clone(),
            conversation_name: message.conversation_name.clone(),
            sender: message.sender.clone().unwrap_or_default(),
            content: message.content.clone(),
            reply_to: message.reply_to.clone(),
            external_id: message.external_id.clone()?,
            time: message.created_at,
            own: false,
            from_history: false,
            alike: AlikeEntries::default(),
            clock_ahead: None,
            original: message.original.clone(),
            fingerprint: None,
        })
    }

    /// The stored message for this event. A message that the owner wrote elsewhere is outbound and
    /// `Sent`. `created_at` is the platform's time, unless that time is impossible.
    pub fn into_message(self, seq: u64, id: Uuid, at: u64) -> Message {
        let is_possible = (1..=at).contains(&self.time);
        let created_at = if is_possible { self.time } else { at };
        Message {
            status: Status::Sent,
            updated_at: at,
            platform: Some(self.platform),
            direction: if self.own { Direction::Outbound } else { Direction::Inbound },
            conversation_name: self.conversation_name,
            sender: Some(self.sender),
            account: Some(self.account),
            reply_to: self.reply_to,
            external_id: Some(self.external_id),
            original: self.original,
            ..Message::new(seq, id, self.content, self.conversation, created_at)
        }
    }

    /// Whether it may be the echo of a message that is being sent, or of one whose outcome is
    /// unknown; `at` is the time of receipt.
    pub fn echoes(&self, message: &Message, at: u64) -> bool {
        let written = self.may_be_written(at);
        let is_open = match message.status {
            Status::Sending if message.owner.is_some() => true,
            _ => message.may_be_sent() && *written.start() <= message.updated_at + ECHO_LATE,
        };
        self.own
            && message.direction == Direction::Outbound
            && is_open
            && message.may_be_sent_by(&self.account)
            // One that goes out in parts has the echoes of its parts alone.
            && message.parts.is_empty()
            && written.end().saturating_add(CLOCKS_APART) >= message.may_be_sent_since()
            && self.may_say(message)
    }

    /// The time of the last change from which on a message may be the one that this live message echoes, in
    /// Unix seconds; `at` is the time of receipt.
    pub fn echoes_since(&self, at: u64) -> u64 {
        self.may_be_written(at).start().saturating_sub(ECHO_LATE)
    }

    /// Whether it gives the platform's ID of an own message that was confirmed without one.
    pub fn completes(&self, message: &Message, at: u64) -> bool {
        let written = self.may_be_written(at);
        self.own
            && message.direction == Direction::Outbound
            && message.status == Status::Sent
            && message.external_id.is_none()
            && message.account.as_ref() == Some(&self.account)
            && self.may_say(message)
            && written.end().saturating_add(CLOCKS_APART) >= message.created_at
            && *written.start() <= message.updated_at + ECHO_LATE
    }

    /// Whether a platform may report a message of ours in this form.
    fn may_say(&self, message: &Message) -> bool {
        let Message { content, reply_to, .. } = message;
        let reply_to = reply_to.as_deref();
        let quote = reply_to.and_then(ReplyTo::quote);
        self.tells(content, reply_to)
            || quote.is_some_and(|quote| self.tells(&content.behind_quote(quote), reply_to))
    }

    /// Whether a platform may report content of ours in this form, which answers another message or none.
    pub fn tells(&self, content: &Content, reply_to: Option<&ReplyTo>) -> bool {
        let author = reply_to.and_then(|answered| answered.author(&self.account));
        self.content.is_told_of_answer(content, author)
    }

    /// Whether it is the text as which a message of ours went out that was made in another form, or that the
    /// platform tells with other ends of lines.
    pub fn is_text_of(&self, message: &Message) -> bool {
        let has_other_form = message.content.segments().is_some() || message.reply_to.is_some();
        let is_its_text = self.content.is_same_text(&message.content)
            || has_other_form && self.content.segments().is_none() && self.may_say(message);
        self.own && is_its_text
    }

    /// Whether this entry of a history is an own message or a part of it, by its ID and its time: a platform may give an
    /// ID again.
    pub fn is_entry_of(&self, message: &Message) -> bool {
        let written = self.may_be_written(0);
        let is_near = |at: u64| {
            *written.start() <= at.saturating_add(HISTORY_APART)
                && written.end().saturating_add(HISTORY_APART) >= at
        };
        message.platform_ids().any(|id| *id == self.external_id)
            && (is_near(message.created_at) || is_near(message.updated_at))
    }

    /// The time at which it was written, by our clock, if that clock is known which wrote `time`.
    pub fn written(&self) -> Option<u64> {
        let ahead = self.clock_ahead?;
        Some(self.time.saturating_add_signed(ahead.saturating_neg()))
    }

    /// The earliest and the latest time at which it may have been written, by our clock. A live event
    /// counts as written when it came, `at`, whatever the platform's clock says.
    pub fn may_be_written(&self, at: u64) -> RangeInclusive<u64> {
        if !self.from_history {
            return at..=at;
        }
        match self.written() {
            Some(written) => written..=written,
            None => {
                self.time.saturating_sub(MAX_CLOCKS_APART)
                    ..=self.time.saturating_add(MAX_CLOCKS_APART)
            }
        }
    }
}

/// Seconds by which a platform's clock may be behind ours, beyond what is known of it.
pub const CLOCKS_APART: u64 = 60;

/// Seconds by which a clock may be wrong. A larger difference is no clock's, but that of an old message.
pub const MAX_CLOCKS_APART: u64 = 24 * 60 * 60;

/// Seconds by which the time in a history may differ from that of the live event, if the ID differs too.
pub const HISTORY_APART: u64 = 5 * 60;

/// Seconds after an attempt within which its echo is expected.
pub const ECHO_LATE: u64 = 10 * 60;
