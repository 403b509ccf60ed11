//! Seconds by which the clock is ahead of ours that writes the times of an account's messages.
//!
//! A history gives times alone, so what they mean has to be known. It is learned from messages: from those
//! that come in live, and from those of ours whose IDs we know. Heartbeats have the clock of the
//! implementation, which need not be that of the messages: QQ itself writes these.

use crate::clock::now;
use crate::model::inbound::{CLOCKS_APART, MAX_CLOCKS_APART};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Messages remembered of each kind.
const REMEMBERED: usize = 64;

/// Accounts remembered; beyond that all are learned again.
const MAX_ACCOUNTS: usize = 1_000;

/// Seconds between two live messages that show together that a clock is behind.
const SHOWN_APART: u64 = 5;

/// The clocks of all accounts. They outlive connections.
#[derive(Debug, Default)]
pub(super) struct PlatformClocks {
    accounts: Mutex<HashMap<String, PlatformClock>>,
}

#[derive(Debug, Default)]
struct PlatformClock {
    /// The newest last.
    samples: VecDeque<Sample>,
    /// Messages of ours by conversation and ID, and when they were sent.
    sent: VecDeque<(String, u64)>,
}

/// A message of which both times are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sample {
    /// When it came or was sent, in Unix seconds of our clock.
    at: u64,
    /// The seconds by which its time is ahead of that.
    ahead: i64,
    /// It is one of ours. Another one may be pushed long after it was written.
    is_ours: bool,
}

impl PlatformClocks {
    /// A message came in live that has this time.
    pub(super) fn message_came(&self, account: &str, time: u64) {
        self.change(account, |clock| clock.learn(time, now(), false));
    }

    /// A message of ours was sent under this ID, at a time by our clock.
    pub(super) fn was_sent(&self, account: &str, conversation: &str, external_id: &str, at: u64) {
        let key = key_of(conversation, external_id);
        self.change(account, |clock| remember(&mut clock.sent, (key, at)));
    }

    /// A history shows own messages, each with its ID and its time.
    pub(super) fn are_in_history<'a>(
        &self,
        account: &str,
        conversation: &str,
        own: impl Iterator<Item = (&'a str, u64)>,
    ) {
        self.change(account, |clock| {
            for (external_id, time) in own {
                let key = key_of(conversation, external_id);
                let place = clock.sent.iter().rposition(|(known, _)| *known == key);
                // It is learned from once: when it is edited later it has another time.
                if let Some((_, at)) = place.and_then(|place| clock.sent.remove(place)) {
                    clock.learn(time, at, true);
                }
            }
        });
    }

    /// The seconds by which the clock has been ahead of ours since a time; `None` if nothing tells that, or
    /// if it was set since.
    pub(super) fn ahead_since(&self, account: &str, since: u64) -> Option<i64> {
        self.accounts().get(account)?.ahead_since(since)
    }

    fn change(&self, account: &str, change: impl FnOnce(&mut PlatformClock)) {
        let mut accounts = self.accounts();
        if accounts.len() >= MAX_ACCOUNTS && !accounts.contains_key(account) {
            accounts.clear();
        }
        change(accounts.entry(account.to_owned()).or_default());
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, PlatformClock>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PlatformClock {
    fn learn(&mut self, time: u64, at: u64, is_ours: bool) {
        if time.abs_diff(at) <= MAX_CLOCKS_APART {
            let ahead = time.cast_signed() - at.cast_signed();
            remember(&mut self.samples, Sample { at, ahead, is_ours });
        }
    }

    /// By the last message before that time, and by all since: they have to agree.
    fn ahead_since(&self, since: u64) -> Option<i64> {
        let before = self.samples.iter().filter(|sample| sample.at < since);
        let last_before = before.max_by_key(|sample| sample.at);
        let after = self.samples.iter().filter(|sample| sample.at >= since);
        let samples: Vec<_> = last_before.into_iter().chain(after).collect();
        let most = samples.iter().map(|sample| sample.ahead).max()?;
        let agree = samples.iter().all(|sample| most.abs_diff(sample.ahead) <= CLOCKS_APART);
        (agree && self.is_shown(most)).then_some(most)
    }

    /// Nothing makes a message newer than it is; but one that is pushed again late looks like one of a clock
    /// that is behind. So one of ours has to show that, or two that came at different times.
    fn is_shown(&self, ahead: i64) -> bool {
        if ahead >= -CLOCKS_APART.cast_signed() {
            return true;
        }
        let alike = |sample: &&Sample| ahead.abs_diff(sample.ahead) <= CLOCKS_APART;
        let mut alike = self.samples.iter().filter(alike);
        let Some(first) = alike.next() else { return false };
        first.is_ours
            || alike.any(|other| other.is_ours || first.at.abs_diff(other.at) >= SHOWN_APART)
    }
}

fn key_of(conversation: &str, external_id: &str) -> String {
    format!("{conversation} {external_id}")
}

fn remember<T>(known: &mut VecDeque<T>, new: T) {
    if known.len() == REMEMBERED {
        known.pop_front();
    }
    known.push_back(new);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The knowledge at a time, by live messages that came before.
    fn live(messages: &[(u64, i64)], since: u64) -> Option<i64> {
        let mut clock = PlatformClock::default();
        for (at, ahead) in messages {
            clock.learn(at.saturating_add_signed(*ahead), *at, false);
        }
        clock.ahead_since(since)
    }

    #[test]
    fn a_message_that_is_pushed_again_late_sets_no_clock() {
        let [first, burst, later] = [10_100, 10_101, 10_130];
        assert_eq!(live(&[(first, -3_600)], 10_200), None);
        assert_eq!(live(&[(first, -3_600), (burst, -3_590)], 10_200), None, "a burst");
        assert_eq!(live(&[(first, -3_600), (later, -1)], 10_200), Some(-1));
        assert_eq!(live(&[(first, -3_600), (later, -3_601)], 10_200), Some(-3_601), "it is behind");
        assert_eq!(live(&[(first, 700)], 10_200), Some(700), "it is ahead");
    }

    #[test]
    fn a_clock_is_known_only_while_it_is_not_set() {
        for (before, after) in [(700, 0), (0, 700), (0, -700), (-700, 0), (0, 90), (0, -90)] {
            let messages = [(9_000, before), (10_000, before), (10_100, after), (10_200, after)];
            assert_eq!(live(&messages, 10_050), None, "{before} to {after}");
            assert_eq!(live(&messages, 0), None, "{before} to {after}");
            assert_eq!(live(&messages, 10_150), Some(after), "{before} to {after}");
            assert_eq!(live(&messages[..2], 10_050), Some(before), "{before} to {after}");
        }
        assert_eq!(live(&[], 0), None);
    }

    #[test]
    fn a_message_of_ours_in_a_history_tells_the_clock() {
        let clocks = PlatformClocks::default();
        let at = now();
        let is_told = |conversation: &str, id: &str, time: u64| {
            clocks.are_in_history("qq 1", conversation, [(id, time)].into_iter());
            clocks.ahead_since("qq 1", 0)
        };
        clocks.was_sent("qq 1", "group_1", "5", at);
        clocks.was_sent("qq 1", "group_1", "4", at);
        assert_eq!(is_told("group_2", "5", at - 500), None, "that is another message");
        assert_eq!(
            is_told("group_1", "4", at - 3 * MAX_CLOCKS_APART),
            None,
            "that is an old message"
        );
        assert_eq!(is_told("group_1", "5", at - 500), Some(-500));
        assert_eq!(is_told("group_1", "5", at), Some(-500), "it was edited since");
        clocks.was_sent("qq 1", "group_1", "6", at + 1_000);
        assert_eq!(is_told("group_1", "6", at - 500), None, "our clock was set in between");
        assert_eq!(clocks.ahead_since("qq 1", at + 1_100), Some(-1_500));
    }
}
