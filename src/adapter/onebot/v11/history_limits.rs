//! The number of history messages that fit into one frame, learned from answers that were too large.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts remembered; beyond that all are found out again.
const MAX_COUNTS: usize = 4096;

/// How many messages to ask for in each conversation of each account. It outlives connections, so
/// that an answer that ended one is not asked for again in the same way.
#[derive(Debug, Default)]
pub(super) struct HistoryLimits {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By account and conversation.
    counts: HashMap<(String, String), usize>,
    /// The conversations each account is being asked for, and for how many messages.
    asking: HashMap<String, HashMap<String, usize>>,
}

impl HistoryLimits {
    /// Begins to ask for at most so many messages; returns how many fit. 0: not even one does.
    pub(super) fn begin(&self, account: &str, conversation: &str, wanted: usize) -> usize {
        let mut state = self.state();
        let known = state.counts.get(&(account.to_owned(), conversation.to_owned()));
        let count = known.map_or(wanted, |count| wanted.min(*count));
        let asking = state.asking.entry(account.to_owned()).or_default();
        asking.insert(conversation.to_owned(), count);
        count
    }

    /// The account has answered about a conversation, or will not.
    pub(super) fn end(&self, account: &str, conversation: &str) {
        let mut state = self.state();
        let Some(asking) = state.asking.get_mut(account) else { return };
        asking.remove(conversation);
        if asking.is_empty() {
            state.asking.remove(account);
        }
    }

    /// A frame of the account was too large, which may answer any of the questions: half as many are asked for
    /// from now on.
    pub(super) fn frame_was_too_large(&self, account: &str) {
        let asking = self.state().asking.remove(account).unwrap_or_default();
        for (conversation, asked) in asking {
            self.halve(account, conversation, asked);
        }
    }

    /// The answer about a conversation was too large: half as many are asked for from now on.
    pub(super) fn answer_was_too_large(&self, account: &str, conversation: &str) {
        let asking =
            self.state().asking.get_mut(account).and_then(|asking| asking.remove(conversation));
        if let Some(asked) = asking {
            self.halve(account, conversation.to_owned(), asked);
        }
    }

    fn halve(&self, account: &str, conversation: String, asked: usize) {
        let count = asked / 2;
        tracing::warn!(
            account,
            conversation,
            asked,
            count,
            "the history is larger than `max_frame`; asking for fewer messages"
        );
        let mut state = self.state();
        if state.counts.len() >= MAX_COUNTS {
            state.counts.clear();
        }
        state.counts.insert((account.to_owned(), conversation), count);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ever_fewer_are_asked_for_and_then_none() {
        let limits = HistoryLimits::default();
        let mut asked = Vec::new();
        loop {
            asked.push(limits.begin("qq 1", "group_1", 20));
            if asked.last() == Some(&0) {
                break;
            }
            limits.answer_was_too_large("qq 1", "group_1");
        }
        assert_eq!(asked, [20, 10, 5, 2, 1, 0]);
        limits.end("qq 1", "group_1");
        limits.frame_was_too_large("qq 1");
        assert_eq!(limits.begin("qq 1", "group_2", 20), 20, "others are asked for as before");
    }

    #[test]
    fn a_frame_that_is_too_large_counts_for_all_questions_without_an_answer() {
        let limits = HistoryLimits::default();
        for conversation in ["group_1", "group_2", "group_3"] {
            limits.begin("qq 1", conversation, 20);
        }
        limits.begin("qq 2", "group_1", 20);
        limits.end("qq 1", "group_3");
        limits.frame_was_too_large("qq 1");
        let asked = |account, conversation| limits.begin(account, conversation, 20);
        assert_eq!((asked("qq 1", "group_1"), asked("qq 1", "group_2")), (10, 10));
        assert_eq!((asked("qq 1", "group_3"), asked("qq 2", "group_1")), (20, 20));
    }
}
