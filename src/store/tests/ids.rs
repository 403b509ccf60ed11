//! IDs and the places that they carry, in copies and imports.

use super::*;

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
