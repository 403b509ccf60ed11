//! The hub's task: sends commits to the sessions, not on the writer's thread.

use super::frame::{Frame, FrameBatch, FrameContent};
use super::mailbox::{Broadcast, HandoutSubject};
use super::queue::NextCommit;
use super::round::Round;
use super::run::{self, RunEvent};
use super::throttle::{Throttle, ThrottleKey};
use super::{Hub, Progress, State, position_of};
use crate::metrics::METRICS;
use crate::model::change::Committed;
use crate::model::subscription::Position;
use crate::protocol::event::EventKind;
use crate::store::{Head, Store};
use std::cell::LazyCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// A mailbox has room for the changes of so many rounds, so that a session may be late by some.
const ROUNDS_IN_MAILBOX: usize = 4;

/// Bytes of content in one batch, roughly; what a socket takes in one write.
const BATCH_BYTES: usize = 64 << 10;

impl Hub {
    /// Sends commits to the sessions until `stop`. May be started again after a panic; a commit
    /// that was only partly sent is read from the store.
    pub async fn run(self: Arc<Self>, store: Arc<Store>, stop: CancellationToken) {
        self.queue.drop_all();
        let mut throttle = Throttle::default();
        loop {
            if self.take_waiting(&store, &mut throttle) {
                tokio::task::yield_now().await;
            } else {
                let due = throttle.next();
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = self.queue.arrived() => {}
                    () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                }
            }
            for (platform, conversation) in throttle.due(Instant::now()) {
                self.tell_conversation(&platform, &conversation, &store);
            }
        }
        // So that no command waits for commits that will not come any more.
        self.progress.send_replace(Progress { number: u64::MAX, seq: u64::MAX });
    }

    /// Sends the commits that wait, as far as a mailbox has room for them, and only then serves
    /// the sessions: each gets all of them at once. Returns whether there were any.
    fn take_waiting(&self, store: &Store, throttle: &mut Throttle) -> bool {
        let most_changes = (self.limits.frames / ROUNDS_IN_MAILBOX).max(1);
        let most_bytes = (self.limits.bytes / ROUNDS_IN_MAILBOX).max(1);
        let (mut changes, mut bytes, mut round) = (0, 0, Round::default());
        while changes < most_changes
            && bytes < most_bytes
            && let Some(next) = self.queue.pop()
        {
            changes += next.changes();
            bytes += next.bytes();
            self.take(next, store, throttle, &mut round);
        }
        changes > 0
    }

    fn take(&self, next: NextCommit, store: &Store, throttle: &mut Throttle, round: &mut Round) {
        let number = match next {
            NextCommit::Commit(commit, number) => {
                for (key, is_named) in self.hand_out(&commit, round) {
                    if throttle.changed(key.clone(), Instant::now()) || is_named {
                        self.tell_conversation(&key.0, &key.1, store);
                    }
                }
                number
            }
            NextCommit::Dropped(head, number) => {
                self.skip_to(head, self.has_lost(store));
                number
            }
        };
        let seq = self.lock().head.seq;
        self.progress.send_replace(Progress { number, seq });
    }

    /// Whether the store does not have what was sent. One that is away is compared once it is open again;
    /// before the first opening nothing was sent.
    fn has_lost(&self, store: &Store) -> bool {
        let sent = self.lock().head;
        let has_lost = store.view().and_then(|view| view.has_lost(sent.cursor));
        sent != Head::default() && has_lost.is_ok_and(|has_lost| has_lost)
    }

    /// Everything up to `head` is in the store, and has to be read there. If the store `has_lost` what was
    /// sent, no session can go on.
    fn skip_to(&self, head: Head, has_lost: bool) {
        let mut state = self.lock();
        if has_lost {
            tracing::warn!("the store does not have what sessions were sent; they load afresh");
            state.head = head;
            self.life.fetch_add(1, Ordering::SeqCst);
        }
        for mailbox in state.index(EventKind::NewMessage).all() {
            mailbox.fall_behind(state.position());
            mailbox.wake();
        }
        if head.cursor.offset > state.head.cursor.offset {
            state.head.cursor = head.cursor;
        }
        state.head.seq = state.head.seq.max(head.seq);
    }

    /// Puts a commit into the mailboxes of the sessions that want it, and adds these
    /// to `round`. Returns the conversations that changed, and whether they were named, if a session
    /// wants to know.
    pub(super) fn hand_out(
        &self,
        commit: &Committed,
        round: &mut Round,
    ) -> Vec<(ThrottleKey, bool)> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let known = state.head.cursor.offset;
        let first = commit.changes.partition_point(|change| change.offset <= known);
        let (mut conversations, mut counts) = (Vec::new(), Vec::new());
        for run in commit.changes[first..].chunk_by(run::goes_with) {
            let before = state.position();
            let mut head = state.head;
            let found = run::events(run, commit.epoch, &mut head);
            let Some((kind, (platform, conversation), events)) = found else {
                state.head = head;
                continue;
            };
            if kind == EventKind::NewMessage {
                run::count(run, events.len(), &mut counts);
            }
            self.hand(state, kind, (platform, conversation), before, &events, round);
            // After a panic in between, sessions read this run from the store.
            state.head = head;
            let changes_it = matches!(kind, EventKind::NewMessage | EventKind::ConversationUpdated);
            if changes_it && !state.index(EventKind::ConversationUpdated).is_empty() {
                let is_named = kind == EventKind::ConversationUpdated;
                conversations.push(((platform.to_owned(), conversation.to_owned()), is_named));
            }
        }
        drop(guard);
        for ((direction, platform), new) in counts {
            METRICS.messages(direction.as_str(), platform, new);
        }
        conversations
    }

    /// Sends a run of events to every session with a matching topic.
    fn hand(
        &self,
        state: &mut State,
        kind: EventKind,
        (platform, conversation): (&str, &str),
        before: Position,
        events: &[RunEvent],
        round: &mut Round,
    ) {
        let Some((_, last)) = events.last() else { return };
        let number = state.next_handout();
        let subject = HandoutSubject::Log(position_of(*last));
        // Encoded when the first session needs this form.
        let plain = &LazyCell::new(|| self.batches(events, before, false));
        let with_cursor = &LazyCell::new(|| self.batches(events, before, true));
        let batches = |shows_cursor| {
            if shows_cursor { &with_cursor[..] } else { &plain[..] }
        };
        let handout = Broadcast { number, batches: &batches, subject };
        let sessions = state.index(kind).matching(platform, conversation);
        sessions.for_each(|mailbox| round.push(mailbox, &handout, self.limits));
    }

    /// The frames of a run, in batches that each fit into an empty mailbox.
    fn batches(
        &self,
        events: &[RunEvent],
        before: Position,
        shows_cursor: bool,
    ) -> Vec<Arc<FrameBatch>> {
        let most_bytes = self.limits.bytes.min(BATCH_BYTES);
        let (mut batches, mut frames, mut bytes) = (Vec::new(), Vec::new(), 0);
        let (mut before, mut last) = (before, before);
        for (content, head) in events {
            let frame = Frame::of(content, head.cursor.into(), shows_cursor);
            bytes += frame.text.len();
            let is_full = frames.len() >= self.limits.frames || bytes > most_bytes;
            if is_full && !frames.is_empty() {
                bytes = frame.text.len();
                batches.push(FrameBatch::of(Some(before), std::mem::take(&mut frames)));
                before = last;
            }
            frames.push(frame);
            last = position_of(*head);
        }
        batches.push(FrameBatch::of(Some(before), frames));
        batches
    }

    /// Sends the present state of a conversation.
    fn tell_conversation(&self, platform: &str, conversation: &str, store: &Store) {
        let found = store.view().and_then(|view| view.conversation(platform, conversation));
        let entry = match found {
            Ok(Some(entry)) => entry,
            Ok(None) => return,
            Err(error) => {
                return tracing::warn!(
                    platform,
                    conversation,
                    "sessions do not get a change of the conversation: {error}"
                );
            }
        };
        let mut guard = self.lock();
        let number = guard.next_handout();
        let resume = guard.head.cursor.into();
        let frame = Frame::of(&FrameContent::Conversation(&entry), resume, true);
        let batches = [FrameBatch::of(None, vec![frame])];
        let subject = HandoutSubject::Conversation(guard.position());
        let handout = Broadcast { number, batches: &|_| &batches, subject };
        let sessions = guard.index(EventKind::ConversationUpdated).matching(platform, conversation);
        let mut round = Round::default();
        sessions.for_each(|mailbox| round.push(mailbox, &handout, self.limits));
        // So that no socket is written under the lock.
        drop(guard);
    }
}

#[cfg(test)]
mod tests;
