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
    let (mut position, mut media_position) = (0, 0);
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
        let done = match step(&store, now_in_force, &ages, &mut position).await {
            Ok(false) => trim(&store, now_in_force, &ages).await,
            done => done,
        };
        let done = match (done, now_in_force.media_age) {
            (Ok(false), Some(age)) => media::step(&store, age, &ages, &mut media_position).await,
            (done, _) => done,
        };
        let pause = match done {
            Ok(true) => BATCH_PAUSE,
            Ok(false) => {
                HEALTH.recover(PART);
                position = 0;
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

/// Deletes some messages after `position`; `false` if there was nothing to delete.
async fn step(
    store: &Store,
    policy: RetentionPolicy,
    ages: &Ages,
    position: &mut u64,
) -> Result<bool> {
    let expired = expired(store, policy, ages, position)?;
    if expired.is_empty() {
        return Ok(false);
    }
    let mut waits = Vec::with_capacity(expired.len());
    for id in expired {
        waits.push(store.submit(Command::Delete { id }).await?);
    }
    for wait in waits {
        wait.await?;
    }
    Ok(true)
}

/// The oldest messages that the policy does not keep.
fn expired(
    store: &Store,
    policy: RetentionPolicy,
    ages: &Ages,
    position: &mut u64,
) -> Result<Vec<Uuid>> {
    let view = store.view()?;
    let mut surplus = policy.count.map_or(0, |count| view.stats().total.saturating_sub(count));
    let mut expired = Vec::new();
    if surplus == 0 && policy.age.is_none() {
        return Ok(expired);
    }
    for message in view.readable_after(*position)?.take(LOOKED_AT) {
        let message = message?;
        *position = message.seq;
        if matches!(message.status, Status::Pending | Status::Sending) {
            continue;
        }
        if surplus > 0 || policy.age.is_some_and(|age| ages.is_older(message.created_at, age)) {
            surplus = surplus.saturating_sub(1);
            expired.push(message.id);
        }
        if expired.len() >= AT_ONCE {
            break;
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
