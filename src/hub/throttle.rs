//! Limit of `conversation_updated` to one a second for each conversation (contract, item 29).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// The shortest time between two events of one conversation.
const INTERVAL: Duration = Duration::from_secs(1);

/// Platform and conversation.
pub(super) type ThrottleKey = (String, String);

/// Conversations that were sent within the last second.
#[derive(Default)]
pub(super) struct Throttle {
    /// Whether a conversation changed after it was sent.
    changed: HashMap<ThrottleKey, bool>,
    /// Times at which they were sent, the oldest first.
    told: VecDeque<(Instant, ThrottleKey)>,
}

impl Throttle {
    /// Notes a change of a conversation; returns whether to send it at once.
    pub(super) fn changed(&mut self, key: ThrottleKey, now: Instant) -> bool {
        if let Some(changed) = self.changed.get_mut(&key) {
            *changed = true;
            return false;
        }
        self.changed.insert(key.clone(), false);
        self.told.push_back((now, key));
        true
    }

    /// The conversations whose second is over and that changed within it.
    pub(super) fn due(&mut self, now: Instant) -> Vec<ThrottleKey> {
        let mut due = Vec::new();
        while let Some((_, key)) = self.told.pop_front_if(|(told, _)| *told + INTERVAL <= now) {
            if self.changed.remove(&key) == Some(true) {
                self.changed.insert(key.clone(), false);
                self.told.push_back((now, key.clone()));
                due.push(key);
            }
        }
        due
    }

    /// The time of the next call of [`Throttle::due`].
    pub(super) fn next(&self) -> Option<Instant> {
        self.told.front().map(|(told, _)| *told + INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_told_at_once_and_then_once_a_second() {
        let key = || ("qq".to_owned(), "group_1".to_owned());
        let mut throttle = Throttle::default();
        let start = Instant::now();
        assert!(throttle.changed(key(), start));
        assert!(!throttle.changed(key(), start) && !throttle.changed(key(), start));
        assert!(throttle.due(start + INTERVAL / 2).is_empty());
        assert_eq!(throttle.next(), Some(start + INTERVAL));
        assert_eq!(throttle.due(start + INTERVAL), [key()]);
        assert!(throttle.due(start + 2 * INTERVAL).is_empty(), "nothing came since");
        assert_eq!(throttle.next(), None, "and nothing is kept of it");
        assert!(throttle.changed(key(), start + 2 * INTERVAL));
    }
}
