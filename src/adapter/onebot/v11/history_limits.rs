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
    /// The conversations each account is being asked for.
    asking: HashMap<String, (String, usize)>,
}

impl HistoryLimits {
    /// Begins to ask for at most so many messages; returns how many fit. 0: not even one does.
    pub(super) fn begin(&self, account: &str, conversation: &str, wanted: usize) -> usize {
        let mut state = self.state();
        let known = state.counts.get(&(account.to_owned(), conversation.to_owned()));
        let count = known.map_or(wanted, |count| wanted.min(*count));
        state.asking.insert(account.to_owned(), (conversation.to_owned(), count));
        count
    }

    /// The account was answered.
    pub(super) fn end(&self, account: &str) {
        self.state().asking.remove(account);
    }

    /// The answer to the account was too large: half as many are asked for from now on.
    pub(super) fn answer_was_too_large(&self, account: &str) {
        let mut state = self.state();
        let Some((conversation, asked)) = state.asking.remove(account) else { return };
        let count = asked / 2;
        tracing::warn!(
            account,
            conversation,
            asked,
            count,
            "the history is larger than `max_frame`; asking for fewer messages"
        );
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
            limits.answer_was_too_large("qq 1");
        }
        assert_eq!(asked, [20, 10, 5, 2, 1, 0]);
        limits.end("qq 1");
        limits.answer_was_too_large("qq 1");
        assert_eq!(limits.begin("qq 1", "group_2", 20), 20, "others are asked for as before");
    }
}
