//! Tests of the index with its store.

mod files;
mod fixture;
mod model;

use super::read_limit::ReadLimit;
use super::{Conditions, Index, Search};
use crate::model::message::{Draft, MessageType};
use crate::model::routing::RoutingFacts;
use crate::store::{Access, Answer, Command, MessageFilter, Page, StoreOptions};
use fixture::{Both, indexer};
use model::Step;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[test]
fn a_hit_is_where_the_text_stands_together() {
    let home = tempfile::tempdir().unwrap();
    let mut both = Both::new(&home);
    for text in ["南京市长江大桥", "江大,大桥,长江", "长 江大桥", "abcab", "abab cabca"]
    {
        both.create(text, "group_1", MessageType::Text);
    }
    for _ in 0..2 {
        assert_eq!(both.found("长江大桥"), ["南京市长江大桥"]);
        assert_eq!(both.found("abcab"), ["abcab"]);
        both.catch_up();
        both.index.seal_live(true).unwrap();
    }
}

#[test]
fn the_messages_of_a_sender_are_found_among_any_number_of_others() {
    let home = tempfile::tempdir().unwrap();
    let mut both = Both::new(&home);
    both.receive("common".into(), "Rare".into());
    for i in 0..40 {
        both.create(&format!("common {i}"), "group_1", MessageType::Text);
    }
    both.catch_up();
    both.index.seal_live(true).unwrap();
    both.index.save().unwrap();
    let view = both.store.view().unwrap();
    let find = |limit, conditions: Conditions| {
        let mut index = Index::open(both.folder.clone(), &view);
        index.limit = limit;
        let search = Search::of(conditions).unwrap();
        let page = Page { offset: 0, limit: 5, before: None };
        let found = index.search(&both.store, &MessageFilter::default(), &search, page).unwrap();
        (found.messages.len(), found.searched_to.is_some())
    };
    for sender in ["Rare", "7"] {
        for text in [None, Some("common".to_owned())] {
            let sender = Some(sender.to_owned());
            let conditions = Conditions { text, sender, ..Conditions::default() };
            let limit = ReadLimit { messages: 5, time: Duration::ZERO };
            assert_eq!(find(limit, conditions), (1, false));
        }
    }
    // The index has no times, so messages are read as long as the time allows.
    let early = || Conditions { until: Some(1002), ..Conditions::default() };
    let none = ReadLimit { messages: 0, time: Duration::ZERO };
    assert_eq!(find(none, early()), (0, true));
    assert_eq!(find(ReadLimit { time: Duration::from_mins(10), ..none }, early()), (1, false));
}

#[test]
fn an_index_of_another_life_of_the_store_is_not_believed() {
    let home = tempfile::tempdir().unwrap();
    let db = home.path().join("store.redb");
    let copy = home.path().join("copy.redb");
    let mut both = Both::new(&home);
    both.create("before", "group_1", MessageType::Text);
    both.store.view().unwrap().copy_to(&copy).unwrap();
    both.create("it was so", "group_1", MessageType::Text);
    both.catch_up();
    both.index.seal_live(true).unwrap();
    both.index.save().unwrap();
    drop(both);
    // The copy is restored, and the same `seq` is given to another message.
    std::fs::rename(&copy, &db).unwrap();
    let mut both = Both::new(&home);
    both.create("it is not", "group_1", MessageType::Text);
    (both.index, both.indexer) = indexer(&both.store, &both.folder);
    both.catch_up();
    assert_eq!(both.found("not"), ["it is not"]);
    assert_eq!(both.found("so"), [""; 0]);
    assert_eq!(both.check().findings, [""; 0]);
}

#[test]
fn what_was_acknowledged_is_found_at_once_while_the_index_follows() {
    let home = tempfile::tempdir().unwrap();
    let Both { runtime, store, folder, .. } = Both::new(&home);
    let index = Arc::new(Index::new(folder));
    let stop = CancellationToken::new();
    let indexing = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let following = indexing.spawn(super::run(index.clone(), store.clone(), stop.clone()));
    let page = Page { offset: 0, limit: 3, before: None };
    for i in 0..300 {
        let (text, conversation) = (format!("number {i}."), "group_1".to_owned());
        let draft = Draft::new(MessageType::Text, text.clone(), conversation, None).unwrap();
        let command =
            Command::Create { draft, at: 1000, idempotency: None, facts: RoutingFacts::default() };
        let Answer::Message(message) = runtime.block_on(store.write(command)).unwrap() else {
            panic!("it was not made")
        };
        if i % 50 == 49 {
            runtime.block_on(store.write(Command::Delete { id: message.id })).unwrap();
        }
        let search = Search::new(Some(&text.to_uppercase()), None).unwrap();
        let found =
            index.search(&store, &MessageFilter::default(), &search, page).unwrap().messages;
        assert_eq!(found, if i % 50 == 49 { vec![] } else { vec![message] });
    }
    stop.cancel();
    runtime.block_on(following).unwrap();
}

#[test]
fn what_the_log_does_not_have_any_more_is_found_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let mut options = StoreOptions::new(home.path().join("store.redb"), Access::Write);
    options.journal_events = 1;
    let mut both = Both::opened(&options);
    both.create("before", "group_1", MessageType::Text);
    both.catch_up();
    both.index.seal_live(true).unwrap();
    // The log drops the event before the indexer reads it.
    both.step(Step::Delete { position: 0 });
    both.step(Step::Return { text: "after".into() });
    both.create("later", "group_1", MessageType::Text);
    both.create("last", "group_1", MessageType::Text);
    while both.write(Command::Trim {
        marks_before: 0,
        lapsed_keys: Vec::new(),
        at: crate::clock::now(),
    }) == Answer::Noted
    {}
    let view = both.store.view().unwrap();
    assert_eq!(view.journal(both.index.offset(), 10).unwrap(), None);
    assert_eq!(both.found("after"), ["after"]);
    both.catch_up();
    assert_eq!(both.found("after"), ["after"]);
    assert_eq!(both.index.missing(&both.store.view().unwrap()), Ok(0));
}
