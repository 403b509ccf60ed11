//! State for replies to one person: the token of their last message, and the refusals since.
//!
//! A refusal does not tell which limit was hit. The person's next message helps with most of them;
//! a few slow attempts with the old token help with the limit on frequency.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Pauses before the attempts with a token that was refused, in seconds; then none is made.
const PAUSES: [u64; 2] = [2 * 60, 15 * 60];

/// A message fails after it was refused with this number of new reply tokens, each time as the first
/// message. Only tokens between which another message was accepted count: whole accounts are refused
/// for days.
const MAX_FRESH_REFUSALS: u32 = 3;

/// Seconds between those that count: the limit on frequency may last for half an hour.
const FRESH_REFUSALS_APART: u64 = 20 * 60;

/// State for replies to one person. Its `Debug` leaves out the token. Saved as it is (`saved_state.rs`).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReplyState {
    /// The token of their newest message, to be sent back as it came.
    pub(super) token: String,
    /// When that was written, in Unix milliseconds; 0 where no message told a time.
    pub(super) received_ms: u64,
    /// Requests that were taken with it.
    pub(super) taken: u32,
    /// Refusals since the last that was taken.
    pub(super) refusals: u32,
    /// Unix seconds of the next attempt after a refusal; `None`: with the next token.
    pub(super) next_try: Option<u64>,
    /// The platform's text at the last refusal.
    pub(super) refusal: String,
    pub(super) stuck: Option<RepeatedRefusal>,
    pub(super) progress: Option<PartProgress>,
}

/// A message that was refused though nothing was sent before it with the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RepeatedRefusal {
    pub(super) message: Uuid,
    /// With how many tokens, as far as they count.
    pub(super) count: u32,
    /// Unix seconds of the last that counts.
    pub(super) at: u64,
    /// Another message of the account was taken since.
    pub(super) has_other_passed: bool,
}

/// The parts of a message that went out; all of them stay known until another message goes to the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartProgress {
    pub(super) message: Uuid,
    pub(super) parts: u32,
    /// The hash of these parts; `None` where an earlier version kept none.
    pub(super) print: Option<[u8; 16]>,
    /// How often it was begun anew, because other parts had gone out.
    pub(super) restarts: u32,
    /// The platform's ID of the first part, where it told one.
    pub(super) external_id: Option<String>,
    /// Some part was taken without a proof.
    pub(super) is_unproved: bool,
}

impl fmt::Debug for ReplyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl ReplyState {
    /// A message came in with a token at `now_ms` (Unix milliseconds); one that is told again later
    /// changes nothing. A time ahead of that counts as none, or later tokens would seem older.
    pub(super) fn receive(&mut self, token: &str, written_ms: u64, now_ms: u64) {
        let possible = |time_ms| if time_ms > now_ms { 0 } else { time_ms };
        let (written_ms, newest_ms) = (possible(written_ms), possible(self.received_ms));
        let is_older = written_ms != 0 && written_ms < newest_ms;
        if token == self.token || (is_older && !self.token.is_empty()) {
            return;
        }
        token.clone_into(&mut self.token);
        self.received_ms = newest_ms.max(written_ms);
        (self.taken, self.refusals, self.next_try) = (0, 0, None);
        self.refusal.clear();
    }

    /// A request was taken.
    pub(super) fn take(&mut self) {
        self.taken += 1;
        (self.refusals, self.next_try) = (0, None);
        self.refusal.clear();
    }

    /// A message of the account was taken, perhaps in another conversation.
    pub(super) fn pass(&mut self, message: Uuid) {
        if let Some(stuck) = self.stuck.as_mut().filter(|stuck| stuck.message != message) {
            stuck.has_other_passed = true;
        }
    }

    /// A message was refused with a token by a limit, at `at` (Unix seconds). `false` where the
    /// message itself must be what is refused, for others were taken meanwhile.
    pub(super) fn refuse(&mut self, token: &str, message: Uuid, refusal: &str, at: u64) -> bool {
        if token != self.token {
            // A newer one came in meanwhile, of which this says nothing.
            return true;
        }
        if self.taken == 0 && self.refusals == 0 {
            let known = self.stuck.as_ref().filter(|stuck| stuck.message == message);
            let counts = known.is_none_or(|stuck| {
                stuck.has_other_passed && at.saturating_sub(stuck.at) >= FRESH_REFUSALS_APART
            });
            if counts {
                let count = known.map_or(0, |stuck| stuck.count) + 1;
                self.stuck = Some(RepeatedRefusal { message, count, at, has_other_passed: false });
            }
        }
        self.next_try = PAUSES.get(self.refusals as usize).map(|pause| at + pause);
        self.refusals += 1;
        refusal.clone_into(&mut self.refusal);
        if self.stuck.as_ref().is_some_and(|stuck| stuck.count >= MAX_FRESH_REFUSALS) {
            self.stuck = None;
            (self.refusals, self.next_try) = (0, None);
            return false;
        }
        true
    }

    /// Whether something can go out at `at` (Unix seconds).
    pub(super) fn is_open(&self, at: u64) -> bool {
        !self.token.is_empty()
            && (self.refusals == 0 || self.next_try.is_some_and(|next| next <= at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(1);

    fn written(token: &str, at: u64) -> ReplyState {
        let mut reply = ReplyState::default();
        reply.receive(token, at * 1000, at * 1000);
        reply
    }

    #[test]
    fn a_new_token_opens_and_one_that_is_told_again_does_not() {
        assert!(!ReplyState::default().is_open(9));
        let mut reply = written("a", 5);
        assert!(reply.is_open(9));
        assert!(reply.refuse(&reply.token.clone(), ID, "ret -2", 10));
        reply.receive("a", 5_000, 7_000);
        assert!(!reply.is_open(11));
        reply.receive("older", 4_000, 7_000);
        assert_eq!(reply.token, "a");
        reply.receive("b", 6_000, 7_000);
        assert!(reply.is_open(11));
        assert_eq!(reply.refusal, "");
        assert!(reply.refuse("a", ID, "ret -2", 12));
        assert!(reply.is_open(12), "a late refusal of an older token says nothing of this one");
        reply.receive("c", 0, 7_000);
        assert_eq!((&*reply.token, reply.received_ms), ("c", 6_000));
    }

    #[test]
    fn a_time_ahead_closes_nothing() {
        for ahead in [3_600_000, 1_000_000_000_000_000_000] {
            let mut reply = written("a", 5);
            reply.receive("ahead", ahead, 6_000);
            assert_eq!((&*reply.token, reply.received_ms), ("ahead", 5_000));
            // The platform's clock may be behind this one.
            reply.receive("next", 5_500, 7_000);
            assert_eq!((&*reply.token, reply.received_ms), ("next", 5_500));
            // As an earlier version may have kept it.
            reply.received_ms = ahead;
            reply.receive("last", 8_000, 8_000);
            assert_eq!((&*reply.token, reply.received_ms), ("last", 8_000));
        }
    }

    #[test]
    fn an_old_token_is_tried_twice_more_and_slowly() {
        let mut reply = written("a", 5);
        let mut at = 10;
        for pause in PAUSES {
            assert!(reply.refuse(&reply.token.clone(), ID, "ret -2", at));
            assert!(!reply.is_open(at + pause - 1));
            assert!(reply.is_open(at + pause));
            at += pause;
        }
        assert!(reply.refuse(&reply.token.clone(), ID, "ret -2", at));
        assert!(!reply.is_open(u64::MAX));
        assert_eq!(reply.next_try, None);
    }

    #[test]
    fn what_is_taken_ends_the_refusals() {
        let mut reply = written("a", 5);
        reply.refuse(&reply.token.clone(), ID, "ret -2", 10);
        reply.take();
        assert!(reply.is_open(11));
        assert_eq!((reply.taken, reply.refusals), (1, 0));
    }

    #[test]
    fn a_message_that_is_refused_while_others_are_taken_is_given_up() {
        let other = Uuid::from_u128(2);
        let mut reply = written("a", 5);
        let mut at = 10;
        for n in 1..MAX_FRESH_REFUSALS {
            assert!(reply.refuse(&reply.token.clone(), ID, "ret -2", at));
            reply.pass(other);
            // A person who writes several times meanwhile proves nothing.
            reply.receive(&format!("soon {n}"), at * 1000, at * 1000);
            assert!(reply.refuse(&reply.token.clone(), ID, "ret -2", at + 1));
            at += FRESH_REFUSALS_APART;
            reply.receive(&format!("later {n}"), at * 1000, at * 1000);
        }
        assert!(!reply.refuse(&reply.token.clone(), ID, "ret -2", at));
        assert!(reply.is_open(at), "the next message is tried");
        assert!(reply.refuse(&reply.token.clone(), other, "ret -2", at + 1), "it counts by itself");
    }

    #[test]
    fn a_message_that_is_refused_as_all_others_are_waits_on() {
        let mut reply = written("a", 5);
        let mut at = 10;
        for n in 0..5 * MAX_FRESH_REFUSALS {
            assert!(reply.refuse(&reply.token.clone(), ID, "ret -2", at));
            // A part of its own says nothing.
            reply.pass(ID);
            at += FRESH_REFUSALS_APART;
            reply.receive(&format!("later {n}"), at * 1000, at * 1000);
        }
    }
}
