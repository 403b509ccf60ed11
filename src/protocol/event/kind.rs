//! Kinds of events that a session can ask for (contract, items 16 and 29).

use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Kinds of events that follow a message or a conversation. `new_message` needs no asking.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A message was stored.
    NewMessage,
    /// The status of a message changed.
    MessageStatus,
    /// A message was edited, recalled or got a reaction, or more of its content became known.
    MessageUpdated,
    /// A message was deleted.
    MessageDeleted,
    /// A platform reported something that is not a message.
    Notice,
    /// The name, the read mark or the settings of a conversation changed.
    ConversationUpdated,
}

impl EventKind {
    /// Every kind, in the order of the declaration.
    pub const ALL: [Self; 6] = [
        Self::NewMessage,
        Self::MessageStatus,
        Self::MessageUpdated,
        Self::MessageDeleted,
        Self::Notice,
        Self::ConversationUpdated,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewMessage => "new_message",
            Self::MessageStatus => "message_status",
            Self::MessageUpdated => "message_updated",
            Self::MessageDeleted => "message_deleted",
            Self::Notice => "notice",
            Self::ConversationUpdated => "conversation_updated",
        }
    }
}

/// A set of event kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventKinds(u8);

impl EventKinds {
    /// Every kind there is.
    pub fn all() -> Self {
        EventKind::ALL.into_iter().collect()
    }

    /// The kinds that `events` names, `"*"` being all of them; the error is the unknown name.
    ///
    /// # Errors
    ///
    /// There is no such event.
    pub fn named<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, UnknownEvent> {
        names.into_iter().try_fold(Self::default(), |kinds, name| Ok(kinds.union(name.parse()?)))
    }

    /// Whether a kind is one of these.
    pub fn has(self, kind: EventKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds of either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The kinds of this set that the other one does not have.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The kinds one by one.
    pub fn iter(self) -> impl Iterator<Item = EventKind> {
        EventKind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

impl Serialize for EventKinds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

impl FromIterator<EventKind> for EventKinds {
    fn from_iter<T: IntoIterator<Item = EventKind>>(kinds: T) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | 1 << kind as u8))
    }
}

/// A name in `events` that is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEvent(String);

impl fmt::Display for UnknownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`events` has {:?}, which is unknown; use \"*\" or some of ", self.0)?;
        let known = EventKind::ALL.iter().skip(1).map(|kind| format!("{:?}", kind.as_str()));
        f.write_str(&known.collect::<Vec<_>>().join(", "))
    }
}

impl FromStr for EventKinds {
    type Err = UnknownEvent;

    fn from_str(name: &str) -> Result<Self, UnknownEvent> {
        if name == "*" {
            return Ok(Self::all());
        }
        // New messages always come, so naming them changes nothing.
        let known = EventKind::ALL.into_iter().find(|kind| kind.as_str() == name);
        Ok(known.into_iter().collect()).and_then(|kinds: Self| {
            if kinds.is_empty() { Err(UnknownEvent(name.to_owned())) } else { Ok(kinds) }
        })
    }
}
