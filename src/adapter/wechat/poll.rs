//! The long poll of an account.
//!
//! The answer of a poll is on disk, with the next cursor and the reply tokens, before the next poll.

use super::account::{RunningAccount, SessionCheck};
use super::api::{POLL_HOLD, Updates};
use super::call_failure::CallFailure;
use super::inbound::{self, ReadMessage};
use super::saved_state::keep_cursor;
use super::unreadable::UnreadableAnswers;
use crate::adapter::registry::Registration;
use crate::metrics::METRICS;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Failures in a row after which the account counts as unreachable.
const MAX_FAILURES: u32 = 3;

/// A poll that took so long was held.
const STABLE_AFTER: Duration = Duration::from_secs(5);

/// The longest pause after a poll that came back at once with nothing new.
const PAUSE: Duration = Duration::from_secs(1);

/// Why polling ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PollEnd {
    /// A person has to log in again; the platform's text.
    Ended(String),
    /// The platform cannot be reached.
    Unreachable(String),
    /// The core takes nothing any more.
    Stopped,
}

/// Polls from a cursor until something ends it; the cursor goes on with it.
pub(super) async fn poll(
    account: &RunningAccount,
    registration: &Registration,
    cursor: &mut String,
) -> PollEnd {
    let (mut hold, mut failures) = (POLL_HOLD, 0);
    let mut unreadable = UnreadableAnswers::new(account, registration);
    loop {
        let began = Instant::now();
        let failure = match account.api.updates(&account.session, cursor, hold).await {
            Ok(updates) => {
                failures = 0;
                unreadable.end();
                hold = updates.hold.unwrap_or(hold);
                let is_new = brings_news(&updates, cursor);
                if !take(account, cursor, updates).await {
                    return not_taken(account);
                }
                sleep(pause(is_new, began.elapsed(), account.settings.reconnect)).await;
                continue;
            }
            // Nothing came.
            Err(CallFailure::Late) => continue,
            Err(CallFailure::Unreadable(reason)) => {
                sleep(unreadable.note(&reason)).await;
                continue;
            }
            // A gateway gave up on a poll that was held: nothing came either.
            Err(CallFailure::Unknown(_)) if began.elapsed() > STABLE_AFTER => {
                sleep(account.settings.reconnect).await;
                continue;
            }
            Err(failure) => failure,
        };
        let (mut failure, mut is_ended) = (failure, false);
        if let CallFailure::Ended(reason) = &failure {
            match account.check_session().await {
                SessionCheck::Alive => is_ended = true,
                SessionCheck::NotConfirmed => return PollEnd::Ended(reason.clone()),
                SessionCheck::NoAnswer(reason) => failure = CallFailure::Unknown(reason),
            }
        }
        failures += 1;
        if failures >= MAX_FAILURES {
            let reason = failure.reason().to_owned();
            // Polls say so again and again, whatever the notice is answered.
            return if is_ended { PollEnd::Ended(reason) } else { PollEnd::Unreachable(reason) };
        }
        tracing::debug!(account = account.login.account, "a poll failed: {}", failure.reason());
        sleep(account.settings.reconnect * failures).await;
    }
}

/// Whether an answer has messages that the next poll will not bring again.
fn brings_news(updates: &Updates, cursor: &str) -> bool {
    !updates.messages.is_empty() && updates.cursor.as_deref().is_some_and(|next| next != cursor)
}

/// The pause until the next poll: a server that does not hold polls would be asked without end.
fn pause(is_new: bool, took: Duration, reconnect: Duration) -> Duration {
    if is_new || took > STABLE_AFTER { Duration::ZERO } else { reconnect.min(PAUSE) }
}

/// Why what a poll answered was not stored: the next poll brings it again.
fn not_taken(account: &RunningAccount) -> PollEnd {
    if account.stop.is_cancelled() {
        return PollEnd::Stopped;
    }
    let reason = "what came in could not be stored, and is asked for again; the log says why";
    PollEnd::Unreachable(reason.to_owned())
}

/// Has what a poll answered stored, in one commit; `false` where it is not.
async fn take(account: &RunningAccount, cursor: &mut String, updates: Updates) -> bool {
    let (platform, id) = (account.platform(), &account.login.account);
    let (mut messages, mut answerable) = (Vec::new(), BTreeSet::new());
    for told in &updates.messages {
        let received = match inbound::read(told, platform, id) {
            ReadMessage::Message(received) => received,
            ReadMessage::Echo => continue,
            ReadMessage::Unreadable => {
                METRICS.frames_skipped.inc();
                let bytes = told.get().len();
                tracing::warn!(
                    account = id,
                    "a message of {bytes} bytes cannot be read, and is skipped"
                );
                continue;
            }
        };
        if let Some(token) = &received.context_token {
            // Known before the message is, so that who waits for it can go at once.
            let conversation = &received.message.conversation;
            account.windows.receive(conversation, token, received.written_ms);
            answerable.insert(conversation.clone());
        }
        account.known.insert(id, &received.message.external_id);
        messages.push(received.message);
    }
    let next = updates.cursor.filter(|next| next != cursor);
    let state: Vec<_> = next.iter().map(|next| keep_cursor(platform, id, next)).collect();
    if messages.is_empty() && state.is_empty() {
        return true;
    }
    if !account.save(messages, answerable, state).await {
        return false;
    }
    if let Some(next) = next {
        *cursor = next;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    #[test]
    fn only_what_is_new_is_followed_by_another_poll_at_once() {
        let updates = |messages: usize, cursor: Option<&str>| Updates {
            messages: vec![RawValue::NULL.to_owned(); messages],
            cursor: cursor.map(str::to_owned),
            hold: None,
        };
        assert!(brings_news(&updates(1, Some("b")), "a"));
        for (messages, cursor) in [(0, None), (0, Some("b")), (1, Some("a")), (1, None)] {
            assert!(!brings_news(&updates(messages, cursor), "a"), "{messages} {cursor:?}");
        }
        let (at_once, reconnect) = (Duration::from_millis(1), Duration::from_secs(5));
        assert_eq!(pause(true, at_once, reconnect), Duration::ZERO);
        assert_eq!(pause(false, at_once, reconnect), PAUSE);
        assert_eq!(pause(false, STABLE_AFTER * 2, reconnect), Duration::ZERO, "it was held");
    }
}
