//! Ages of messages that do not depend on a wrong clock.

use super::policy::RetentionPolicy;
use crate::clock::{Clock, now};
use crate::store::{KEY_LIFE, Result, Store};
use std::sync::Arc;

/// Ages of messages.
pub(super) struct Ages {
    clock: Arc<Clock>,
    /// The time of the newest message when the server started; 0 if there was none.
    newest: u64,
    /// Messages up to this time count as written when the server started.
    doubted: u64,
    /// Idempotency keys up to this time count as used when the server started.
    doubted_keys: u64,
}

impl Ages {
    /// If even the newest message is too old to be kept, the clock may have been set while no
    /// server ran. Then nothing is deleted because of its age until the server has run for that
    /// long.
    pub(super) fn begin(clock: Arc<Clock>, store: &Store, policy: RetentionPolicy) -> Result<Self> {
        let shortest = [policy.age, policy.media_age].into_iter().flatten().min();
        let stamp = store.view()?.newest_time()?;
        let are_keys_doubted = clock.age(stamp).is_some_and(|age| age >= KEY_LIFE);
        let is_doubted = shortest.is_some_and(|age| clock.age(stamp).is_some_and(|is| is >= age));
        if is_doubted {
            tracing::warn!(
                "even the newest message is older than `retention.days` or `media.days`: is the clock \
                 right? Messages of before are kept until the server has run for as long"
            );
        }
        // All messages that were there at the start.
        let doubted = if is_doubted { now() } else { 0 };
        let doubted_keys = if are_keys_doubted { stamp } else { 0 };
        Ok(Self { clock, newest: stamp, doubted, doubted_keys })
    }

    /// The age of an idempotency key. One of a time that this clock never showed, such as the future, was
    /// used before the server started, with another clock.
    pub(super) fn of_key(&self, used_at: u64) -> u64 {
        let age = if used_at <= self.doubted_keys { None } else { self.clock.age(used_at) };
        age.unwrap_or_else(|| self.clock.watched())
    }

    /// Unix seconds, as if the server had started when the newest message was made and the clock had not
    /// been set ahead since: nothing that was stamped before seems older than it can be. So what is kept for
    /// some days, such as events, is kept for so many days in which a server ran.
    pub(super) fn now(&self) -> u64 {
        let now = now().saturating_sub(self.clock.set_ahead());
        match self.newest {
            0 => now,
            newest => now.min(newest.saturating_add(self.clock.watched())),
        }
    }

    pub(super) fn of(&self, created_at: u64) -> u64 {
        let is_doubted = created_at <= self.doubted;
        let age = if is_doubted { Some(self.clock.watched()) } else { self.clock.age(created_at) };
        age.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_ahead_at_the_start_makes_nothing_old() {
        let clock = Arc::new(Clock::start());
        let newest = now() - 8 * 24 * 60 * 60;
        let ages = Ages { clock: clock.clone(), newest, doubted: 0, doubted_keys: 0 };
        assert!(ages.now() <= newest + clock.watched());
        let none = Ages { newest: 0, ..ages };
        assert!(none.now() > newest + clock.watched());
    }
}
