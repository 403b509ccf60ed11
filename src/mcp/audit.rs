//! The log of agents: a line for each call, with its conversation and its result, and without any
//! content.

use super::answers::{
    ConversationPage, FoundMessages, MessagePage, NewMessages, OneMessage, SentMessage,
    ShownPlatforms,
};
use crate::error::Error;
use crate::text::escaped;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// The most characters of a text from an agent in the log.
const LOGGED: usize = 100;

/// The log line of a call. It is written when the call ends, also if the call is dropped because
/// the client cancelled it.
pub(super) struct AuditLine {
    began: Instant,
    /// A tool, or a method of the protocol.
    asked: String,
    client: Option<String>,
    /// Name of the agent's token.
    token: Option<Arc<str>>,
    conversation: Option<String>,
    /// The ID of a message, or the address of a resource.
    about: Option<String>,
    outcome: &'static str,
    result: Option<String>,
    error: Option<String>,
}

impl AuditLine {
    pub(super) fn new(asked: &str, conversation: Option<String>, about: Option<String>) -> Self {
        Self {
            began: Instant::now(),
            asked: asked.to_owned(),
            client: None,
            token: None,
            conversation,
            about,
            outcome: Unanswered::GivenUp.code(),
            result: None,
            error: None,
        }
    }

    pub(super) fn asked_by(&mut self, client: Option<String>, token: Option<Arc<str>>) {
        (self.client, self.token) = (client, token);
    }

    pub(super) fn answered(mut self, note: AuditEntry) {
        self.outcome = "ok";
        self.result = Some(note.result);
        self.conversation = note.conversation.or(self.conversation.take());
    }

    pub(super) fn failed(mut self, failure: &Unanswered) {
        self.outcome = failure.code();
        self.error = Some(failure.to_string());
    }
}

impl Drop for AuditLine {
    fn drop(&mut self) {
        let logged = |words: &Option<String>| words.as_deref().map(short);
        tracing::info!(
            client = logged(&self.client),
            token = self.token.as_deref(),
            conversation = logged(&self.conversation),
            about = logged(&self.about),
            outcome = self.outcome,
            result = self.result,
            error = logged(&self.error),
            took_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "an agent asked: {}",
            short(&self.asked)
        );
    }
}

/// A text from an agent, shortened and on one line.
fn short(words: &str) -> String {
    escaped(&words.chars().take(LOGGED).collect::<String>())
}

/// An answer, with its data for the log.
pub(super) struct AuditedAnswer<T> {
    pub(super) answer: T,
    pub(super) note: AuditEntry,
}

/// The data of an answered call for the log.
pub(super) struct AuditEntry {
    /// `platform/conversation`, if only the answer has it.
    pub(super) conversation: Option<String>,
    /// Counts, an ID, a state.
    pub(super) result: String,
}

/// Reason why a call was not answered.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// A rate limit.
    Limited(Error),
    /// The call is not allowed or has wrong arguments.
    Refused(Error),
    /// There is no such tool.
    NoTool(Error),
    Late,
    GivenUp,
}

impl Unanswered {
    /// The code for the log.
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

/// An answer with data for the log.
pub(super) trait Audited {
    fn note(&self) -> AuditEntry;
}

impl AuditEntry {
    fn of(result: String) -> Self {
        Self { conversation: None, result }
    }

    /// A count, and whether there are more.
    fn count(count: usize, what: &str, has_more: bool) -> Self {
        let more = if has_more { ", and more" } else { "" };
        Self::of(format!("{what}: {count}{more}"))
    }
}

impl Audited for ConversationPage {
    fn note(&self) -> AuditEntry {
        AuditEntry::count(self.conversations.len(), "conversations", self.next.is_some())
    }
}

impl Audited for MessagePage {
    fn note(&self) -> AuditEntry {
        AuditEntry::count(self.messages.len(), "messages", self.before.is_some() || self.more_after)
    }
}

impl Audited for FoundMessages {
    fn note(&self) -> AuditEntry {
        AuditEntry::count(self.messages.len(), "messages", self.next.is_some())
    }
}

impl Audited for NewMessages {
    fn note(&self) -> AuditEntry {
        let mut note = AuditEntry::count(self.messages.len(), "messages", false);
        if self.timed_out {
            note.result.push_str(", timed out");
        }
        note
    }
}

impl Audited for OneMessage {
    fn note(&self) -> AuditEntry {
        let conversation = Some(self.message.conversation_path());
        AuditEntry { conversation, result: format!("message {}", self.message.id) }
    }
}

impl Audited for SentMessage {
    fn note(&self) -> AuditEntry {
        let result = format!("message {} is {}", self.id(), self.status());
        AuditEntry { conversation: Some(self.conversation_path()), result }
    }
}

impl Audited for ShownPlatforms {
    fn note(&self) -> AuditEntry {
        AuditEntry::count(self.len(), "platforms", false)
    }
}
