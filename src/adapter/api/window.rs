//! Conversations to which nothing can be sent at the moment, for example because the reply window is
//! closed.

use std::fmt;

/// Why a conversation takes nothing now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowClosed {
    /// Words for people: why, and what would help.
    pub reason: String,
    /// Unix seconds of when another attempt is worth while; without it, once a message has come in.
    pub until: Option<u64>,
}

/// The conversations of an account, as far as they may be closed.
pub trait Window: fmt::Debug + Send + Sync {
    /// Why a conversation takes nothing at `at` (Unix seconds); `None` where it is open. An adapter
    /// that opens one for a message does so before it reports that message.
    fn closed(&self, conversation: &str, at: u64) -> Option<WindowClosed>;

    /// The most characters of a text that several waiting texts are joined to; `None` where each
    /// goes out by itself.
    fn join_limit(&self) -> Option<usize> {
        None
    }
}
