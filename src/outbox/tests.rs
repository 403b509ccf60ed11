//! The outbox beside a real store.

use super::*;
use crate::model::change::Committed;
use crate::model::message::{Draft, MessageType};
use crate::model::routing::RoutingFacts;
use crate::store::Command;
use crate::store::{Access, Head, Listener, StoreOptions};
use std::time::Duration;
use tempfile::TempDir;

struct CommitForwarder(CommitObserver);

impl Listener for CommitForwarder {
    fn opened(&mut self, _head: Head) {
        self.0.opened();
    }

    fn committed(&mut self, batch: Arc<Committed>) {
        self.0.committed(&batch.changes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_are_given_up_at_once_the_writer_goes_on() {
    const MANY: u64 = 10_000;
    let folder = TempDir::new().unwrap();
    let (observer, outbox) = new();
    let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
    let store = Arc::new(Store::open(&options, Box::new(CommitForwarder(observer))).unwrap());
    let mut written = Vec::new();
    for n in 0..MANY {
        let recipient = format!("group_{n}");
        let draft = Draft::new(MessageType::Text, "x".into(), recipient, Some("qq".into()));
        let command = Command::Create {
            draft: draft.unwrap(),
            at: 1,
            idempotency: None,
            facts: RoutingFacts::default(),
        };
        written.push(store.submit(command).await.unwrap());
    }
    for written in written {
        written.await.unwrap();
    }
    let stop = CancellationToken::new();
    let pause = Duration::from_millis(1);
    let policy = RetryPolicy {
        retries: 1,
        first_pause: pause,
        longest_pause: pause,
        time_to_live: Duration::ZERO,
    };
    let clock = Arc::new(Clock::start());
    let outcomes = outbox.outcomes.clone();
    assert!(!outcomes.are_claims_own(), "each claim is of a killed process");
    let work = outbox.run(store.clone(), Registry::new(), policy, None, clock, stop.clone());
    let work = tokio::spawn(work);
    let all_failed = async {
        while store.view().unwrap().stats().failed < MANY {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), all_failed).await.expect("all are given up");
    assert!(outcomes.are_claims_own());
    stop.cancel();
    work.await.unwrap();
    assert!(!outcomes.are_claims_own(), "another node may claim from now on");
}
