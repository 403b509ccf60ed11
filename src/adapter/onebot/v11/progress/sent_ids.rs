//! The IDs of messages and parts that were sent. A platform may give an ID again later, so each counts for
//! about the time of its message alone.

use crate::model::inbound::{CLOCKS_APART, ECHO_LATE, Inbound};
use std::collections::VecDeque;

/// IDs remembered. The oldest is forgotten.
const MAX_IDS: usize = 4096;

/// IDs of what was sent, the oldest first.
#[derive(Debug, Default)]
pub(super) struct SentIds(VecDeque<SentId>);

#[derive(Debug)]
struct SentId {
    conversation: String,
    external_id: String,
    /// When it became known, in Unix seconds.
    at: u64,
}

impl SentIds {
    /// Remembers an ID that became known at this time, in Unix seconds.
    pub(super) fn keep(&mut self, conversation: String, external_id: String, at: u64) {
        self.push(SentId { conversation, external_id, at });
    }

    /// Takes over others of the same account.
    pub(super) fn append(&mut self, other: Self) {
        for sent in other.0 {
            self.push(sent);
        }
    }

    fn push(&mut self, sent: SentId) {
        if self.0.len() == MAX_IDS {
            self.0.pop_front();
        }
        self.0.push_back(sent);
    }

    /// Whether an own message that comes at `now` is one of these.
    pub(super) fn has(&self, inbound: &Inbound, now: u64) -> bool {
        let written = inbound.may_be_written(now);
        self.0.iter().any(|sent| {
            sent.is_of(inbound)
                && *written.start() <= sent.at.saturating_add(ECHO_LATE)
                && written.end().saturating_add(CLOCKS_APART) >= sent.at
        })
    }

    /// Forgets the ID of an own message.
    pub(super) fn forget(&mut self, inbound: &Inbound) {
        self.0.retain(|sent| !sent.is_of(inbound));
    }
}

impl SentId {
    fn is_of(&self, inbound: &Inbound) -> bool {
        self.conversation == inbound.conversation && self.external_id == inbound.external_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_the_platform_gives_again_later_is_of_another_message() {
        const AT: u64 = 1_700_000_000;
        let mut ids = SentIds::default();
        ids.keep("group_1".into(), "101".into(), AT);
        let live = Inbound {
            conversation: "group_1".into(),
            external_id: "101".into(),
            time: 1,
            ..Inbound::default()
        };
        assert!(ids.has(&live, AT) && ids.has(&live, AT + ECHO_LATE));
        assert!(!ids.has(&live, AT + ECHO_LATE + 1));
        // An entry of a history is known by its own time, whenever it is read.
        let entry =
            |time| Inbound { from_history: true, clock_ahead: Some(0), time, ..live.clone() };
        let much_later = AT + 1_000_000;
        assert!(ids.has(&entry(AT), much_later));
        assert!(!ids.has(&entry(AT + ECHO_LATE + 1), much_later));
        assert!(!ids.has(&entry(AT - CLOCKS_APART - 1), much_later));
        ids.forget(&live);
        assert!(!ids.has(&live, AT));
    }
}
