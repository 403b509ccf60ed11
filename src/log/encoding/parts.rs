//! Parts of events in encoded form.

use crate::log::record::{IS_UNCERTAIN, IS_UNCONFIRMED, WireContent};
use crate::model::content::Content;
use crate::model::event::{DedupeKey, MessageState};
use crate::model::inbound::{AlikeEntries, Inbound};
use crate::model::message::{MessageType, ReplyTo, Sender, Status};
use crate::model::reaction::Reaction;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
pub(super) struct WireState<'a> {
    status: u8,
    updated_at: u64,
    retry_count: u32,
    platform: Option<&'a str>,
    account: Option<&'a str>,
    last_error: Option<&'a str>,
    external_id: Option<&'a str>,
    /// Bits. Version 0.2 had only the first one, as a `bool`.
    flags: u8,
    owner: Option<&'a str>,
}

/// A message of a platform, as version 1 had it.
#[derive(Serialize, Deserialize)]
pub(super) struct WireInboundV1<'a> {
    platform: &'a str,
    account: &'a str,
    conversation: &'a str,
    conversation_name: Option<&'a str>,
    sender_id: &'a str,
    sender_name: &'a str,
    message_type: u8,
    content: &'a str,
    external_id: &'a str,
    time: u64,
    own: bool,
    from_history: bool,
    original: Option<&'a str>,
}

/// A message of a platform, as version 2 had it.
#[derive(Serialize, Deserialize)]
pub(super) struct WireInbound<'a> {
    platform: &'a str,
    account: &'a str,
    conversation: &'a str,
    conversation_name: Option<&'a str>,
    sender_id: &'a str,
    sender_name: &'a str,
    #[serde(borrow)]
    content: WireContent<'a>,
    reply_to: Option<WireReply<'a>>,
    external_id: &'a str,
    time: u64,
    own: bool,
    from_history: bool,
    original: Option<&'a str>,
}

/// The message that another one answers.
#[derive(Serialize, Deserialize)]
pub(super) struct WireReply<'a> {
    id: Option<Uuid>,
    sender: Option<(&'a str, &'a str)>,
    content: Option<&'a str>,
    external_id: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireReaction<'a> {
    emoji: &'a str,
    count: u32,
    mine: bool,
    #[serde(borrow)]
    users: Vec<&'a str>,
}

#[derive(Serialize, Deserialize)]
pub(super) enum WireMark {
    Seen(u64, u128),
    Sent(u64, u128),
    Key(u128, u128, u64),
}

pub(super) fn wire_marks(marks: &[DedupeKey]) -> Vec<WireMark> {
    let wire = |mark: &DedupeKey| match *mark {
        DedupeKey::Seen(time, hash) => WireMark::Seen(time, hash),
        DedupeKey::Sent(hour, hash) => WireMark::Sent(hour, hash),
        DedupeKey::Key(key, body, at) => WireMark::Key(key, body, at),
    };
    marks.iter().map(wire).collect()
}

impl From<WireMark> for DedupeKey {
    fn from(mark: WireMark) -> Self {
        match mark {
            WireMark::Seen(time, hash) => Self::Seen(time, hash),
            WireMark::Sent(hour, hash) => Self::Sent(hour, hash),
            WireMark::Key(key, body, at) => Self::Key(key, body, at),
        }
    }
}

impl<'a> WireState<'a> {
    pub(super) fn of(state: &'a MessageState) -> Self {
        Self {
            status: state.status as u8,
            updated_at: state.updated_at,
            retry_count: state.retry_count,
            platform: state.platform.as_deref(),
            account: state.account.as_deref(),
            last_error: state.last_error.as_deref(),
            external_id: state.external_id.as_deref(),
            flags: if state.is_uncertain { IS_UNCERTAIN } else { 0 }
                | if state.is_unconfirmed { IS_UNCONFIRMED } else { 0 },
            owner: state.owner.as_deref(),
        }
    }

    pub(super) fn read(self) -> Option<MessageState> {
        Some(MessageState {
            status: *Status::ALL.get(usize::from(self.status))?,
            updated_at: self.updated_at,
            retry_count: self.retry_count,
            platform: self.platform.map(str::to_owned),
            account: self.account.map(str::to_owned),
            last_error: self.last_error.map(str::to_owned),
            external_id: self.external_id.map(str::to_owned),
            is_uncertain: self.flags & IS_UNCERTAIN != 0,
            is_unconfirmed: self.flags & IS_UNCONFIRMED != 0,
            owner: self.owner.map(str::to_owned),
        })
    }
}

impl WireInboundV1<'_> {
    pub(super) fn read(self) -> Option<Inbound> {
        Some(Inbound {
            platform: self.platform.into(),
            account: self.account.into(),
            conversation: self.conversation.into(),
            conversation_name: self.conversation_name.map(str::to_owned),
            sender: Sender { id: self.sender_id.into(), name: self.sender_name.into() },
            content: Content::of_type(
                *MessageType::ALL.get(usize::from(self.message_type))?,
                self.content.to_owned(),
            ),
            reply_to: None,
            external_id: self.external_id.into(),
            time: self.time,
            own: self.own,
            from_history: self.from_history,
            alike: AlikeEntries::default(),
            clock_ahead: None,
            original: self.original.map(str::to_owned),
            fingerprint: None,
        })
    }
}

impl WireInbound<'_> {
    pub(super) fn read(self) -> Option<Inbound> {
        Some(Inbound {
            platform: self.platform.into(),
            account: self.account.into(),
            conversation: self.conversation.into(),
            conversation_name: self.conversation_name.map(str::to_owned),
            sender: Sender { id: self.sender_id.into(), name: self.sender_name.into() },
            content: self.content.read()?,
            reply_to: self.reply_to.map(|reply| Box::new(reply.read())),
            external_id: self.external_id.into(),
            time: self.time,
            own: self.own,
            from_history: self.from_history,
            alike: AlikeEntries::default(),
            clock_ahead: None,
            original: self.original.map(str::to_owned),
            fingerprint: None,
        })
    }
}

impl<'a> WireReply<'a> {
    pub(super) fn of(reply: &'a ReplyTo) -> Self {
        Self {
            id: reply.id,
            sender: wire_person(reply.sender.as_ref()),
            content: reply.content.as_deref(),
            external_id: reply.external_id.as_deref(),
        }
    }

    pub(super) fn read(self) -> ReplyTo {
        ReplyTo {
            id: self.id,
            sender: self.sender.map(person),
            content: self.content.map(str::to_owned),
            external_id: self.external_id.map(str::to_owned),
        }
    }
}

impl<'a> WireReaction<'a> {
    pub(super) fn of(reaction: &'a Reaction) -> Self {
        let users = reaction.users.iter().map(String::as_str).collect();
        Self { emoji: &reaction.emoji, count: reaction.count, mine: reaction.mine, users }
    }

    pub(super) fn read(self) -> Reaction {
        let users = self.users.into_iter().map(str::to_owned).collect();
        Reaction { emoji: self.emoji.to_owned(), count: self.count, mine: self.mine, users }
    }
}

/// A person as ID and name.
pub(super) fn wire_person(person: Option<&Sender>) -> Option<(&str, &str)> {
    person.map(|person| (&*person.id, &*person.name))
}

/// Reads what [`wire_person`] wrote.
pub(super) fn person((id, name): (&str, &str)) -> Sender {
    Sender { id: id.into(), name: name.into() }
}
