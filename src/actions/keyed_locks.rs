//! One action at a time for each message or request, so that several clients that ask for the same
//! carry it out once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;

type Lock = tokio::sync::Mutex<()>;

/// The keys in use. Free keys take no memory.
#[derive(Clone)]
pub struct KeyedLocks<K>(Arc<Mutex<HashMap<K, Weak<Lock>>>>);

impl<K> Default for KeyedLocks<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash> KeyedLocks<K> {
    /// Waits until this key is free. It is free again when the guard is dropped.
    pub async fn take(&self, key: K) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| lock.strong_count() > 0);
            let known = locks.get(&key).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::default();
                locks.insert(key, Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::KeyedLocks;

    #[tokio::test]
    async fn one_at_a_time_has_a_key_and_free_ones_are_forgotten() {
        let turns = KeyedLocks::default();
        let first = turns.take(1).await;
        let other = turns.take(2).await;
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move { drop(turns.take(1).await) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop((first, other));
        waiting.await.unwrap();
        drop(turns.take(3).await);
        assert_eq!(turns.0.lock().unwrap().len(), 1, "only the newest is still there");
    }
}
