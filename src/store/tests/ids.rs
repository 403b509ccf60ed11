//! IDs and the places that they carry, in copies and imports.

use super::*;
use crate::protocol::http::TransferRecord;

#[test]
fn messages_come_back_to_their_own_places_by_an_import() {
    let (folder, mut file) = new();
    let mut all = vec![made(&mut file, "0")];
    let older = crashed(folder.path());
    all.extend((1..6).map(|n| made(&mut file, &n.to_string())));
    // Some were deleted, and one is told out of turn.
    let exported = vec![all[4].clone(), all[2].clone(), all[5].clone()];
    let mut file = writable(older.path());
    let answers = |file: &mut StoreFile| {
        let messages = exported.clone();
        file.commit(vec![Command::Import { messages }], Durability::Tables).unwrap().answers
    };
    assert_eq!(answers(&mut file), [Ok(Answer::Imported { new: 3, known: 0 })]);
    assert_eq!(answers(&mut file), [Ok(Answer::Imported { new: 0, known: 3 })]);
    let view = file.view().unwrap();
    for message in exported {
        assert_eq!(view.by_id(message.id).unwrap().as_ref(), Some(&message));
    }
    assert!(check::check(&view).unwrap().findings.is_empty());
    assert_eq!(made(&mut file, "next").seq, 7);
}

#[test]
fn a_place_that_is_taken_is_no_ones_else() {
    let (_folder, mut file) = new();
    let own = made(&mut file, "ours");
    file.commit(vec![Command::Delete { id: own.id }], Durability::Tables).unwrap();
    let next = made(&mut file, "next");
    let mut foreign = next.clone();
    foreign.id = uuid::Uuid::from_u128(7);
    let (_folder, mut other) = new_like(&file);
    // The other one has something else where ours would go.
    let import = |messages| vec![Command::Import { messages }];
    other.commit(import(vec![foreign.clone()]), Durability::Tables).unwrap();
    other.commit(import(vec![own.clone()]), Durability::Tables).unwrap();
    let view = other.view().unwrap();
    for message in [own, foreign] {
        let found = view.by_id(message.id).unwrap().unwrap();
        assert_eq!((found.id, found.content), (message.id, message.content.clone()));
        assert_eq!(view.seq_of(message.id).unwrap(), Some(found.seq));
    }
}

#[test]
fn what_a_copy_and_its_original_made_apart_is_all_kept() {
    let (folder, mut original) = new();
    made(&mut original, "in both");
    let copy = crashed(folder.path());
    let ours = made(&mut original, "ours");
    let mut copy = writable(copy.path());
    let theirs = made(&mut copy, "theirs");
    assert_eq!(ours.seq, theirs.seq, "they have the same place");
    assert_ne!(ours.id, theirs.id, "and are told apart");
    for (new, known) in [(1, 0), (0, 1)] {
        let import = Command::Import { messages: vec![theirs.clone()] };
        let answers = original.commit(vec![import], Durability::Tables).unwrap().answers;
        assert_eq!(answers, [Ok(Answer::Imported { new, known })]);
    }
    let page = Page { offset: 0, limit: 10, before: None };
    let all = original.view().unwrap().list(&MessageFilter::default(), page).unwrap();
    let texts: Vec<_> = all.iter().map(|message| message.content.readable()).collect();
    assert_eq!(texts, ["theirs", "ours", "in both"]);
}

#[test]
fn the_id_of_a_deleted_message_is_known_only_where_it_was_given() {
    let (folder, mut file) = new();
    made(&mut file, "0");
    let copy = crashed(folder.path());
    let mut copy = writable(copy.path());
    for file in [&mut file, &mut copy] {
        let message = made(file, "deleted");
        commit(file, Command::Delete { id: message.id }, Durability::Tables);
        assert_eq!(file.view().unwrap().seq_of(message.id).unwrap(), Some(message.seq));
    }
    let theirs = made(&mut copy, "theirs");
    made(&mut file, "ours");
    assert_eq!(file.view().unwrap().seq_of(theirs.id).unwrap(), None);
}

/// Imports messages; gives how many were new.
fn imported(file: &mut StoreFile, messages: Vec<Message>) -> u64 {
    match commit(file, Command::Import { messages }, Durability::Tables) {
        Answer::Imported { new, .. } => new,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_that_changed_since_it_was_exported_is_known() {
    let (_folder, mut file) = new();
    let exported = made(&mut file, "as it was");
    let (id, content) = (exported.id, Content::text("edited"));
    commit(&mut file, Command::EditWaiting { id, content, at: 9 }, Durability::Tables);
    let routed =
        Command::Receive { received: Box::new(received("in", false)), at: 9, can_wait: false };
    let Answer::Message(inbound) = commit(&mut file, routed, Durability::Tables) else { panic!() };
    commit(&mut file, recall("in"), Durability::Tables);
    assert_eq!(imported(&mut file, vec![exported, inbound]), 0);
    assert_eq!(file.view().unwrap().stats().total, 2);
}

#[test]
fn a_message_without_a_platform_that_was_routed_since_is_not_sent_again() {
    let (_folder, mut file) = new();
    let draft = Draft::new(MessageType::Text, "out".into(), "123".into(), None).unwrap();
    let facts = RoutingFacts::default();
    let create = Command::Create { draft, at: 5, idempotency: None, facts };
    let Answer::Message(exported) = commit(&mut file, create, Durability::Tables) else { panic!() };
    let facts = RoutingFacts { default_platform: Some("qq".into()), ..RoutingFacts::default() };
    let route = Command::Route { messages: vec![(exported.seq, facts)], at: 6 };
    commit(&mut file, route, Durability::Tables);
    assert_eq!(imported(&mut file, vec![exported]), 0);
    assert_eq!(file.view().unwrap().stats().pending, 1);
}

#[test]
fn the_place_of_a_deleted_message_goes_to_no_message_of_a_copy() {
    let (folder, mut original) = new();
    made(&mut original, "in both");
    let copy = crashed(folder.path());
    let ours = made(&mut original, "ours");
    let theirs = made(&mut writable(copy.path()), "theirs");
    assert_eq!(ours.seq, theirs.seq, "they have the same place");
    commit(&mut original, Command::Delete { id: ours.id }, Durability::Tables);
    assert_eq!(imported(&mut original, vec![theirs.clone(), ours.clone()]), 2);
    let view = original.view().unwrap();
    let place = |message: &Message| view.by_id(message.id).unwrap().unwrap().seq;
    assert_eq!((place(&ours), place(&theirs)), (ours.seq, ours.seq + 1));
    assert!(check::check(&view).unwrap().findings.is_empty());
}

#[test]
fn a_message_that_may_have_been_sent_is_imported_as_such() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "out");
    commit(
        &mut file,
        Command::Claim { seqs: vec![message.seq], account: None, at: 7 },
        Durability::Tables,
    );
    let outcome = Outcome::Retry { reason: "silent".into(), is_uncertain: true };
    let record = Command::RecordOutcome { seq: message.seq, outcome, at: 8 };
    commit(&mut file, record, Durability::Tables);
    let message = file.view().unwrap().by_id(message.id).unwrap().unwrap();
    assert!(message.is_uncertain);
    let line = serde_json::to_string(&TransferRecord::from(message)).unwrap();
    let record: TransferRecord = serde_json::from_str(&line).unwrap();
    let (_folder, mut other) = new();
    let message = record.into_message().unwrap();
    let id = message.id;
    assert_eq!(imported(&mut other, vec![message]), 1);
    assert!(other.view().unwrap().by_id(id).unwrap().unwrap().is_uncertain);
}

#[test]
fn a_recalled_message_without_content_is_imported() {
    let (_folder, mut file) = new();
    file.context.hides_recalled = true;
    commit(&mut file, receive("hidden", false), Durability::Tables);
    commit(&mut file, recall("hidden"), Durability::Tables);
    let hidden = file.view().unwrap().by_seq(1).unwrap().unwrap();
    assert!(hidden.content.is_empty());
    let line = serde_json::to_string(&TransferRecord::from(hidden.clone())).unwrap();
    let record: TransferRecord = serde_json::from_str(&line).unwrap();
    let (_folder, mut other) = new();
    assert_eq!(imported(&mut other, vec![record.into_message().unwrap()]), 1);
    let there = other.view().unwrap().by_id(hidden.id).unwrap().unwrap();
    assert!(there.content.is_empty() && there.recall.is_some());
}
