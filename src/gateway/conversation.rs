//! Conversations by the form of their ID (contract, item 7).

use std::fmt;

const GROUP: &str = "group_";
const PRIVATE: &str = "private_";
const CHANNEL: &str = "channel_";

/// A conversation by the form of its ID, with the platform's own ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConversationForm<'a> {
    /// The group with this ID.
    Group(&'a str),
    /// The private conversation with the person of this ID.
    Private(&'a str),
    /// The channel of a guild, with its whole ID.
    Channel(&'a str),
    /// A conversation of a platform without such forms, with its whole ID.
    Plain(&'a str),
}

impl<'a> ConversationForm<'a> {
    /// Reads a conversation.
    pub(super) fn parse(conversation: &'a str) -> Self {
        if let Some(id) = conversation.strip_prefix(GROUP) {
            Self::Group(id)
        } else if let Some(id) = conversation.strip_prefix(PRIVATE) {
            Self::Private(id)
        } else if conversation.starts_with(CHANNEL) {
            Self::Channel(conversation)
        } else {
            Self::Plain(conversation)
        }
    }

    /// The person, if the conversation is private.
    pub(super) fn person(self) -> Option<&'a str> {
        match self {
            Self::Private(person) => Some(person),
            _ => None,
        }
    }

    /// Whether the ID after the prefix is empty.
    pub(super) fn is_empty(self) -> bool {
        match self {
            Self::Group(id) | Self::Private(id) | Self::Plain(id) => id.is_empty(),
            Self::Channel(whole) => whole == CHANNEL,
        }
    }
}

impl fmt::Display for ConversationForm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(id) => write!(f, "{GROUP}{id}"),
            Self::Private(id) => write!(f, "{PRIVATE}{id}"),
            Self::Channel(whole) | Self::Plain(whole) => f.write_str(whole),
        }
    }
}

/// The person of a private conversation.
pub(super) fn person_of(conversation: &str) -> Option<&str> {
    ConversationForm::parse(conversation).person()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_written_as_it_was_read() {
        for (conversation, form) in [
            ("group_77", ConversationForm::Group("77")),
            ("group_", ConversationForm::Group("")),
            ("private_wxid_a", ConversationForm::Private("wxid_a")),
            ("channel_1_2", ConversationForm::Channel("channel_1_2")),
            ("lobby", ConversationForm::Plain("lobby")),
        ] {
            assert_eq!(ConversationForm::parse(conversation), form);
            assert_eq!(form.to_string(), conversation);
            assert_eq!(form.is_empty(), conversation == "group_");
        }
    }
}
