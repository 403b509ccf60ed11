//! Copies of the files that messages name: each node has all of them, as it has the messages.

use super::media::{MediaExchange, NotBrought};
use crate::media::{Hash, content, sweep};
use crate::model::change::{Change, ChangeEffect};
use crate::store::Store;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Files of new messages that wait to be copied here. If there are more, all messages are read again.
const MAX_WANTED: usize = 4096;

/// Files of older messages that are known to be missing; further ones are found in the next round.
const MAX_MISSING: usize = 100_000;

/// The time from the start of this node until it reads all messages, and between two such rounds.
const FIRST_CHECK_DELAY: Duration = Duration::from_secs(2);
const CHECK_INTERVAL: Duration = Duration::from_hours(1);

/// Pause between parts of the messages.
const PAGE_PAUSE: Duration = Duration::from_millis(50);

/// The files that new and changed messages name.
#[derive(Debug, Default)]
pub struct WantedCopies {
    hashes: Mutex<VecDeque<Hash>>,
    /// There were too many; some are missing here.
    has_dropped: AtomicBool,
    added: Notify,
}

impl WantedCopies {
    /// Adds the files of a commit.
    pub fn committed(&self, changes: &[Change]) {
        let messages = changes.iter().filter_map(|change| match &change.effect {
            ChangeEffect::Created(message)
            | ChangeEffect::PutBack(message)
            | ChangeEffect::Updated(message) => Some(message),
            _ => None,
        });
        let mut new = messages.flat_map(|message| content::hashes(&message.content)).peekable();
        if new.peek().is_none() {
            return;
        }
        let mut hashes = self.lock();
        for hash in new {
            if hashes.len() < MAX_WANTED {
                hashes.push_back(hash);
            } else {
                self.has_dropped.store(true, Ordering::Relaxed);
            }
        }
        self.added.notify_one();
    }

    async fn next(&self) -> Hash {
        loop {
            if let Some(hash) = self.lock().pop_front() {
                return hash;
            }
            self.added.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Hash>> {
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies the files of messages here, new ones first, until `stop`.
pub async fn keep_copies(
    store: Arc<Store>,
    exchange: MediaExchange,
    wanted: Arc<WantedCopies>,
    stop: CancellationToken,
) {
    let (mut missing, mut look) = (Vec::new(), Instant::now() + FIRST_CHECK_DELAY);
    loop {
        let hash = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            hash = wanted.next() => Some(hash),
            hash = async { missing.pop() }, if !missing.is_empty() => hash,
            () = sleep_until(look) => None,
        };
        let Some(hash) = hash else {
            missing = missing_files(&store, &exchange, &stop).await;
            look = Instant::now() + CHECK_INTERVAL;
            continue;
        };
        let Some(brought) = stop.run_until_cancelled(exchange.bring_here(hash)).await else {
            return;
        };
        match brought {
            Ok(()) => {}
            // There is no space left. The next round tries again.
            Err(NotBrought::NoRoom(refused)) if !missing.is_empty() => {
                tracing::warn!(
                    files = missing.len(),
                    "files of messages cannot be copied from other nodes: {refused}"
                );
                missing.clear();
            }
            Err(error) => tracing::debug!("the file {hash} is not here: {error}"),
        }
        if wanted.has_dropped.swap(false, Ordering::Relaxed) {
            look = Instant::now();
        }
    }
}

/// The files that messages name and that are not here, those of the oldest messages first.
async fn missing_files(
    store: &Arc<Store>,
    exchange: &MediaExchange,
    stop: &CancellationToken,
) -> Vec<Hash> {
    let (store, blobs, stop) = (store.clone(), exchange.blobs().clone(), stop.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let mut missing = VecDeque::new();
        let continues = || {
            std::thread::sleep(PAGE_PAUSE);
            !stop.is_cancelled()
        };
        let walked = sweep::walk(&store, continues, |message| {
            for hash in content::hashes(&message.content) {
                if !blobs.is_kept(hash).unwrap_or(true) {
                    missing.push_back(hash);
                }
            }
            while missing.len() > MAX_MISSING {
                missing.pop_front();
            }
        });
        if let Err(fault) = walked {
            tracing::debug!("messages cannot be searched for missing files: {fault}");
        }
        Vec::from(missing)
    });
    looked.await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::{Content, Media, Segment};
    use crate::model::message::Message;
    use uuid::Uuid;

    fn created(byte: u8) -> Change {
        let media = Some(format!("{byte:02x}").repeat(32));
        let content = Content::of(vec![Segment::File(Media { media, ..Media::default() })]);
        let message = Message::new(1, Uuid::nil(), content, "group_1".into(), 1);
        Change { offset: 1, effect: ChangeEffect::Created(message) }
    }

    #[tokio::test]
    async fn files_of_new_messages_are_wanted_in_their_order() {
        let wanted = WantedCopies::default();
        wanted.committed(&[created(1), created(2)]);
        let text = Message::new(2, Uuid::nil(), "text".into(), "group_1".into(), 1);
        wanted.committed(&[Change { offset: 2, effect: ChangeEffect::Created(text) }]);
        assert_eq!(wanted.next().await.to_string(), "01".repeat(32));
        assert_eq!(wanted.next().await.to_string(), "02".repeat(32));
        assert!(wanted.lock().is_empty() && !wanted.has_dropped.load(Ordering::Relaxed));
    }

    #[test]
    fn more_than_can_wait_is_looked_for_among_all_messages() {
        let wanted = WantedCopies::default();
        let many: Vec<_> = (0..=MAX_WANTED).map(|_| created(1)).collect();
        wanted.committed(&many);
        assert_eq!(wanted.lock().len(), MAX_WANTED);
        assert!(wanted.has_dropped.load(Ordering::Relaxed));
    }
}
