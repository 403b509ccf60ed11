//! Deleting messages that are too old or too many, if the configuration says so: a few at a time,
//! with ordinary commands, so that sessions and indexes get each deletion.

mod media;
mod policy;

pub use policy::RetentionPolicy;

use crate::clock::{Ages, Clock};
use crate::health::HEALTH;
use crate::model::message::Status;
use crate::store::{Answer, Command, KEY_LIFE, Result, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The part of the health that tells of faults.
const PART: &str = "retention";

/// Messages deleted together.
const AT_ONCE: usize = 200;

/// Messages that are read in one step.
const LOOKED_AT: usize = 2_000;

/// Pause between two steps, which leaves the disk to others.
const BATCH_PAUSE: Duration = Duration::from_millis(250);

/// Pause after there was nothing more to delete.
const PAUSE: Duration = Duration::from_mins(1);

/// Seconds for which a message that was deleted because of its age is still recognized when its
/// platform reports it again.
const MARKS_FOR: u64 = 30 * 24 * 60 * 60;

/// Deletes by the current policy, until `stop`.
pub async fn run(
    store: Arc<Store>,
    clock: Arc<Clock>,
    mut policy: watch::Receiver<RetentionPolicy>,
    stop: CancellationToken,
) {
    let mut at = Positions::default();
    let ages = loop {
        match store.view().and_then(|view| view.gaps(clock.started_at())) {
            Ok(gaps) => break Ages::new(clock, gaps),
            Err(error) => log_fault(&error),
        }
        if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
            return;
        }
    };
    loop {
        let now_in_force = *policy.borrow_and_update();
        let done = round(&store, now_in_force, &ages, &mut at).await;
        let pause = match done {
            Ok(true) => BATCH_PAUSE,
            Ok(false) => {
                HEALTH.recover(PART);
                at.oldest = 0;
                PAUSE
            }
            Err(error) => {
                log_fault(&error);
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            changed = policy.changed() => if changed.is_err() { return },
        }
    }
}

/// The last messages that were read. Most messages lie in the order of their times, so the oldest are read
/// first. Messages whose times are not in order, such as imported ones, are found by reading all messages, some
/// in each round.
#[derive(Default)]
struct Positions {
    oldest: u64,
    all: u64,
    oldest_media: u64,
    all_media: u64,
}

/// One step of each kind, until one has deleted something; `false` if there was nothing to delete.
async fn round(
    store: &Store,
    policy: RetentionPolicy,
    ages: &Ages,
    at: &mut Positions,
) -> Result<bool> {
    let is_done = delete_oldest(store, policy, ages, &mut at.oldest).await?
        || delete_anywhere(store, policy, ages, &mut at.all).await?
        || trim(store, policy, ages).await?;
    let Some(age) = policy.media_age else { return Ok(is_done) };
    if is_done || media::remove_oldest(store, age, ages, &mut at.oldest_media).await? {
        return Ok(true);
    }
    media::remove_anywhere(store, age, ages, &mut at.all_media).await?;
    Ok(false)
}

fn log_fault(error: &StoreError) {
    tracing::warn!("old messages could not be deleted, which is tried again: {error}");
    HEALTH.degrade(PART, format!("old messages are not deleted: {error}"));
}

/// Removes events that need not be kept any more, conversations without messages, and marks of
/// messages that are deleted because of their age; `false` if there was nothing to remove.
async fn trim(store: &Store, policy: RetentionPolicy, ages: &Ages) -> Result<bool> {
    let at = ages.now(store.keeps_events_for());
    let marks_before = marks_before(store, policy, ages)?;
    let lapsed_keys = lapsed_keys(store, ages)?;
    Ok(store.write(Command::Trim { marks_before, lapsed_keys, at }).await? != Answer::Nothing)
}

/// Idempotency keys that are old enough, some at a time. The clock of the host may have been set since a
/// key was used, so its age is what has really passed: see [`Ages`].
fn lapsed_keys(store: &Store, ages: &Ages) -> Result<Vec<(u64, u128)>> {
    let mut keys = store.view()?.idempotency_keys(LOOKED_AT)?;
    keys.retain(|(at, _)| ages.since_start_or_of(*at, KEY_LIFE) >= KEY_LIFE);
    Ok(keys)
}

/// The time before which all marks belong to deleted messages; 0 if no messages are deleted.
fn marks_before(store: &Store, policy: RetentionPolicy, ages: &Ages) -> Result<u64> {
    if let Some(age) = policy.age {
        let life = age + MARKS_FOR;
        return Ok(ages.now(life).saturating_sub(life));
    }
    if policy.count.is_none() {
        return Ok(0);
    }
    let oldest = store.view()?.readable_after(0)?.next().transpose()?;
    let oldest = oldest.map_or_else(|| ages.now(MARKS_FOR), |oldest| oldest.created_at);
    Ok(oldest.saturating_sub(MARKS_FOR))
}

/// Deletes some of the oldest messages after `position`; `false` if there is nothing more to delete.
async fn delete_oldest(
    store: &Store,
    policy: RetentionPolicy,
    ages: &Ages,
    position: &mut u64,
) -> Result<bool> {
    let surplus = match policy.count {
        Some(count) => store.view()?.stats().total.saturating_sub(count),
        None => 0,
    };
    let expired = expired(store, surplus, policy.age, ages, position)?;
    // Behind many messages that are not sent there are others.
    let goes_on = !expired.ids.is_empty() || (surplus > 0 && !expired.is_end);
    delete(store, expired.ids).await?;
    Ok(goes_on)
}

/// Deletes messages that are too old from some messages after `position`; `false` if there are none among
/// these.
async fn delete_anywhere(
    store: &Store,
    policy: RetentionPolicy,
    ages: &Ages,
    position: &mut u64,
) -> Result<bool> {
    let expired = expired(store, 0, policy.age, ages, position)?;
    if expired.is_end {
        *position = 0;
    }
    let is_done = !expired.ids.is_empty();
    delete(store, expired.ids).await?;
    Ok(is_done)
}

async fn delete(store: &Store, messages: Vec<Uuid>) -> Result<()> {
    let mut waits = Vec::with_capacity(messages.len());
    for id in messages {
        waits.push(store.submit(Command::Delete { id }).await?);
    }
    for wait in waits {
        wait.await?;
    }
    Ok(())
}

/// Messages that the policy does not keep.
struct Expired {
    ids: Vec<Uuid>,
    /// Whether there are no messages after those that were read.
    is_end: bool,
}

/// Reads some messages after `position`: the first `surplus` are not kept, and those that are older than `age`
/// seconds.
fn expired(
    store: &Store,
    mut surplus: u64,
    age: Option<u64>,
    ages: &Ages,
    position: &mut u64,
) -> Result<Expired> {
    let mut expired = Expired { ids: Vec::new(), is_end: true };
    if surplus == 0 && age.is_none() {
        return Ok(expired);
    }
    let view = store.view()?;
    let mut left = LOOKED_AT;
    for message in view.readable_after(*position)? {
        if left == 0 || expired.ids.len() >= AT_ONCE {
            expired.is_end = false;
            break;
        }
        left -= 1;
        let message = message?;
        *position = message.seq;
        if matches!(message.status, Status::Pending | Status::Sending) {
            continue;
        }
        if surplus > 0 || age.is_some_and(|age| ages.is_older(message.created_at, age)) {
            surplus = surplus.saturating_sub(1);
            expired.ids.push(message.id);
        }
    }
    Ok(expired)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{Draft, MessageType};
    use crate::model::routing::RoutingFacts;
    use crate::store::{Access, StoreOptions};

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_away_at_the_start_is_told_and_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
        let store = Arc::new(Store::open(&options, Box::new(())).unwrap());
        store.close();
        let stop = CancellationToken::new();
        let (_keep, policy) = watch::channel(RetentionPolicy::default());
        let clock = Arc::new(Clock::start());
        let running = tokio::spawn(run(store, clock, policy, stop.clone()));
        while !HEALTH.reason().is_some_and(|reason| reason.contains("retention: ")) {
            assert!(!running.is_finished(), "it ended without a word");
            tokio::task::yield_now().await;
        }
        assert!(!running.is_finished());
        stop.cancel();
        running.await.unwrap();
        HEALTH.recover(PART);
    }

    /// A store with a message of each of these times.
    async fn store_of(folder: &tempfile::TempDir, times: impl IntoIterator<Item = u64>) -> Store {
        let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
        let store = Store::open(&options, Box::new(())).unwrap();
        let mut waits = Vec::new();
        for at in times {
            let draft = Draft::new(MessageType::Text, "x".into(), "group_1".into(), None).unwrap();
            let facts = RoutingFacts::default();
            let create = Command::Create { draft, at, idempotency: None, facts };
            waits.push(store.submit(create).await.unwrap());
        }
        for wait in waits {
            wait.await.unwrap();
        }
        store
    }

    /// Cancels all messages but the first ones.
    async fn cancel_after(store: &Store, first: usize) {
        let all = store.view().unwrap().readable_after(0).unwrap();
        let ids: Vec<_> = all.skip(first).map(|found| found.unwrap().id).collect();
        for id in ids {
            let patch = Command::SetStatus { id, status: Status::Canceled, at: 1 };
            store.write(patch).await.unwrap();
        }
    }

    /// Runs rounds until there is nothing to delete, and some more.
    async fn left_after_rounds(store: &Store, policy: RetentionPolicy) -> u64 {
        let ages = Ages::new(Arc::new(Clock::start()), Vec::new());
        let mut at = Positions::default();
        for _ in 0..8 {
            while round(store, policy, &ages, &mut at).await.unwrap() {}
            at.oldest = 0;
        }
        store.view().unwrap().stats().total
    }

    #[tokio::test]
    async fn old_messages_behind_many_young_ones_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let now = crate::clock::now();
        let young = std::iter::repeat_n(now, LOOKED_AT + 100);
        let old = (1..=90).map(|days| now - days * 24 * 60 * 60);
        let store = store_of(&folder, young.chain(old)).await;
        cancel_after(&store, 0).await;
        let policy = RetentionPolicy { age: Some(30 * 24 * 60 * 60), ..RetentionPolicy::default() };
        assert_eq!(left_after_rounds(&store, policy).await, LOOKED_AT as u64 + 100 + 29);
    }

    #[tokio::test]
    async fn messages_behind_many_unsent_ones_are_deleted_if_there_are_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let unsent = LOOKED_AT + 100;
        let store = store_of(&folder, std::iter::repeat_n(1, unsent + 10)).await;
        cancel_after(&store, unsent).await;
        let count = unsent as u64 + 3;
        let policy = RetentionPolicy { count: Some(count), ..RetentionPolicy::default() };
        assert_eq!(left_after_rounds(&store, policy).await, count);
    }

    #[tokio::test]
    async fn marks_are_kept_as_long_as_messages_and_some_time_more() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
        let store = Store::open(&options, Box::new(())).unwrap();
        let by = |age, count| RetentionPolicy { age, count, ..RetentionPolicy::default() };
        let ages = Ages::new(Arc::new(Clock::start()), Vec::new());
        let marks_before = |policy| marks_before(&store, policy, &ages).unwrap();
        assert_eq!(marks_before(by(None, None)), 0, "no message is deleted");
        for at in [1_700_000_000, 1_800_000_000] {
            let draft = Draft::new(MessageType::Text, "x".into(), "group_1".into(), None).unwrap();
            let facts = RoutingFacts::default();
            let create = Command::Create { draft, at, idempotency: None, facts };
            store.write(create).await.unwrap();
        }
        assert_eq!(marks_before(by(None, Some(2))), 1_700_000_000 - MARKS_FOR);
        assert!(marks_before(by(Some(60), Some(2))) > 1_700_000_000);
    }
}
