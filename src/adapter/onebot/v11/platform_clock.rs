//! How far the clock is ahead of ours that writes the times of an account's messages.
//!
//! A history gives times alone, so a message of ours is found in it only if this is known. It is learned
//! from messages: from those that come in live, and from those of ours whose IDs we know. Heartbeats have
//! the clock of the implementation, which need not be that of the messages: QQ itself writes these.

use crate::clock::now;
use crate::model::change::CLOCKS_APART;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Differences beyond this number of seconds are no clock's, but messages that are old.
const MAX_APART: u64 = 24 * 60 * 60;

/// Messages remembered of each kind.
const REMEMBERED: usize = 64;

/// Accounts remembered; beyond that all are learned again.
const MAX_ACCOUNTS: usize = 1_000;

/// Seconds between two messages that show together that a clock is behind.
const SHOWN_APART: u64 = 5;

/// Seconds by which these two messages may differ.
const SHOWN_ALIKE: u64 = 3;

/// The clocks of all accounts. They outlive connections.
#[derive(Debug, Default)]
pub(super) struct PlatformClocks {
    accounts: Mutex<HashMap<String, PlatformClock>>,
}

#[derive(Debug, Default)]
struct PlatformClock {
    /// Of live messages: when they came, and how far their time was ahead of that.
    live: VecDeque<(u64, i64)>,
    /// Messages of ours by conversation and ID, and when they were sent.
    sent: VecDeque<(String, u64)>,
    /// By messages of ours in a history: the least and the most.
    of_sent: Option<(i64, i64)>,
    /// By the last heartbeat or lifecycle event.
    of_host: Option<i64>,
}

impl PlatformClocks {
    /// A message came in live that has this time.
    pub(super) fn message_came(&self, account: &str, time: u64) {
        let at = now();
        if let Some(ahead) = ahead(time, at) {
            self.change(account, |clock| remember(&mut clock.live, (at, ahead)));
        }
    }

    /// The implementation said that it is this time.
    pub(super) fn host_says(&self, account: &str, time: u64) {
        self.change(account, |clock| clock.of_host = ahead(time, now()));
    }

    /// A message of ours was sent under this ID, at a time by our clock.
    pub(super) fn was_sent(&self, account: &str, conversation: &str, external_id: &str, at: u64) {
        let key = format!("{conversation} {external_id}");
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
            let difference = |(id, time): (&str, u64)| {
                let key = format!("{conversation} {id}");
                let sent = clock.sent.iter().rev().find(|(known, _)| *known == key);
                sent.and_then(|(_, at)| ahead(time, *at))
            };
            let differences: Vec<_> = own.filter_map(difference).collect();
            if let (Some(least), Some(most)) = (differences.iter().min(), differences.iter().max())
            {
                clock.of_sent = Some((*least, *most));
            }
        });
    }

    /// The seconds by which the clock of the messages may be ahead: one number where it is known, two
    /// where it is one of them, none where it is unknown.
    pub(super) fn differences(&self, account: &str) -> Vec<i64> {
        self.accounts().get(account).map(PlatformClock::differences).unwrap_or_default()
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
    fn differences(&self) -> Vec<i64> {
        // One clock was set between two messages, or an ID was given anew: either may be true.
        if let Some((least, most)) = self.of_sent
            && least.abs_diff(most) > CLOCKS_APART
        {
            return vec![most, least];
        }
        match (self.of_sent.map(|(_, most)| most).or_else(|| self.of_live()), self.of_host) {
            (Some(messages), _) => vec![messages],
            (None, Some(host)) if host.unsigned_abs() <= CLOCKS_APART => vec![host],
            (None, Some(host)) => vec![0, host],
            (None, None) => Vec::new(),
        }
    }

    /// By live messages. Nothing makes one newer than it is; but one that is pushed again late looks like
    /// one of a clock that is behind, so two of different times have to show that.
    fn of_live(&self) -> Option<i64> {
        let newest = self.live.iter().map(|(_, ahead)| *ahead).max()?;
        if newest >= -CLOCKS_APART.cast_signed() {
            return Some(newest);
        }
        let alike = self.live.iter().filter(|(_, ahead)| newest.abs_diff(*ahead) <= SHOWN_ALIKE);
        let times = || alike.clone().map(|(at, _)| *at);
        let apart = times().max()?.abs_diff(times().min()?);
        (apart >= SHOWN_APART).then_some(newest)
    }
}

/// Seconds by which one time is ahead of another; `None` where no clock explains it.
fn ahead(time: u64, at: u64) -> Option<i64> {
    (time.abs_diff(at) <= MAX_APART).then(|| time.cast_signed() - at.cast_signed())
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

    const UNKNOWN: [i64; 0] = [];

    fn live(messages: &[(u64, i64)]) -> Vec<i64> {
        let live = messages.iter().copied().collect();
        PlatformClock { live, ..PlatformClock::default() }.differences()
    }

    #[test]
    fn a_message_that_is_pushed_again_late_sets_no_clock() {
        assert_eq!(live(&[(100, -3_600)]), UNKNOWN);
        assert_eq!(live(&[(100, -3_600), (101, -3_590), (101, -3_580)]), UNKNOWN, "a burst");
        assert_eq!(live(&[(100, -3_600), (130, -1)]), [-1]);
        assert_eq!(live(&[(100, -3_600), (130, -3_601)]), [-3_600], "a clock that is behind");
        assert_eq!(live(&[(100, 700)]), [700], "one that is ahead");
    }

    #[test]
    fn messages_say_more_than_heartbeats() {
        let mut clock = PlatformClock { of_host: Some(-7_200), ..PlatformClock::default() };
        assert_eq!(clock.differences(), [0, -7_200]);
        clock.of_host = Some(3);
        assert_eq!(clock.differences(), [3]);
        clock.of_host = Some(-7_200);
        clock.live.push_back((100, -2));
        assert_eq!(clock.differences(), [-2]);
        clock.of_sent = Some((-121, -120));
        assert_eq!(clock.differences(), [-120]);
        clock.of_sent = Some((0, 900));
        assert_eq!(clock.differences(), [900, 0], "our clock was set in between");
    }

    #[test]
    fn a_message_of_ours_in_a_history_tells_the_clock() {
        let clocks = PlatformClocks::default();
        let at = now();
        let is_told = |conversation: &str, ago: u64| {
            clocks.are_in_history("qq 1", conversation, [("5", at - ago)].into_iter());
            clocks.differences("qq 1")
        };
        clocks.was_sent("qq 1", "group_1", "5", at);
        assert_eq!(is_told("group_2", 500), UNKNOWN, "that is another message");
        assert_eq!(is_told("group_1", 3 * MAX_APART), UNKNOWN, "that is an old message");
        assert_eq!(is_told("group_1", 500), [-500]);
        // One that was edited since says something else.
        clocks.was_sent("qq 1", "group_1", "6", at + 1_000);
        let both = [("6", at - 500), ("5", at - 500)];
        clocks.are_in_history("qq 1", "group_1", both.into_iter());
        assert_eq!(clocks.differences("qq 1"), [-500, -1_500]);
    }
}
