//! The conversations of an account: which can be answered now, and with which token.

use super::reply::{PartProgress, ReplyState};
use crate::adapter::api::{Window, WindowClosed};
use crate::clock::now_ms;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Mutex as AsyncMutex;
use uuid::Uuid;

/// The conversations of an account.
#[derive(Debug, Default)]
pub(super) struct Windows {
    state: Mutex<State>,
    /// The most characters of a text that several are joined to, where they are.
    join_limit: Option<usize>,
    /// Held from reading what is to be kept until it is handed over: what comes later on the disk holds.
    pub(super) handing_over: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// By conversation.
    replies: HashMap<String, ReplyState>,
    /// Why nothing goes out at all.
    all: Option<WindowClosed>,
}

impl Windows {
    pub(super) fn new(replies: HashMap<String, ReplyState>, join_limit: Option<usize>) -> Self {
        let state = Mutex::new(State { replies, all: None });
        Self { state, join_limit, handing_over: AsyncMutex::default() }
    }

    /// The conversations of which something is known.
    pub(super) fn conversations(&self) -> Vec<String> {
        self.lock().replies.keys().cloned().collect()
    }

    /// The facts of a conversation as they are known now.
    pub(super) fn reply(&self, conversation: &str) -> Option<ReplyState> {
        self.lock().replies.get(conversation).cloned()
    }

    /// A message came in just now.
    pub(super) fn receive(&self, conversation: &str, token: &str, written_ms: u64) {
        self.change(conversation, |reply| reply.receive(token, written_ms, now_ms()));
    }

    /// The token to answer with.
    pub(super) fn token(&self, conversation: &str) -> Option<String> {
        let state = self.lock();
        let reply = state.replies.get(conversation)?;
        Some(reply.token.clone()).filter(|token| !token.is_empty())
    }

    /// A part of a message was taken, or all of it.
    pub(super) fn take(&self, conversation: &str, message: Uuid) {
        let mut state = self.lock();
        state.replies.values_mut().for_each(|reply| reply.pass(message));
        state.replies.entry(conversation.to_owned()).or_default().take();
    }

    /// A message was refused by a limit; whether it is to wait.
    pub(super) fn refuse(
        &self,
        conversation: &str,
        token: &str,
        message: Uuid,
        refusal: &str,
        at: u64,
    ) -> bool {
        self.change(conversation, |reply| reply.refuse(token, message, refusal, at))
    }

    /// The parts of a message that went out before.
    pub(super) fn progress(&self, conversation: &str, message: Uuid) -> Option<PartProgress> {
        let state = self.lock();
        let progress = state.replies.get(conversation)?.progress.clone();
        progress.filter(|progress| progress.message == message)
    }

    /// Notes the parts of a message that went out.
    pub(super) fn set_progress(&self, conversation: &str, progress: PartProgress) {
        self.change(conversation, |reply| reply.progress = Some(progress));
    }

    /// Closes every conversation, or opens them all again.
    pub(super) fn close_all(&self, closed: Option<WindowClosed>) {
        self.lock().all = closed;
    }

    fn change<T>(&self, conversation: &str, change: impl FnOnce(&mut ReplyState) -> T) -> T {
        let mut state = self.lock();
        change(state.replies.entry(conversation.to_owned()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window for Windows {
    fn closed(&self, conversation: &str, at: u64) -> Option<WindowClosed> {
        let state = self.lock();
        if let Some(closed) = state.all.as_ref().filter(|all| all.until.is_none_or(|t| t > at)) {
            return Some(closed.clone());
        }
        match state.replies.get(conversation).filter(|reply| !reply.token.is_empty()) {
            None => {
                let reason = "WeChat lets a bot only answer, and this person has not written to \
                              it yet; it goes out after they have";
                Some(WindowClosed { reason: reason.into(), until: None })
            }
            Some(reply) if reply.is_open(at) => None,
            Some(reply) => Some(WindowClosed { reason: refused(reply), until: reply.next_try }),
        }
    }

    fn join_limit(&self) -> Option<usize> {
        self.join_limit
    }
}

/// Words for people about a refusal.
fn refused(reply: &ReplyState) -> String {
    let refusal = &reply.refusal;
    let taken = match reply.taken {
        0 => {
            return format!(
                "WeChat refused it ({refusal}), though nothing was sent since this person wrote last; it \
                 is tried again after they write; cancel it where others are to go first"
            );
        }
        1 => "one message".to_owned(),
        taken => format!("{taken} messages"),
    };
    format!(
        "WeChat's limit is reached after {taken} since this person wrote last ({refusal}); it goes out \
         after they write again"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_why_a_conversation_is_closed() {
        let windows = Windows::default();
        let closed = |at| windows.closed("c", at);
        assert!(closed(1).unwrap().reason.contains("not written"));
        windows.receive("c", "t", 1_000);
        assert_eq!(closed(1), None);
        windows.take("c", Uuid::from_u128(1));
        assert!(windows.refuse("c", "t", Uuid::from_u128(1), "ret -2", 10));
        let told = closed(11).unwrap();
        assert!(told.reason.contains("one message") && told.reason.contains("ret -2"), "{told:?}");
        assert!(told.until.is_some_and(|until| closed(until).is_none()));
        windows.receive("d", "t", 1_000);
        windows.refuse("d", "t", Uuid::from_u128(2), "ret -2", 10);
        let first = windows.closed("d", 11).unwrap();
        assert!(first.reason.contains("cancel it"), "{first:?}");
        windows.receive("c", "u", 2_000);
        windows.close_all(Some(WindowClosed { reason: "down".into(), until: Some(20) }));
        assert_eq!(closed(19).map(|closed| closed.reason).as_deref(), Some("down"));
        assert_eq!(closed(20), None);
    }
}
