//! The hub's task: sends commits to the sessions, not on the writer's thread.

use super::frame::{Frame, FrameBatch, FrameContent};
use super::mailbox::{Broadcast, HandoutSubject};
use super::queue::NextCommit;
use super::throttle::{Throttle, ThrottleKey};
use super::{Hub, Progress, State, position_of};
use crate::metrics::METRICS;
use crate::model::change::{Change, ChangeEffect, Committed};
use crate::model::cursor::{Cursor, Epoch};
use crate::model::message::{Direction, Message};
use crate::model::subscription::Position;
use crate::protocol::event::{EventKind, MessageStatus};
use crate::store::{Head, Store};
use std::cell::LazyCell;
use std::sync::Arc;
use std::task::Waker;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Bytes of content in one batch, roughly; what a socket takes in one write.
const BATCH_BYTES: usize = 64 << 10;

/// One event of a run, and the head after it.
type FanOutEvent<'c> = (FrameContent<'c>, Head);

impl Hub {
    /// Sends commits to the sessions until `stop`. May be started again after a panic; a commit
    /// that was only partly sent is read from the store.
    pub async fn run(self: Arc<Self>, store: Arc<Store>, stop: CancellationToken) {
        self.queue.drop_all();
        let mut throttle = Throttle::default();
        loop {
            while let Some(next) = self.queue.pop() {
                self.take(next, &store, &mut throttle);
                tokio::task::yield_now().await;
            }
            let due = throttle.next();
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.queue.arrived() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
            for (platform, conversation) in throttle.due(Instant::now()) {
                self.tell_conversation(&platform, &conversation, &store);
            }
        }
        // So that no command waits for commits that will not come any more.
        self.progress.send_replace(Progress { number: u64::MAX, seq: u64::MAX });
    }

    fn take(&self, next: NextCommit, store: &Store, throttle: &mut Throttle) {
        let number = match next {
            NextCommit::Commit(commit, number) => {
                for (key, is_named) in self.hand_out(&commit) {
                    if throttle.changed(key.clone(), Instant::now()) || is_named {
                        self.tell_conversation(&key.0, &key.1, store);
                    }
                }
                number
            }
            NextCommit::Dropped(head, number) => {
                self.skip_to(head);
                number
            }
        };
        let seq = self.lock().head.seq;
        self.progress.send_replace(Progress { number, seq });
    }

    /// Everything up to `head` is in the store, and has to be read there.
    fn skip_to(&self, head: Head) {
        let mut state = self.lock();
        for mailbox in state.index(EventKind::NewMessage).all() {
            mailbox.fall_behind(state.position());
            mailbox.wake();
        }
        if head.cursor.offset > state.head.cursor.offset {
            state.head.cursor = head.cursor;
        }
        state.head.seq = state.head.seq.max(head.seq);
    }

    /// Sends a commit to the sessions that want it. Returns the conversations that changed, and
    /// whether they were named, if a session wants to know.
    pub(super) fn hand_out(&self, commit: &Committed) -> Vec<(ThrottleKey, bool)> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let known = state.head.cursor.offset;
        let first = commit.changes.partition_point(|change| change.offset <= known);
        let (mut woken, mut conversations, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for run in commit.changes[first..].chunk_by(goes_with) {
            let before = state.position();
            let told = told(run, commit.epoch, &mut state.head);
            let Some((kind, topic, told)) = told else { continue };
            let (platform, conversation) = topic;
            if kind == EventKind::NewMessage {
                count(run, told.len(), &mut counts);
            }
            self.hand(state, kind, (platform, conversation), before, &told, &mut woken);
            let changes_it = matches!(kind, EventKind::NewMessage | EventKind::ConversationUpdated);
            if changes_it && !state.index(EventKind::ConversationUpdated).is_empty() {
                let is_named = kind == EventKind::ConversationUpdated;
                conversations.push(((platform.to_owned(), conversation.to_owned()), is_named));
            }
        }
        drop(guard);
        woken.into_iter().for_each(Waker::wake);
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
        told: &[FanOutEvent],
        woken: &mut Vec<Waker>,
    ) {
        let Some((_, last)) = told.last() else { return };
        let number = state.next_handout();
        let subject = HandoutSubject::Log(position_of(*last));
        // Encoded when the first session needs this form.
        let plain = &LazyCell::new(|| self.batches(told, before, false));
        let with_cursor = &LazyCell::new(|| self.batches(told, before, true));
        let batches = |shows_cursor| {
            if shows_cursor { &with_cursor[..] } else { &plain[..] }
        };
        let handout = Broadcast { number, batches: &batches, subject };
        let sessions = state.index(kind).matching(platform, conversation);
        woken.extend(sessions.filter_map(|mailbox| mailbox.push(&handout, self.limits)));
    }

    /// The frames of a run, in batches that each fit into an empty mailbox.
    fn batches(
        &self,
        told: &[FanOutEvent],
        before: Position,
        shows_cursor: bool,
    ) -> Vec<Arc<FrameBatch>> {
        let most_bytes = self.limits.bytes.min(BATCH_BYTES);
        let (mut batches, mut frames, mut bytes) = (Vec::new(), Vec::new(), 0);
        let (mut before, mut last) = (before, before);
        for (content, head) in told {
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
        let woken: Vec<_> =
            sessions.filter_map(|mailbox| mailbox.push(&handout, self.limits)).collect();
        drop(guard);
        woken.into_iter().for_each(Waker::wake);
    }
}

/// Whether two changes are new messages of one conversation and direction.
fn goes_with(one: &Change, next: &Change) -> bool {
    let (ChangeEffect::Created(one), ChangeEffect::Created(next)) = (&one.effect, &next.effect)
    else {
        return false;
    };
    one.recipient == next.recipient
        && one.platform == next.platform
        && one.direction == next.direction
}

/// The events of a run with their kind and conversation; `head` moves past them.
fn told<'c>(
    run: &'c [Change],
    epoch: Epoch,
    head: &mut Head,
) -> Option<(EventKind, (&'c str, &'c str), Vec<FanOutEvent<'c>>)> {
    let mut told = Vec::with_capacity(run.len());
    let mut found = None;
    for Change { offset, effect } in run {
        head.cursor = Cursor { epoch, offset: *offset };
        let (kind, content) = match effect {
            // A message that was imported with its old `seq` is not new.
            ChangeEffect::Created(message) if message.seq <= head.seq => continue,
            ChangeEffect::Created(message) => {
                head.seq = message.seq;
                (EventKind::NewMessage, FrameContent::New(message))
            }
            ChangeEffect::StatusChanged(message) => {
                (EventKind::MessageStatus, FrameContent::Status(MessageStatus::of(message)))
            }
            ChangeEffect::Updated(message) => {
                (EventKind::MessageUpdated, FrameContent::Updated(message))
            }
            ChangeEffect::Deleted(message) => {
                let Message { id, platform, recipient, seq, .. } = message;
                let platform = platform.as_deref();
                let content =
                    FrameContent::Deleted { id: *id, platform, conversation: recipient, seq: *seq };
                (EventKind::MessageDeleted, content)
            }
            ChangeEffect::Noticed(notice) => {
                let conversation = notice.conversation.as_deref().unwrap_or_default();
                found = Some((EventKind::Notice, (&*notice.platform, conversation)));
                (EventKind::Notice, FrameContent::Notice(notice))
            }
            // Its present state is sent separately.
            ChangeEffect::ConversationChanged { platform, conversation } => {
                found = Some((EventKind::ConversationUpdated, (&**platform, &**conversation)));
                continue;
            }
        };
        if let Some(message) = effect.message() {
            found = Some((kind, (message.platform_or_local(), &*message.recipient)));
        }
        told.push((content, *head));
    }
    let (kind, topic) = found?;
    Some((kind, topic, told))
}

/// Counts the new messages of a run, for each direction and platform of a commit.
fn count<'c>(run: &'c [Change], new: usize, counts: &mut Vec<((Direction, &'c str), u64)>) {
    let Some(message) = run.first().and_then(|change| change.effect.message()) else { return };
    let of = (message.direction, message.platform_or_local());
    match counts.iter_mut().find(|(known, _)| *known == of) {
        Some((_, count)) => *count += new as u64,
        None => counts.push((of, new as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::mailbox::{Mailbox, MailboxContent};
    use super::super::{FrameForm, SessionLimits};
    use super::*;
    use crate::model::message::{Draft, MessageType};
    use crate::model::subscription::Topic;
    use std::task::{Context, Poll};

    const LIMITS: SessionLimits =
        SessionLimits { frames: 4, bytes: 1 << 20, replay_bytes: 1 << 20, topics: 10 };

    fn created(seq: u64, platform: &str, conversation: &str) -> Message {
        let (recipient, platform) = (conversation.to_owned(), Some(platform.to_owned()));
        let draft = Draft::new(MessageType::Text, "x".into(), recipient, platform).unwrap();
        draft.into_message(seq, uuid::Uuid::nil(), 0)
    }

    fn commit(effects: impl IntoIterator<Item = (u64, ChangeEffect)>) -> Committed {
        let change = |(offset, effect)| Change { offset, effect };
        Committed { epoch: Epoch::new(1), changes: effects.into_iter().map(change).collect() }
    }

    fn messages(seqs: impl IntoIterator<Item = (u64, &'static str)>) -> Committed {
        let seqs = seqs.into_iter().enumerate();
        commit(seqs.map(|(i, (seq, conversation))| {
            (i as u64 + seq, ChangeEffect::Created(created(seq, "qq", conversation)))
        }))
    }

    /// A session for each of these topics, with these kinds of events.
    fn session(hub: &Hub, form: FrameForm, kinds: &[EventKind], topics: &[Topic]) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::new(Position::default()));
        mailbox.set_form(form);
        let mut state = hub.lock();
        for topic in topics {
            for kind in kinds {
                state.index_mut(*kind).add(topic, 1, &mailbox);
            }
        }
        mailbox
    }

    fn texts(mailbox: &Mailbox) -> Vec<serde_json::Value> {
        match mailbox.poll_take(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(MailboxContent::Mail(batches)) => {
                let frames = batches.iter().flat_map(|batch| batch.frames());
                frames.map(|frame| serde_json::from_str(&frame.text).unwrap()).collect()
            }
            Poll::Ready(MailboxContent::Behind(_)) => panic!("it is behind"),
            Poll::Pending => Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_session_with_several_topics_has_each_message_once_and_in_order() {
        let hub = Hub::new(LIMITS);
        let topics = [(None, None), (Some("qq"), None), (Some("qq"), Some("a"))];
        let topics = topics.map(|(platform, name)| Topic::of(platform, name));
        let mailbox = session(&hub, FrameForm::Messages, &[EventKind::NewMessage], &topics);
        hub.hand_out(&messages([(1, "a"), (2, "a"), (1, "a"), (3, "b")]));
        let seqs: Vec<_> =
            texts(&mailbox).iter().map(|text| text["data"]["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, [1, 2, 3]);
        assert!(texts(&mailbox).is_empty());
    }

    #[tokio::test]
    async fn a_run_that_is_longer_than_a_mailbox_is_read_from_the_store() {
        let hub = Hub::new(LIMITS);
        let mailbox =
            session(&hub, FrameForm::Messages, &[EventKind::NewMessage], &[Topic::default()]);
        hub.hand_out(&messages([(1, "a")]));
        let more = (2..=6).map(|seq| (seq, ChangeEffect::Created(created(seq, "qq", "a"))));
        hub.hand_out(&commit(more));
        let found = mailbox.poll_take(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(MailboxContent::Behind(delivered)) = found else {
            panic!("it is not behind")
        };
        assert_eq!(delivered, Position::default());
    }

    #[tokio::test]
    async fn a_session_with_events_sees_cursors_and_another_one_does_not() {
        let hub = Hub::new(LIMITS);
        let topics = [Topic::default()];
        let plain = session(&hub, FrameForm::Messages, &[EventKind::NewMessage], &topics);
        let kinds = [EventKind::NewMessage, EventKind::MessageDeleted];
        let events = Arc::new(Mailbox::new(Position::default()));
        events.set_form(FrameForm::Events);
        for kind in kinds {
            hub.lock().index_mut(kind).add(&topics[0], 2, &events);
        }
        let message = created(1, "qq", "a");
        hub.hand_out(&commit([
            (7, ChangeEffect::Created(message.clone())),
            (8, ChangeEffect::StatusChanged(message.clone())),
            (9, ChangeEffect::Deleted(message)),
        ]));
        let told = texts(&events);
        let seen: Vec<_> = told.iter().map(|event| (&event["type"], &event["cursor"])).collect();
        let cursor = |offset| serde_json::json!(format!("{}-{offset}", Epoch::new(1)));
        assert_eq!(
            seen,
            [(&"new_message".into(), &cursor(7)), (&"message_deleted".into(), &cursor(9))]
        );
        let told = texts(&plain);
        assert_eq!(told.len(), 1);
        assert!(told[0].get("cursor").is_none());
    }

    #[tokio::test]
    async fn what_was_dropped_makes_sessions_read_on_from_where_they_were() {
        let hub = Hub::new(LIMITS);
        let mailbox =
            session(&hub, FrameForm::Events, &[EventKind::NewMessage], &[Topic::default()]);
        hub.hand_out(&messages([(1, "a"), (2, "a")]));
        assert_eq!(texts(&mailbox).len(), 2);
        let head = Head { seq: 9, cursor: Cursor { epoch: Epoch::new(1), offset: 20 } };
        hub.skip_to(head);
        let found = mailbox.poll_take(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(MailboxContent::Behind(delivered)) = found else {
            panic!("it is not behind")
        };
        assert_eq!(delivered.seq, 2);
        assert_eq!(hub.lock().head, head);
    }
}
