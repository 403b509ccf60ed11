//! A set of texts that forgets the oldest.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// Texts remembered, each by its hash.
const MAX_REMEMBERED: usize = 8192;

/// The texts that were told last.
#[derive(Debug, Default)]
pub(in crate::adapter::onebot) struct Recent {
    state: Mutex<(HashSet<u64>, VecDeque<u64>)>,
}

impl Recent {
    /// Remembers a text, given in two parts; false where it is known.
    pub(in crate::adapter::onebot) fn insert(&self, one: &str, other: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (one, other).hash(&mut hasher);
        let hash = hasher.finish();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, order) = &mut *state;
        if !known.insert(hash) {
            return false;
        }
        if order.len() == MAX_REMEMBERED
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
        order.push_back(hash);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let recent = Recent::default();
        assert!(recent.insert("a", "1"));
        assert!(!recent.insert("a", "1"));
        assert!(recent.insert("a1", ""), "the parts stand apart");
        for n in 0..MAX_REMEMBERED {
            recent.insert("b", &n.to_string());
        }
        assert!(recent.insert("a", "1"));
    }
}
