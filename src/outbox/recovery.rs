//! Outcomes of messages that no lane sends any more: interrupted attempts, and time to live.

use super::context::OutboxContext;
use super::lane_key::LaneKey;
use super::recording::record_outcome;
use super::route::{self, NoRoute};
use super::unreadable::cannot_read;
use super::waiting::no_platform;
use crate::clock::{Ages, now};
use crate::health;
use crate::model::message::{Message, Status};
use crate::model::routing;
use crate::model::status_rules::Outcome;
use crate::store::{self, View};
use futures_util::{StreamExt, stream};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Outcomes that are recorded together.
const AT_ONCE: usize = 256;

/// Pause before the store is read again, where that failed.
const READ_PAUSE: Duration = Duration::from_mins(1);

/// The share of the shortest time to live by which a message may be given up late. So the waiting messages
/// are not read again for each of them.
const LATE_PART: u64 = 1_000;

/// The pause after reading what waits is at least so many times as long as that took.
const READ_SHARE: u32 = 20;

/// Marks the messages that this process has claimed as uncertain, in all lanes or in one, after sending was
/// interrupted, also those whose status was set since. Claims of other owners are not touched.
pub(super) async fn recover(context: &OutboxContext, lane: Option<&LaneKey>) {
    let mut interrupted = Vec::new();
    let read = context.store.view().and_then(|view| {
        let owner = context.store.owner();
        for message in view.claimed_by(owner)?.chain(view.overruled_claims(owner)?) {
            let message = message?;
            if lane.is_none_or(|lane| *lane == LaneKey::of(&message)) {
                interrupted.push(message.seq);
            }
        }
        Ok(())
    });
    if let Err(error) = read {
        cannot_read("a part of what was being sent", &error);
    }
    let wait_again = |seq| record_outcome(context, seq, killed_attempt());
    stream::iter(interrupted).for_each_concurrent(AT_ONCE, wait_again).await;
}

/// The outcome of an attempt whose process was killed.
pub(super) fn killed_attempt() -> Outcome {
    let reason = "rechat was stopped while it was being sent".to_owned();
    Outcome::Retry { reason, is_uncertain: true }
}

/// Fails messages that have waited too long, again and again; never ends.
pub(super) async fn expire(context: OutboxContext) {
    let mut ages = None;
    loop {
        let (began, reading) = (Instant::now(), context.clone());
        // There may be very many.
        let read = health::blocking("outbox recovery", move || {
            let ages = match ages {
                Some(ages) => ages,
                None => begin(&reading).ok()?,
            };
            let too_old = too_old(&reading, &ages)?;
            Some((too_old, ages))
        });
        let Ok(Some((TooOld { messages, next }, of_store))) = read.await else {
            ages = None;
            sleep(READ_PAUSE).await;
            continue;
        };
        ages = Some(of_store);
        let pause = Duration::from_secs(next.max(1)).max(began.elapsed() * READ_SHARE);
        let give_up = |(seq, expired)| record_outcome(&context, seq, expired);
        stream::iter(messages).for_each_concurrent(AT_ONCE, give_up).await;
        sleep(pause).await;
    }
}

fn begin(context: &OutboxContext) -> store::Result<Ages> {
    let gaps = context.store.view()?.gaps(context.clock.started_at())?;
    Ok(Ages::new(context.clock.clone(), gaps))
}

/// Messages that have waited too long.
struct TooOld {
    /// The `seq` of each, and how it is given up.
    messages: Vec<(u64, Outcome)>,
    /// The seconds until another one may be too old.
    next: u64,
}

/// The messages that have waited beyond their time to live; `None` where that cannot be read.
fn too_old(context: &OutboxContext, ages: &Ages) -> Option<TooOld> {
    let shortest = context.registry.shortest_time_to_live().unwrap_or(Duration::MAX);
    let mut next = context.policy.time_to_live.min(shortest).as_secs();
    let soonest = next / LATE_PART;
    let mut messages = Vec::new();
    let view = context.store.view().ok()?;
    for message in view.outbound(Status::Pending).ok()?.flatten() {
        let ttl = time_to_live(context, &message);
        let age = ages.since_start_or_of(message.updated_at, ttl);
        if age >= ttl
            && let Some(reason) = cannot_go(context, &view, &message, ttl)
        {
            let since = message.updated_at;
            messages.push((message.seq, Outcome::Expired { reason, since }));
        } else {
            ages.tell_kept(message.updated_at, ttl);
            next = next.min(ttl.saturating_sub(age));
        }
    }
    Some(TooOld { messages, next: next.max(soonest) })
}

/// How long a message may wait, in seconds.
fn time_to_live(context: &OutboxContext, message: &Message) -> u64 {
    let own = message.platform.as_deref().and_then(|name| context.registry.time_to_live(name));
    own.unwrap_or(context.policy.time_to_live).as_secs()
}

/// The reason why a message cannot be sent any more that waited for `ttl` seconds; `None` if it can.
fn cannot_go(context: &OutboxContext, view: &View, message: &Message, ttl: u64) -> Option<String> {
    let Some(platform) = &message.platform else {
        let facts = context.registry.routing_facts(context.default_platform.as_deref());
        let choice =
            routing::choose_platform(&message.recipient, message.seq, &facts, view).ok()?;
        let why = no_platform(&message.recipient, &choice)?;
        return Some(format!("{why}; it waited {ttl} s"));
    };
    match route::find_in(view, &context.registry, message) {
        Err(NoRoute::NotConnected) => {
            Some(format!("no adapter for {platform} connected within {ttl} s"))
        }
        Err(NoRoute::Unaddressable(_)) => None,
        Ok(route) => {
            let closed = route.account.closed(&route.conversation, now())?;
            Some(format!("the conversation did not open within {ttl} s ({})", closed.reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::Registry;
    use crate::clock::Clock;
    use crate::model::message::{Draft, MessageType};
    use crate::model::routing::RoutingFacts;
    use crate::outbox::retry::RetryPolicy;
    use crate::store::{Access, Command, Store, StoreOptions};
    use std::sync::Arc;
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn what_waits_is_not_read_again_for_each_message_that_becomes_too_old() {
        const TIME_TO_LIVE: u64 = 100_000;
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
        let store = Arc::new(Store::open(&options, Box::new(())).unwrap());
        for age in [TIME_TO_LIVE + 10, TIME_TO_LIVE - 10, 0] {
            let (text, platform) = (age.to_string(), Some("qq".to_owned()));
            let draft = Draft::new(MessageType::Text, text, "group_1".into(), platform).unwrap();
            let (at, facts) = (now() - age, RoutingFacts::default());
            store.write(Command::Create { draft, at, idempotency: None, facts }).await.unwrap();
        }
        let policy = RetryPolicy {
            retries: 1,
            first_pause: Duration::ZERO,
            longest_pause: Duration::ZERO,
            time_to_live: Duration::from_secs(TIME_TO_LIVE),
        };
        let context = OutboxContext {
            term: store.term(),
            late: None,
            store,
            registry: Registry::new(),
            policy,
            default_platform: None,
            limits: Arc::default(),
            attempts: Arc::default(),
            outcomes: Arc::default(),
            clock: Arc::new(Clock::start()),
            stop: CancellationToken::new(),
        };
        let ages = Ages::new(context.clock.clone(), Vec::new());
        let TooOld { messages, next } = too_old(&context, &ages).unwrap();
        let seqs: Vec<_> = messages.iter().map(|(seq, _)| *seq).collect();
        assert_eq!((seqs, next), (vec![1], TIME_TO_LIVE / LATE_PART));
    }
}
