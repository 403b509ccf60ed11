//! The store against a plain model: whatever happens to both, they tell the same.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "store/both.rs"]
mod both;
#[path = "store/compare.rs"]
mod compare;
#[path = "store/model.rs"]
mod model;
#[path = "store/steps.rs"]
mod steps;

use both::Both;
use proptest::prelude::*;
use rechat::model::message::{Draft, Message, MessageType};
use rechat::model::routing::RoutingFacts;
use rechat::store::check::check;
use rechat::store::{Access, Answer, Command, MessageFilter, Page, Store, StoreOptions};
use std::sync::Arc;
use steps::steps;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_store_and_a_plain_model_agree(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let mut both = Both::new(&folder);
        for step in steps {
            both.step(&step);
        }
        both.agree();
    }
}

/// Pages and counts hold across the blocks of the index, and after holes were made in them.
#[test]
fn many_messages_page_alike_by_offset_and_by_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(
        Store::open(&StoreOptions::new(folder.path().join("s.redb"), Access::Write), Box::new(()))
            .unwrap(),
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let messages: Vec<Message> = runtime.block_on(async {
        let mut answers = Vec::new();
        for i in 0..10_000 {
            let draft =
                Draft::new(MessageType::Text, i.to_string(), format!("group_{}", i % 7), None)
                    .unwrap();
            answers.push(
                store
                    .submit(Command::Create {
                        draft,
                        at: 1,
                        idempotency: None,
                        facts: RoutingFacts::default(),
                    })
                    .await
                    .unwrap(),
            );
        }
        let mut made = Vec::new();
        for answer in answers {
            let Answer::Message(message) = answer.await.unwrap() else { panic!() };
            made.push(message);
        }
        for message in made.iter().step_by(3) {
            store.write(Command::Delete { id: message.id }).await.unwrap();
        }
        made
    });
    let left: Vec<_> =
        messages.iter().enumerate().filter(|(i, _)| i % 3 != 0).map(|(_, m)| m).rev().collect();
    let view = store.view().unwrap();
    for offset in [0, 1, 2_729, 2_731, 5_000, left.len() - 2, left.len(), 99_999] {
        let page = Page { offset: offset as u64, limit: 5, before: None };
        let found = view.list(&MessageFilter::default(), page).unwrap();
        let wanted: Vec<_> = left.iter().skip(offset).take(5).map(|&m| m.clone()).collect();
        assert_eq!(found, wanted, "offset {offset}");
    }
    let filter = MessageFilter { conversation: Some("group_3".into()), ..MessageFilter::default() };
    let before = left[1_000].seq;
    let found = view.list(&filter, Page { offset: 2, limit: 4, before: Some(before) }).unwrap();
    let wanted: Vec<_> = left
        .iter()
        .filter(|m| m.seq < before && m.recipient == "group_3")
        .skip(2)
        .take(4)
        .map(|&m| m.clone())
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(check(&view).unwrap().findings, Vec::<String>::new());
}
