//! Questions to the implementation that run beside the connection: each is asked once at a time, few
//! at once, and everybody who waits for its answer is told.

use crate::adapter::api::MessageRef;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Questions asked at once; others wait for their turn.
const MAX_AT_ONCE: usize = 4;
/// Questions that are asked or wait for their turn. What is beyond is asked about when it is needed
/// next.
const MAX_ASKED: usize = 256;
/// Messages that wait for one answer.
const MAX_WAITING: usize = 64;

/// The questions about one account's messages, by a key of what is asked for.
#[derive(Debug)]
pub(in crate::adapter::onebot) struct Lookups {
    asked: Mutex<HashMap<String, Vec<MessageRef>>>,
    turns: Semaphore,
}

impl Default for Lookups {
    fn default() -> Self {
        Self { asked: Mutex::default(), turns: Semaphore::new(MAX_AT_ONCE) }
    }
}

impl Lookups {
    /// Notes that an answer is wanted, for a message or for later ones alone. True where nobody asks
    /// for it yet: then the caller has to [`ask`](Self::ask).
    pub(in crate::adapter::onebot) fn want(&self, key: &str, message: Option<MessageRef>) -> bool {
        let mut asked = self.asked();
        if let Some(waiting) = asked.get_mut(key) {
            waiting.extend(message.filter(|_| waiting.len() < MAX_WAITING));
            return false;
        }
        if asked.len() >= MAX_ASKED {
            return false;
        }
        asked.insert(key.to_owned(), message.into_iter().collect());
        true
    }

    /// Asks a question when its turn comes. Gives the answer and the messages that wait for it; one
    /// that wants it from now on asks anew, unless the question has kept its answer.
    pub(in crate::adapter::onebot) async fn ask<T>(
        &self,
        key: &str,
        question: impl Future<Output = T>,
    ) -> (T, Vec<MessageRef>) {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await;
        let answer = question.await;
        let waiting = self.asked().remove(key).unwrap_or_default();
        (answer, waiting)
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<String, Vec<MessageRef>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn message(id: usize) -> MessageRef {
        MessageRef {
            account: "1".into(),
            platform: "qq".into(),
            conversation: "group_1".into(),
            external_id: id.to_string(),
        }
    }

    #[tokio::test]
    async fn all_who_wait_are_told_and_the_key_is_free_again() {
        let lookups = Lookups::default();
        assert!(lookups.want("a", Some(message(1))));
        assert!(!lookups.want("a", Some(message(2))), "it is asked for already");
        assert!(!lookups.want("a", None));
        let (answer, waiting) = lookups.ask("a", async { 5 }).await;
        assert_eq!((answer, waiting), (5, vec![message(1), message(2)]));
        assert!(lookups.want("a", Some(message(3))));
    }

    #[test]
    fn what_waits_is_bounded() {
        let lookups = Lookups::default();
        for id in 0..2 * MAX_WAITING {
            lookups.want("0", Some(message(id)));
        }
        assert_eq!(lookups.asked()["0"].len(), MAX_WAITING);
        let wanted = (0..2 * MAX_ASKED).filter(|key| lookups.want(&key.to_string(), None));
        assert_eq!(wanted.count(), MAX_ASKED - 1);
    }

    #[tokio::test]
    async fn few_are_asked_at_once() {
        let (lookups, asked) = (Lookups::default(), AtomicUsize::new(0));
        let ask = |_| {
            Box::pin(lookups.ask("a", async {
                asked.fetch_add(1, Ordering::Relaxed);
                pending::<()>().await;
            }))
        };
        let mut questions: Vec<_> = (0..2 * MAX_AT_ONCE).map(ask).collect();
        for question in &mut questions {
            assert!(futures_util::poll!(question).is_pending());
        }
        assert_eq!(asked.load(Ordering::Relaxed), MAX_AT_ONCE);
        for mut question in questions.split_off(MAX_AT_ONCE) {
            drop(questions.remove(0));
            assert!(futures_util::poll!(&mut question).is_pending());
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2 * MAX_AT_ONCE, "the others had their turn");
    }
}
