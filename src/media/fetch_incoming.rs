//! Fetching the media of incoming messages that came as an address.
//!
//! A message is stored first, and its media are fetched later. Messages are found by their `seq` in the
//! store, so that no queue is needed: messages that wait cost no memory.

use super::failure::{FailureKind, FetchFailure};
use super::fetch_missing::{Completer, MissingMedia, has_media, missing};
use super::new_media::NewMedia;
use crate::adapter::loses_media;
use crate::clock::now;
use crate::health::{HEALTH, log_panic};
use crate::model::message::{Direction, Message, MessageType};
use crate::model::routing::StoreFacts;
use crate::store::{self, View};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Pauses before further attempts after a fetch failed for a temporary reason.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(5),
    Duration::from_mins(1),
    Duration::from_mins(10),
    Duration::from_hours(1),
];

/// Media of one message that are fetched in a turn. Their hosts may be slow, and other messages wait.
const MEDIA_PER_TURN: usize = 4;

/// The pause before the next turn of a message.
const TURN_PAUSE: Duration = Duration::from_secs(1);

/// Turns that wait until they are due; beyond it, the one that waits longest is dropped.
const MAX_WAITING_TURNS: usize = 1000;

/// Messages that are read in one step.
const LOOKED_AT: usize = 256;

/// The most messages that are checked when the server starts, the newest ones.
const MAX_MISSED: u64 = 1000;

/// Greatest age in seconds of messages that are checked when the server starts.
const MISSED_AGE: u64 = 24 * 60 * 60;

/// Pause after the store could not be read.
const BATCH_PAUSE: Duration = Duration::from_secs(1);

/// Name of this part in the health.
const PART: &str = "media";

/// The media that are fetched when they arrive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchPolicy {
    /// Types, for every platform.
    pub types: Vec<MessageType>,
    /// All types, of platforms that keep media for a limited time only.
    pub expiring: bool,
}

/// Fetches the media of messages when they arrive.
#[derive(Clone)]
pub struct IncomingMedia {
    /// Fetches the files that a message lacks.
    pub completer: Completer,
    /// Which files are fetched by themselves.
    pub wanted: FetchPolicy,
    /// Messages whose media are fetched at the same time.
    pub at_once: usize,
    /// Messages whose media may be fetched.
    pub new_media: Arc<NewMedia>,
}

/// State of the task.
struct Work {
    /// The `seq` of the last message that was checked.
    position: u64,
    /// No message after it has media, unless it has arrived since.
    has_caught_up: bool,
    /// Turns that are due later, in the order of their times.
    later: VecDeque<(Instant, FetchTurn)>,
}

/// A turn: some media of a message.
#[derive(Clone, Copy)]
struct FetchTurn {
    seq: u64,
    /// How often all media of the message were tried before.
    tries: usize,
    /// Index of the medium at which the turn begins.
    from: usize,
    /// A medium before that index failed for a temporary reason.
    has_failed: bool,
    /// Media of all types are fetched, not only of the configured ones.
    all_types: bool,
}

/// Result of a turn.
struct FetchEnd {
    turn: FetchTurn,
    /// Index at which the next turn begins, where there are more media.
    next: Option<usize>,
    result: Result<(), FetchFailure>,
}

impl IncomingMedia {
    /// Fetches incoming media until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut work =
            Work { position: self.beginning(), has_caught_up: false, later: VecDeque::new() };
        let mut under_way: JoinSet<FetchEnd> = JoinSet::new();
        loop {
            let mut is_idle = true;
            if under_way.len() < self.at_once {
                match self.next(&mut work) {
                    Ok(Some(turn)) => {
                        under_way.spawn(self.clone().fetch(turn));
                        is_idle = false;
                    }
                    Ok(None) => {}
                    Err(error) => {
                        tracing::debug!("media wait for the store: {error}");
                        tokio::time::sleep(BATCH_PAUSE).await;
                    }
                }
            }
            if !is_idle {
                continue;
            }
            let has_room = under_way.len() < self.at_once;
            let due = work.later.front().map_or_else(far_off, |(due, _)| *due);
            tokio::select! {
                () = stop.cancelled() => return,
                Some(ended) = under_way.join_next() => match ended {
                    Ok(ended) => work.ended(ended),
                    Err(error) => log_panic("media fetch", &error),
                },
                () = self.new_media.came(), if has_room => {}
                () = sleep_until(due), if has_room => {}
            }
        }
    }

    async fn fetch(self, turn: FetchTurn) -> FetchEnd {
        let completer = &self.completer;
        let types = if turn.all_types { &MessageType::ALL[..] } else { &self.wanted.types };
        let (next, result) = completer.fetch_some(turn.seq, types, turn.from, MEDIA_PER_TURN).await;
        FetchEnd { turn, next, result }
    }

    /// The place before the messages that came in shortly before the start, whose media may be
    /// missing.
    fn beginning(&self) -> u64 {
        let Ok(view) = self.completer.store.view() else { return u64::MAX };
        let (head, since) = (view.head(), now().saturating_sub(MISSED_AGE));
        let mut position = head;
        let Ok(newest) = view.times() else { return position };
        for times in newest.take(MAX_MISSED as usize).flatten() {
            if times.updated_at < since {
                break;
            }
            position = times.seq - 1;
        }
        position
    }

    /// The next turn: one that is due, or the first one of the next message with media to fetch.
    fn next(&self, work: &mut Work) -> store::Result<Option<FetchTurn>> {
        if let Some((due, turn)) = work.later.front().copied()
            && due <= Instant::now()
        {
            work.later.pop_front();
            return Ok(Some(turn));
        }
        if work.has_caught_up {
            let Some(oldest) = self.new_media.take_oldest() else { return Ok(None) };
            work.position = work.position.max(oldest.saturating_sub(1));
            work.has_caught_up = false;
        }
        let view = self.completer.store.view()?;
        // The store could not be read when the task began.
        work.position = work.position.min(view.head());
        loop {
            let mut looked_at = 0;
            for message in view.readable_after(work.position)?.take(LOOKED_AT) {
                let message = message?;
                looked_at += 1;
                work.position = message.seq;
                if let Some(turn) = self.first_turn(&view, &message)? {
                    return Ok(Some(turn));
                }
            }
            if looked_at < LOOKED_AT {
                work.has_caught_up = true;
                return Ok(None);
            }
        }
    }
}

impl IncomingMedia {
    /// The first turn of a message, if it has media to fetch.
    fn first_turn(&self, view: &View, message: &Message) -> store::Result<Option<FetchTurn>> {
        if !arrived(message) || !has_media(&message.content) {
            return Ok(None);
        }
        let all_types = self.wanted.expiring && self.loses_media(view, message)?;
        let types = if all_types { &MessageType::ALL[..] } else { &self.wanted.types };
        let has_more = missing(message, types).iter().any(MissingMedia::may_be_there);
        let (tries, from, has_failed) = (0, 0, false);
        let turn = FetchTurn { seq: message.seq, tries, from, has_failed, all_types };
        Ok(has_more.then_some(turn))
    }

    /// Whether the media of a message expire on its platform. After a start its account may not be
    /// known yet, but the store knows the kind of its platform.
    fn loses_media(&self, view: &View, message: &Message) -> store::Result<bool> {
        let platform = message.platform_or_local();
        let seen = view.seen_platforms()?.iter().filter(|seen| seen.platform == platform);
        let mut kinds = seen.map(|seen| &*seen.kind);
        Ok(self.completer.registry.loses_media(platform) || kinds.any(loses_media))
    }
}

impl Work {
    fn ended(&mut self, FetchEnd { mut turn, next, result }: FetchEnd) {
        let mut pause = PAUSES.get(turn.tries);
        match result {
            Ok(()) => HEALTH.recover(PART),
            Err(failure) => {
                turn.has_failed |= failure.is_passing();
                pause = pause.filter(|_| failure.is_passing());
                tracing::info!(seq = turn.seq, "{}: {failure}", not_fetched(pause));
                if failure.kind == FailureKind::Here {
                    HEALTH.degrade(
                        PART,
                        format!("media of incoming messages cannot be stored: {failure}"),
                    );
                }
            }
        }
        if let Some(from) = next {
            self.add(TURN_PAUSE, FetchTurn { from, ..turn });
        } else if turn.has_failed
            && let Some(pause) = PAUSES.get(turn.tries)
        {
            self.add(
                *pause,
                FetchTurn { tries: turn.tries + 1, from: 0, has_failed: false, ..turn },
            );
        }
    }

    fn add(&mut self, pause: Duration, turn: FetchTurn) {
        if self.later.len() == MAX_WAITING_TURNS {
            self.later.pop_front();
        }
        let due = Instant::now() + pause;
        let index = self.later.partition_point(|(other, _)| *other <= due);
        self.later.insert(index, (due, turn));
    }
}

/// The beginning of the log line about a failure.
fn not_fetched(pause: Option<&Duration>) -> String {
    let then = match pause.map(Duration::as_secs) {
        None => "and are fetched again only when somebody asks".to_owned(),
        Some(seconds @ 0..60) => format!("and are tried again in {seconds} s"),
        Some(seconds @ 60..3600) => format!("and are tried again in {} min", seconds / 60),
        Some(seconds) => format!("and are tried again in {} h", seconds / 3600),
    };
    format!("media of a message were not fetched {then}")
}

fn far_off() -> Instant {
    Instant::now() + Duration::from_hours(1)
}

/// Whether a message came from a platform, so that its media have addresses of the platform.
fn arrived(message: &Message) -> bool {
    message.direction == Direction::Inbound || message.sender.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_failure_is_a_sentence() {
        let told: Vec<_> = PAUSES.iter().map(Some).chain([None]).map(not_fetched).collect();
        let then = told.iter().map(|line| line.split_once("fetched and ").unwrap().1);
        let expected = [
            "are tried again in 5 s",
            "are tried again in 1 min",
            "are tried again in 10 min",
            "are tried again in 1 h",
            "are fetched again only when somebody asks",
        ];
        assert_eq!(then.collect::<Vec<_>>(), expected);
    }
}
