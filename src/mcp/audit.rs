//! The log of agents: a line for each call, with its conversation and its outcome. Nothing of what was said
//! is in it.

use super::shown::{
    ConversationPage, FoundMessages, MessagePage, NewMessages, OneMessage, SentMessage,
    ShownPlatforms,
};
use crate::error::Error;
use std::fmt;

/// An answer, and what the log tells of it.
pub(super) struct AuditedAnswer<T> {
    pub(super) answer: T,
    pub(super) note: Note,
}

/// What the log tells of a call that was answered.
pub(super) struct Note {
    /// `platform/conversation`, where the answer tells more than the call.
    pub(super) conversation: Option<String>,
    /// Counts, an ID, a state.
    pub(super) result: String,
}

/// Why a call was not answered.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// A rate limit.
    Limited(Error),
    /// It cannot be carried out as it was made.
    Refused(Error),
    /// There is no such tool.
    NoTool(Error),
    Late,
    GivenUp,
}

impl Unanswered {
    /// Its name in the log.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Limited(_) => "limited",
            Self::Refused(_) => "refused",
            Self::NoTool(_) => "no_tool",
            Self::Late => "late",
            Self::GivenUp => "given_up",
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limited(error) | Self::Refused(error) | Self::NoTool(error) => error.fmt(f),
            Self::Late => f.write_str("it took too long; ask for less, or later"),
            Self::GivenUp => f.write_str("the client gave the call up"),
        }
    }
}

/// An answer that the log tells of.
pub(super) trait Noted {
    fn note(&self) -> Note;
}

impl Note {
    pub(super) fn of(result: String) -> Self {
        Self { conversation: None, result }
    }

    /// A count of things, and whether there are more.
    fn count(count: usize, what: &str, has_more: bool) -> Self {
        let more = if has_more { ", and more" } else { "" };
        Self::of(format!("{count} {what}{more}"))
    }
}

impl Noted for ConversationPage {
    fn note(&self) -> Note {
        Note::count(self.conversations.len(), "conversations", self.next.is_some())
    }
}

impl Noted for MessagePage {
    fn note(&self) -> Note {
        Note::count(self.messages.len(), "messages", self.before.is_some() || self.more_after)
    }
}

impl Noted for FoundMessages {
    fn note(&self) -> Note {
        Note::count(self.messages.len(), "messages", self.next.is_some())
    }
}

impl Noted for NewMessages {
    fn note(&self) -> Note {
        let mut note = Note::count(self.messages.len(), "messages", false);
        if self.timed_out {
            note.result.push_str(", timed out");
        }
        note
    }
}

impl Noted for OneMessage {
    fn note(&self) -> Note {
        let conversation = Some(self.message.place());
        Note { conversation, result: format!("message {}", self.message.id) }
    }
}

impl Noted for SentMessage {
    fn note(&self) -> Note {
        let result = format!("message {} is {}", self.id(), self.status());
        Note { conversation: Some(self.place()), result }
    }
}

impl Noted for ShownPlatforms {
    fn note(&self) -> Note {
        Note::count(self.len(), "platforms", false)
    }
}
