//! Deleting what is old, or too much, where the configuration says so: a few messages at a time,
//! by the ordinary way, so that everybody who watches and every index knows of it.

mod media;

use crate::clock::{Clock, now};
use crate::model::message::Status;
use crate::store::{Answer, Command, Result, Store};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Messages deleted together.
const AT_ONCE: usize = 200;

/// Messages looked at for one step.
const LOOKED_AT: usize = 2_000;

/// How long others have the disk for themselves between two steps.
const REST: Duration = Duration::from_millis(250);

/// How long until there may be something again, when there was nothing more.
const PAUSE: Duration = Duration::from_mins(1);

/// For how long after a message was deleted for its age it is known when its platform tells of it
/// again, in seconds.
const MARKS_FOR: u64 = 30 * 24 * 60 * 60;

/// Knowledge of the age of messages.
struct Ages {
    clock: Arc<Clock>,
    /// Messages up to this time count as written when the server started.
    doubted: u64,
}

impl Ages {
    /// Where even the newest message is too old to be kept, the clock may have been set while no
    /// server ran: then nothing is deleted for its age until the server has run for so long.
    fn begin(clock: Arc<Clock>, store: &Store, policy: Policy) -> Result<Self> {
        let shortest = [policy.age, policy.media_age].into_iter().flatten().min();
        let view = store.view()?;
        let newest = view.readable_before(view.head() + 1)?.next().transpose()?;
        let stamp = newest.map_or(0, |message| message.created_at.max(message.updated_at));
        let is_doubted = shortest.is_some_and(|age| clock.age(stamp).is_some_and(|is| is >= age));
        if is_doubted {
            tracing::warn!(
                "even the newest message is older than `retention.days` or `media.days`: is the clock \
                 right? Messages of before are kept until the server has run for as long"
            );
        }
        Ok(Self { clock, doubted: if is_doubted { stamp } else { 0 } })
    }

    fn of(&self, created_at: u64) -> u64 {
        let is_doubted = created_at <= self.doubted;
        let age = if is_doubted { Some(self.clock.watched()) } else { self.clock.age(created_at) };
        age.unwrap_or_default()
    }
}

/// Bounds of retention; nothing is deleted where neither is set. Messages that wait to be sent always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Seconds since a message was written.
    pub age: Option<u64>,
    /// Messages in all.
    pub count: Option<u64>,
    /// Seconds after which the bytes of a message's media are removed.
    pub media_age: Option<u64>,
}

/// Deletes by the policy in force, until `stop`.
pub async fn run(
    store: Arc<Store>,
    clock: Arc<Clock>,
    mut policy: watch::Receiver<Policy>,
    stop: CancellationToken,
) {
    let (mut position, mut media_position) = (0, 0);
    let at_first = *policy.borrow();
    let ages = match Ages::begin(clock, &store, at_first) {
        Ok(ages) => ages,
        Err(error) => return tracing::error!("old messages are not deleted: {error}"),
    };
    loop {
        let now_in_force = *policy.borrow_and_update();
        let done = match step(&store, now_in_force, &ages, &mut position).await {
            Ok(false) => trim(&store, now_in_force).await,
            done => done,
        };
        let done = match (done, now_in_force.media_age) {
            (Ok(false), Some(age)) => media::step(&store, age, &ages, &mut media_position).await,
            (done, _) => done,
        };
        let pause = match done {
            Ok(true) => REST,
            Ok(false) => {
                position = 0;
                PAUSE
            }
            Err(error) => {
                tracing::warn!("old messages could not be deleted: {error}");
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

/// Forgets events that need not be kept any more, emptied conversations, and what tells doubles of
/// messages that are deleted for their age; `false` where there was nothing to forget.
async fn trim(store: &Store, policy: Policy) -> Result<bool> {
    let marks_before = policy.age.map_or(0, |age| now().saturating_sub(age + MARKS_FOR));
    Ok(store.write(Command::Trim { marks_before }).await? != Answer::Nothing)
}

/// Deletes some messages after `position`; `false` where there was nothing to delete.
async fn step(store: &Store, policy: Policy, ages: &Ages, position: &mut u64) -> Result<bool> {
    let doomed = doomed(store, policy, ages, position)?;
    if doomed.is_empty() {
        return Ok(false);
    }
    let mut waits = Vec::with_capacity(doomed.len());
    for id in doomed {
        waits.push(store.submit(Command::Delete { id }).await?);
    }
    for wait in waits {
        wait.await?;
    }
    Ok(true)
}

/// The oldest messages that the policy does not keep.
fn doomed(store: &Store, policy: Policy, ages: &Ages, position: &mut u64) -> Result<Vec<Uuid>> {
    let view = store.view()?;
    let mut surplus = policy.count.map_or(0, |count| view.stats().total.saturating_sub(count));
    let mut doomed = Vec::new();
    if surplus == 0 && policy.age.is_none() {
        return Ok(doomed);
    }
    for message in view.readable_after(*position)?.take(LOOKED_AT) {
        let message = message?;
        *position = message.seq;
        if matches!(message.status, Status::Pending | Status::Sending) {
            continue;
        }
        if surplus > 0 || policy.age.is_some_and(|age| ages.of(message.created_at) > age) {
            surplus = surplus.saturating_sub(1);
            doomed.push(message.id);
        }
        if doomed.len() >= AT_ONCE {
            break;
        }
    }
    Ok(doomed)
}
