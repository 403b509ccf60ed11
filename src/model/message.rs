//! A message as it is stored.

pub use super::doubt::Doubt;
pub use super::draft::Draft;
pub use super::message_type::MessageType;
pub use super::name::{LOCAL, NAME_BYTES, check_name};
pub use super::named::UnknownName;
pub use super::sender::Sender;
pub use super::status::{Direction, Status};

use super::content::{Content, MAX_EXCERPT};
use super::reaction::Reaction;
use super::wait_reason::WaitReason;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Number of the message: grows by one with each message made, and is never used again.
    pub seq: u64,
    /// The ID that clients use.
    pub id: Uuid,
    /// The content, as segments.
    pub content: Content,
    /// The conversation it belongs to, inbound too.
    pub recipient: String,
    /// The status; `Sent` for received messages, unless somebody set another one.
    pub status: Status,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds.
    pub updated_at: u64,
    /// How often it was sent again.
    pub retry_count: u32,
    /// The platform; `None` until the author named one or one was found.
    pub platform: Option<String>,
    /// Whether it was received or sent.
    pub direction: Direction,
    /// The conversation's name for people, where the platform told it.
    pub conversation_name: Option<String>,
    /// The author; none for messages that were made here.
    pub sender: Option<Sender>,
    /// Your account that received or sent it.
    pub account: Option<String>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Reason why it waits, and advice; computed when it is read, never stored.
    pub waiting: Option<WaitReason>,
    /// The message that this one answers.
    pub reply_to: Option<Box<ReplyTo>>,
    /// Unix seconds of its last edit.
    pub edited_at: Option<u64>,
    /// Its recall, once it was taken back.
    pub recall: Option<Box<Recall>>,
    /// Reactions to it, in the order in which they first came.
    pub reactions: Vec<Reaction>,
    /// The bot that made it, where one did.
    pub via: Option<String>,
    /// The platform's own ID of the message; never shown, used to recognize duplicates.
    pub external_id: Option<String>,
    /// For a message that is sent in several parts, the platform's own IDs of the parts that were
    /// sent, in order; empty texts where the platform gave none. Never shown.
    pub parts: Vec<String>,
    /// The content as the platform wrote it (segments as JSON), where `content` was translated from
    /// it.
    pub original: Option<String>,
    /// An attempt that has ended may have sent it; that is looked up before the next one
    /// ([`AttemptState`](crate::model::attempts::AttemptState)).
    pub is_uncertain: bool,
    /// The attempts in doubt, as far as they are known.
    pub doubt: Option<Box<Doubt>>,
    /// The platform accepted it without a proof of delivery.
    pub is_unconfirmed: bool,
    /// The process that claimed it, until its attempt has ended: also where its status was set by hand since.
    pub owner: Option<String>,
}

impl Message {
    /// Whether another own account than this one is known to have it.
    pub fn is_of_other(&self, account: &str) -> bool {
        self.account.as_deref().is_some_and(|own| own != account)
    }

    /// The platform's own IDs of its parts and of the message itself, as far as they are known.
    pub fn platform_ids(&self) -> impl Iterator<Item = &String> {
        self.parts.iter().chain(&self.external_id)
    }

    /// Whether it was reported to one of your accounts, and another person wrote it.
    pub fn is_told_by(&self, platform: &str, account: &str) -> bool {
        self.direction == Direction::Inbound
            && self.platform.as_deref() == Some(platform)
            && self.account.as_deref() == Some(account)
    }
}

/// The message that another one answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyTo {
    /// Its ID, if the message is in this store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The author; none for messages that were made here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Sender>,
    /// A short excerpt of its readable text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The platform's own ID of it; never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

impl ReplyTo {
    /// The reference to a message of this store.
    pub fn of(message: &Message) -> Self {
        Self {
            id: Some(message.id),
            sender: message.sender.clone(),
            content: Some(excerpt(&message.content.readable())),
            external_id: message.external_id.clone(),
        }
    }

    /// The ID of the author, if that is known; one that was made here is of this account.
    pub fn author<'a>(&'a self, account: &'a str) -> Option<&'a str> {
        match &self.sender {
            Some(sender) => Some(&sender.id),
            None => self.id.map(|_| account),
        }
    }

    /// The text that stands before an answer, where the platform cannot be told which message it
    /// answers; `None` where nothing is known of that.
    pub fn quote(&self) -> Option<String> {
        let said = self.content.as_deref().filter(|said| !said.is_empty())?;
        Some(match self.sender.as_ref().filter(|sender| !sender.name.is_empty()) {
            Some(sender) => format!("> {}: {said}\n", sender.name),
            None => format!("> {said}\n"),
        })
    }
}

/// The beginning of a text, on one line.
pub fn excerpt(text: &str) -> String {
    let line: String = text.chars().take(MAX_EXCERPT).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The recall of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// Unix seconds.
    pub at: u64,
    /// The person who recalled it, if the platform names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Sender>,
}

impl Message {
    /// Notes a recall; `hides` removes the content.
    pub fn take_back(&mut self, recall: Recall, hides: bool) {
        self.recall = Some(Box::new(recall));
        if hides {
            self.content = Content::text("");
            self.original = None;
        }
    }

    /// Whether it was recalled and its content was removed.
    pub fn is_hidden(&self) -> bool {
        self.recall.is_some() && self.content.is_empty()
    }

    /// A message that waits to be sent, made at a time in Unix seconds.
    pub fn new(seq: u64, id: Uuid, content: Content, recipient: String, at: u64) -> Self {
        Self {
            seq,
            id,
            content,
            recipient,
            status: Status::Pending,
            created_at: at,
            updated_at: at,
            retry_count: 0,
            platform: None,
            direction: Direction::Outbound,
            conversation_name: None,
            sender: None,
            account: None,
            last_error: None,
            waiting: None,
            reply_to: None,
            edited_at: None,
            recall: None,
            reactions: Vec::new(),
            via: None,
            external_id: None,
            parts: Vec::new(),
            original: None,
            is_uncertain: false,
            doubt: None,
            is_unconfirmed: false,
            owner: None,
        }
    }

    /// The type of Part 1, computed from the content.
    pub fn message_type(&self) -> MessageType {
        self.content.message_type()
    }

    /// The platform, or [`LOCAL`] until one is found.
    pub fn platform_or_local(&self) -> &str {
        self.platform.as_deref().unwrap_or(LOCAL)
    }
}

impl Draft {
    /// The message this draft becomes at `seq`, at a time in Unix seconds.
    pub fn into_message(self, seq: u64, id: Uuid, at: u64) -> Message {
        Message {
            platform: self.platform,
            via: self.via,
            account: self.account,
            original: self.original,
            ..Message::new(seq, id, self.content, self.recipient, at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_quotes_what_it_answers() {
        let sender = Some(Sender { id: "1".into(), name: "Ann".into() });
        let reply_to = ReplyTo { sender, content: Some("早".into()), ..ReplyTo::default() };
        assert_eq!(reply_to.quote().as_deref(), Some("> Ann: 早\n"));
        assert_eq!(ReplyTo::default().quote(), None);
    }
}
