//! Deleting messages that are too old or too many, if the configuration says so: a few at a time,
//! with ordinary commands, so that sessions and indexes get each deletion.

mod media;
mod policy;

pub use policy::RetentionPolicy;

use crate::clock::{Ages, Clock};
use crate::health::HEALTH;
use crate::model::message::{Message, Status};
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
        if done.is_ok() {
            HEALTH.recover(PART);
        }
        let pause = match done {
            Ok(true) => BATCH_PAUSE,
            Ok(false) => PAUSE,
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

/// The last messages that were read.
#[derive(Default)]
struct Positions {
    /// For messages that are too many: the oldest are deleted first.
    surplus: u64,
    /// For messages that are too old. Most messages lie in the order of their times, so the oldest are read
    /// in each round. Messages whose times are not in order, such as imported ones, are found by reading all
    /// messages, some in each round.
    all: u64,
    /// The same for the media of old messages.
    oldest_media: u64,
    all_media: u64,
}

/// One step of each kind; `false` if there is nothing to delete for now.
async fn round(
    store: &Store,
    policy: RetentionPolicy,
    ages: &Ages,
    at: &mut Positions,
) -> Result<bool> {
    let mut is_done = false;
    if let Some(count) = policy.count {
        is_done |= delete_surplus(store, count, &mut at.surplus).await?;
    }
    if let Some(age) = policy.age {
        is_done |= delete_old(store, age, ages, &mut 0).await?;
        is_done |= delete_old(store, age, ages, &mut at.all).await?;
    }
    is_done |= trim(store, policy, ages).await?;
    if let Some(age) = policy.media_age {
        is_done |= media::remove_oldest(store, age, ages, &mut at.oldest_media).await?;
        media::remove_anywhere(store, age, ages, &mut at.all_media).await?;
    }
    Ok(is_done)
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

/// Deletes the oldest messages if there are more than `count`; `false` if there are not. Messages that are not
/// sent are kept, and `position` passes them until enough were deleted.
async fn delete_surplus(store: &Store, count: u64, position: &mut u64) -> Result<bool> {
    let surplus = store.view()?.stats().total.saturating_sub(count);
    let most = usize::try_from(surplus).unwrap_or(AT_ONCE).min(AT_ONCE);
    let (mut ids, mut read, mut is_end) = (Vec::new(), 0, true);
    for message in store.view()?.readable_after(*position)? {
        if read == LOOKED_AT || ids.len() == most {
            is_end = false;
            break;
        }
        read += 1;
        let message = message?;
        *position = message.seq;
        if may_be_deleted(&message) {
            ids.push(message.id);
        }
    }
    let goes_on = surplus > ids.len() as u64 && !is_end;
    if !goes_on {
        // Messages that were passed may be sent by now, and are older than the rest.
        *position = 0;
    }
    delete(store, ids).await?;
    Ok(goes_on)
}

/// Deletes messages that are older than `age` seconds from some messages after `position`; `false` if there are
/// none among these. After the last message, `position` is that of the first again.
async fn delete_old(store: &Store, age: u64, ages: &Ages, position: &mut u64) -> Result<bool> {
    let (mut old, mut read) = (Vec::new(), 0);
    let mut is_end = true;
    for message in store.view()?.readable_after(*position)? {
        if read == LOOKED_AT || old.len() == AT_ONCE {
            is_end = false;
            break;
        }
        read += 1;
        let message = message?;
        *position = message.seq;
        if may_be_deleted(&message) && ages.is_older(message.created_at, age) {
            old.push(message.id);
        }
    }
    if is_end {
        *position = 0;
    }
    let is_done = !old.is_empty();
    delete(store, old).await?;
    Ok(is_done)
}

fn may_be_deleted(message: &Message) -> bool {
    !matches!(message.status, Status::Pending | Status::Sending)
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
    async fn the_oldest_messages_are_deleted_while_others_come() {
        let folder = tempfile::tempdir().unwrap();
        let store = store_of(&folder, std::iter::repeat_n(1, 300)).await;
        cancel_after(&store, 0).await;
        let policy = RetentionPolicy { count: Some(300), ..RetentionPolicy::default() };
        let ages = Ages::new(Arc::new(Clock::start()), Vec::new());
        let mut at = Positions::default();
        for arrived in 1..=20 {
            let draft = Draft::new(MessageType::Text, "x".into(), "group_1".into(), None).unwrap();
            let facts = RoutingFacts::default();
            store.write(Command::Create { draft, at: 1, idempotency: None, facts }).await.unwrap();
            round(&store, policy, &ages, &mut at).await.unwrap();
            let view = store.view().unwrap();
            let left: Vec<_> =
                view.readable_after(0).unwrap().map(|left| left.unwrap().seq).collect();
            assert_eq!(left, (arrived + 1..=arrived + 300).collect::<Vec<_>>());
        }
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
