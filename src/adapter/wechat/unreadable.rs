//! Answers to polls that cannot be read: counted, and told to people.

use super::account::RunningAccount;
use crate::adapter::registry::Registration;
use crate::backoff::Backoff;
use crate::health::HEALTH;
use crate::metrics::METRICS;
use std::time::Duration;

/// The longest pause before the next poll; pauses double.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The answers in a row that could not be read. From the second on the account is in an error until one
/// can be read: the platform gives the same answer again and again.
pub(super) struct UnreadableAnswers<'a> {
    account: &'a RunningAccount,
    registration: &'a Registration,
    /// The account's own part of [`HEALTH`].
    part: String,
    count: u64,
    backoff: Backoff,
}

impl<'a> UnreadableAnswers<'a> {
    pub(super) fn new(account: &'a RunningAccount, registration: &'a Registration) -> Self {
        let part = format!("{} {}", account.platform(), account.login.account);
        Self { account, registration, part, count: 0, backoff: backoff(account) }
    }

    /// An answer could not be read; gives the pause before the next poll.
    pub(super) fn note(&mut self, reason: &str) -> Duration {
        let account = &self.account.login.account;
        self.count += 1;
        METRICS.frames_skipped.inc();
        if self.count.is_power_of_two() {
            let count = self.count;
            tracing::warn!(account, count, "an answer to a poll cannot be read: {reason}");
        }
        if self.count == 1 {
            self.registration.note_error(&format!(
                "an answer of WeChat could not be read, and messages in it may be lost: {reason}"
            ));
        } else {
            let stuck = format!(
                "WeChat's answers cannot be read, and nothing comes in until one can: {reason}"
            );
            self.registration.offline(&stuck);
            HEALTH.degrade(self.part.clone(), stuck);
        }
        self.backoff.pause()
    }

    /// An answer could be read.
    pub(super) fn end(&mut self) {
        if self.count > 1 {
            self.registration.online();
            HEALTH.recover(&self.part);
        }
        (self.count, self.backoff) = (0, backoff(self.account));
    }
}

impl Drop for UnreadableAnswers<'_> {
    fn drop(&mut self) {
        if self.count > 1 {
            HEALTH.recover(&self.part);
        }
    }
}

fn backoff(account: &RunningAccount) -> Backoff {
    Backoff::new(account.settings.reconnect, LONGEST_PAUSE)
}
