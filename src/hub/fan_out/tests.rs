use super::super::mailbox::{Mailbox, MailboxContent};
use super::super::{FrameForm, SessionLimits};
use super::*;
use crate::model::change::{Change, ChangeEffect};
use crate::model::cursor::{Cursor, Epoch};
use crate::model::message::{Draft, Message, MessageType};
use crate::model::subscription::Topic;
use crate::store::{Access, StoreOptions};
use std::task::{Context, Poll, Waker};

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
    hub.hand_out(&messages([(1, "a"), (2, "a"), (1, "a"), (3, "b")]), &mut Round::default());
    let seqs: Vec<_> =
        texts(&mailbox).iter().map(|text| text["data"]["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3]);
    assert!(texts(&mailbox).is_empty());
}

#[tokio::test]
async fn a_run_that_is_longer_than_a_mailbox_is_read_from_the_store() {
    let hub = Hub::new(LIMITS);
    let mailbox = session(&hub, FrameForm::Messages, &[EventKind::NewMessage], &[Topic::default()]);
    hub.hand_out(&messages([(1, "a")]), &mut Round::default());
    let more = (2..=6).map(|seq| (seq, ChangeEffect::Created(created(seq, "qq", "a"))));
    hub.hand_out(&commit(more), &mut Round::default());
    let found = mailbox.poll_take(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(MailboxContent::Behind(delivered)) = found else { panic!("it is not behind") };
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
    hub.hand_out(
        &commit([
            (7, ChangeEffect::Created(message.clone())),
            (8, ChangeEffect::StatusChanged(message.clone())),
            (9, ChangeEffect::Deleted(message)),
        ]),
        &mut Round::default(),
    );
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
    let mailbox = session(&hub, FrameForm::Events, &[EventKind::NewMessage], &[Topic::default()]);
    hub.hand_out(&messages([(1, "a"), (2, "a")]), &mut Round::default());
    assert_eq!(texts(&mailbox).len(), 2);
    let head = Head { seq: 9, cursor: Cursor { epoch: Epoch::new(1), offset: 20 } };
    hub.skip_to(head, false);
    let found = mailbox.poll_take(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(MailboxContent::Behind(delivered)) = found else { panic!("it is not behind") };
    assert_eq!(delivered.seq, 2);
    assert_eq!(hub.lock().head, head);
}

#[tokio::test]
async fn a_session_that_reads_at_once_is_not_behind_however_many_commits_wait() {
    const COMMITS: u64 = 20;
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
    let store = Store::open(&options, Box::new(())).unwrap();
    let hub = Hub::new(LIMITS);
    let mailbox = session(&hub, FrameForm::Messages, &[EventKind::NewMessage], &[Topic::default()]);
    for seq in 1..=COMMITS {
        hub.queue.push(Arc::new(messages([(seq, "a")])));
    }
    let (mut throttle, mut seqs) = (Throttle::default(), Vec::new());
    while hub.take_waiting(&store, &mut throttle) {
        seqs.extend(texts(&mailbox).iter().map(|text| text["data"]["seq"].as_u64().unwrap()));
    }
    assert_eq!(seqs, (1..=COMMITS).collect::<Vec<_>>());
}
