//! A set of texts that forgets the oldest.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Texts remembered, each by its hash.
const MAX_REMEMBERED: usize = 8192;

/// The texts that were told last.
#[derive(Debug, Default)]
pub(in crate::adapter) struct Recent {
    state: Mutex<(HashSet<u64>, VecDeque<u64>)>,
}

impl Recent {
    /// Whether a text is remembered, given in two parts.
    pub(in crate::adapter) fn contains(&self, one: &str, other: &str) -> bool {
        self.state().0.contains(&hash_of(one, other))
    }

    /// Remembers a text, given in two parts.
    pub(in crate::adapter) fn insert(&self, one: &str, other: &str) {
        let hash = hash_of(one, other);
        let (known, order) = &mut *self.state();
        if !known.insert(hash) {
            return;
        }
        if order.len() == MAX_REMEMBERED
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
        order.push_back(hash);
    }

    fn state(&self) -> MutexGuard<'_, (HashSet<u64>, VecDeque<u64>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash_of(one: &str, other: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (one, other).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let recent = Recent::default();
        recent.insert("a", "1");
        assert!(recent.contains("a", "1"));
        assert!(!recent.contains("a1", ""), "the parts stand apart");
        for n in 0..MAX_REMEMBERED {
            recent.insert("b", &n.to_string());
        }
        assert!(!recent.contains("a", "1"));
    }
}
