//! Sessions whose request is refused, and those that have fallen behind.

use super::*;
use crate::hub::{FrameForm, ReplayStart, SessionLimits};
use crate::model::message::{Draft, MessageType};
use crate::model::routing::RoutingFacts;
use crate::store::{Access, Command, Head, Listener, StoreOptions};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const LIMITS: SessionLimits =
    SessionLimits { frames: 2, bytes: 1 << 20, replay_bytes: 1 << 20, topics: 100 };

struct ToHub(Arc<Hub>);

impl Listener for ToHub {
    fn opened(&mut self, head: Head) {
        self.0.opened(head);
    }

    fn committed(&mut self, commit: Arc<crate::model::change::Committed>) {
        self.0.committed(commit);
    }
}

struct Running {
    hub: Arc<Hub>,
    store: Arc<Store>,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub = Hub::new(LIMITS);
        let options = StoreOptions::new(folder.path().join("s"), Access::Write);
        let store = Arc::new(Store::open(&options, Box::new(ToHub(hub.clone()))).unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(hub.clone().run(store.clone(), stop.clone()));
        Self { hub, store, stop, _folder: folder }
    }

    async fn make(&self, count: usize) {
        for _ in 0..count {
            let draft = Draft::new(MessageType::Text, "x".into(), "g".into(), Some("qq".into()));
            let draft = draft.unwrap();
            let facts = RoutingFacts::default();
            let create = Command::Create { draft, at: 100, idempotency: None, facts };
            self.store.write(create).await.unwrap();
        }
        self.hub.caught_up(0).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn on(platform: &str) -> SubscribeRequest {
    SubscribeRequest {
        platforms: NameList::listed([platform.to_owned()]),
        ..SubscribeRequest::default()
    }
}

fn with_events(asked: SubscribeRequest) -> SubscribeRequest {
    SubscribeRequest { events: Some(EventKinds::default()), ..asked }
}

/// The frames that come next, and whether each shows its cursor.
async fn next(subscriber: &mut Subscriber, store: &Store) -> Vec<(u64, bool)> {
    let batches = subscriber.next(store).await.unwrap();
    let shown = |frame: &Frame| {
        let event: serde_json::Value = serde_json::from_str(&frame.text).unwrap();
        (event["data"]["seq"].as_u64().unwrap(), event.get("cursor").is_some())
    };
    batches.iter().flat_map(|batch| batch.frames()).map(shown).collect()
}

#[tokio::test]
async fn too_many_replays_leave_the_form_of_frames_and_the_topics_alone() {
    let running = Running::start();
    running.make(20).await;
    let store = &running.store;
    let mut session = running.hub.subscriber(FrameForm::Messages);
    session.subscribe(on("qq"), store).await.unwrap();
    let back = |seq| SubscribeRequest { since: ReplayStart::Message(seq), ..on("qq") };
    let mut seq = 19;
    while session.subscribe(back(seq), store).await.is_ok() {
        seq -= 1;
    }
    let refused = session.subscribe(with_events(back(seq)), store).await;
    assert_eq!(refused.unwrap_err(), SubscribeRefused::TooManyReplays);
    let other = SubscribeRequest { since: ReplayStart::Message(seq), ..on("other") };
    assert!(session.subscribe(other, store).await.is_err());
    assert_eq!(session.interest.topics.len(), 1);
    let wanted: Vec<_> = (seq + 2..=20).map(|seq| (seq, false)).collect();
    let mut told = Vec::new();
    while told.len() < wanted.len() {
        told.extend(next(&mut session, store).await);
    }
    assert_eq!(told, wanted, "no cursors, and nothing that was said before");
    running.make(1).await;
    assert_eq!(next(&mut session, store).await, [(21, false)]);
}

#[tokio::test]
async fn a_store_that_is_away_adds_no_topic() {
    let running = Running::start();
    running.make(5).await;
    let mut session = running.hub.subscriber(FrameForm::Messages);
    let back = SubscribeRequest { since: ReplayStart::Message(1), ..with_events(on("qq")) };
    session.subscribe(back, &running.store).await.unwrap();
    // Its position is not the head any more, whose cursor is known.
    running.make(1).await;
    running.store.close();
    let refused = session.subscribe(on("other"), &running.store).await;
    assert!(matches!(refused, Err(SubscribeRefused::Store(_))), "{refused:?}");
    assert_eq!(session.interest.topics.len(), 1);
    let state = running.hub.lock();
    let index = state.index(EventKind::NewMessage);
    assert_eq!(index.matching("other", "g").count(), 0);
}

#[tokio::test]
async fn the_place_of_a_session_that_fell_behind_lies_before_what_it_has_not_read() {
    let running = Running::start();
    let mut session = running.hub.subscriber(FrameForm::Messages);
    let store = &running.store;
    session.subscribe(with_events(on("qq")), store).await.unwrap();
    // More than waits for a session, and none of it is taken.
    running.make(5).await;
    let again = session.subscribe(with_events(on("other")), store).await.unwrap();
    assert!(again.queued.is_empty());
    let mut anew = running.hub.subscriber(FrameForm::Messages);
    let resumed =
        SubscribeRequest { since: ReplayStart::Event(again.resume), ..with_events(on("qq")) };
    anew.subscribe(resumed, store).await.unwrap();
    let wanted: Vec<_> = (1..=5).map(|seq| (seq, true)).collect();
    assert_eq!(next(&mut anew, store).await, wanted);
    assert_eq!(next(&mut session, store).await, wanted);
}

fn created(seq: u64) -> crate::model::change::ChangeEffect {
    let (recipient, platform) = ("g".to_owned(), Some("qq".to_owned()));
    let draft = Draft::new(MessageType::Text, "x".into(), recipient, platform).unwrap();
    crate::model::change::ChangeEffect::Created(draft.into_message(seq, uuid::Uuid::nil(), 0))
}

/// A commit of another epoch than that of the store.
fn commit_elsewhere(offset: u64, seq: u64) -> Arc<crate::model::change::Committed> {
    let change = crate::model::change::Change { offset, effect: created(seq) };
    let epoch = crate::model::cursor::Epoch::new(2);
    Arc::new(crate::model::change::Committed { epoch, changes: vec![change] })
}

#[tokio::test]
async fn sessions_of_a_store_that_has_lost_what_they_were_sent_load_afresh() {
    let running = Running::start();
    running.make(3).await;
    let store = &running.store;
    let head = store.view().unwrap().position();
    // The hub has sent more than the store has that is there now.
    running.hub.committed(commit_elsewhere(head.cursor.offset + 10, head.seq + 10));
    running.hub.caught_up(head.seq + 10).await;
    let mut with_cursors = running.hub.subscriber(FrameForm::Messages);
    with_cursors.subscribe(with_events(on("qq")), store).await.unwrap();
    let mut without = running.hub.subscriber(FrameForm::Messages);
    without.subscribe(on("qq"), store).await.unwrap();
    let mut not_subscribed = running.hub.subscriber(FrameForm::Messages);
    running.hub.opened(head);
    running.hub.caught_up(0).await;
    for session in [&mut with_cursors, &mut without] {
        assert_eq!(session.next(store).await.unwrap_err(), CursorGone);
        assert!(session.interest.topics.is_empty());
        session.subscribe(on("qq"), store).await.unwrap();
    }
    not_subscribed.subscribe(on("qq"), store).await.unwrap();
    running.make(1).await;
    for session in [&mut with_cursors, &mut without, &mut not_subscribed] {
        let told: Vec<_> = next(session, store).await.into_iter().map(|(seq, _)| seq).collect();
        assert_eq!(told, [4], "and they hear what comes");
    }
}

#[tokio::test]
async fn sessions_of_a_store_that_was_only_opened_again_go_on() {
    let running = Running::start();
    running.make(3).await;
    let store = &running.store;
    let mut session = running.hub.subscriber(FrameForm::Messages);
    session.subscribe(with_events(on("qq")), store).await.unwrap();
    running.hub.opened(store.view().unwrap().position());
    running.hub.caught_up(0).await;
    running.make(1).await;
    assert_eq!(next(&mut session, store).await, [(4, true)]);
}
