//! How many messages came within the last minute.

use std::collections::VecDeque;

/// Seconds that are counted.
const SPAN: u64 = 60;

/// Counts by second.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    seconds: VecDeque<(u64, u64)>,
}

impl Rate {
    /// Something came at this second.
    pub fn count(&mut self, now: u64) {
        match self.seconds.back_mut() {
            Some((second, count)) if *second >= now => *count += 1,
            _ => self.seconds.push_back((now, 1)),
        }
        self.forget(now);
    }

    /// Messages from before the last minute do not count.
    pub fn forget(&mut self, now: u64) {
        while self.seconds.front().is_some_and(|(second, _)| second + SPAN <= now) {
            self.seconds.pop_front();
        }
    }

    /// How many came within the last minute.
    pub fn per_minute(&self) -> u64 {
        self.seconds.iter().map(|(_, count)| count).sum()
    }
}
