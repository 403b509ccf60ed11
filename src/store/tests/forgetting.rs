//! Old rows that are removed.

use super::*;

#[test]
fn what_is_old_is_forgotten_and_no_more() {
    let (folder, mut file) = new();
    let mut options = options(folder.path(), Access::Write);
    let message = made(&mut file, "emptied");
    commit(&mut file, receive("seen", false), Durability::Tables);
    let cursor = file.view().unwrap().cursor();
    file.close().unwrap();
    options.journal_events = 3;
    let mut file = open(&options).unwrap().into_writable().unwrap();
    commit(&mut file, Command::Delete { id: message.id }, Durability::Tables);
    for n in 0..5 {
        let draft = Draft::new(MessageType::Text, n.to_string(), "group_2".into(), None).unwrap();
        let create =
            Command::Create { draft, at: 1, idempotency: None, facts: RoutingFacts::default() };
        commit(&mut file, create, Durability::Tables);
    }
    let is_known = |file: &mut StoreFile| {
        let answer = commit(file, receive("seen", false), Durability::Tables);
        matches!(answer, Answer::Repeated(_))
    };
    let trim = |file: &mut StoreFile, marks_before| {
        while commit(
            file,
            Command::Trim { marks_before, lapsed_keys: Vec::new(), at: crate::clock::now() },
            Durability::Tables,
        ) == Answer::Noted
        {}
    };
    trim(&mut file, 1_700_000_000);
    assert!(is_known(&mut file), "it is of that time, not before it");
    let view = file.view().unwrap();
    assert_eq!(view.offset_of(cursor).unwrap(), None, "events after it are not kept");
    assert!(view.is_too_old(cursor).unwrap() && !view.is_too_old(view.cursor()).unwrap());
    let foreign = crate::model::cursor::Epoch::new(7);
    let foreign = crate::model::cursor::Cursor { epoch: foreign, ..cursor };
    assert!(!view.is_too_old(foreign).unwrap(), "it is of another store");
    assert_eq!(view.journal(cursor.offset, 10).unwrap(), None);
    let all = view.journal(view.counters().kept_from, 10).unwrap().unwrap();
    assert_eq!(all.len(), 2, "the newest are kept");
    trim(&mut file, 1_700_000_001);
    assert!(!is_known(&mut file));
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn an_emptied_conversation_is_listed_no_more_and_forgotten_later() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "x");
    let all = ConversationQuery::default();
    assert_eq!(file.view().unwrap().conversations(&all).unwrap().len(), 1);
    commit(&mut file, Command::Delete { id: message.id }, Durability::Tables);
    let view = file.view().unwrap();
    assert_eq!(view.conversations(&all).unwrap(), []);
    assert_eq!(view.conversation("qq", "group_1").unwrap(), None);
    assert!(view.conversation_row("qq", "group_1").unwrap().is_some());
    commit(
        &mut file,
        Command::Trim { marks_before: 0, lapsed_keys: Vec::new(), at: crate::clock::now() },
        Durability::Tables,
    );
    assert_eq!(file.view().unwrap().conversation_row("qq", "group_1").unwrap(), None);
    made(&mut file, "again");
    assert_eq!(file.view().unwrap().conversations(&all).unwrap().len(), 1);
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn an_idempotency_key_is_forgotten_when_it_is_said_to_be_old_and_not_by_the_clock_of_a_command() {
    let (_folder, mut file) = new();
    let keyed = |at| {
        let draft = Draft::new(MessageType::Text, "keyed".into(), "group_2".into(), None).unwrap();
        let idempotency = Some(Idempotency::new("key", "body"));
        Command::Create { draft, at, idempotency, facts: RoutingFacts::default() }
    };
    let is_new = |answer| matches!(answer, Answer::Message(_));
    assert!(is_new(commit(&mut file, keyed(1_700_000_000), Durability::Tables)));
    // The clock is a year ahead, and back in 1970.
    assert!(!is_new(commit(&mut file, keyed(1_731_536_000), Durability::Tables)));
    assert!(!is_new(commit(&mut file, keyed(5), Durability::Tables)));
    let lapsed_keys = file.view().unwrap().idempotency_keys(9).unwrap();
    assert_eq!(lapsed_keys.len(), 1);
    let trim = Command::Trim { marks_before: 0, lapsed_keys, at: 6 };
    commit(&mut file, trim, Durability::Tables);
    assert!(is_new(commit(&mut file, keyed(7), Durability::Tables)));
    assert_eq!(file.view().unwrap().idempotency_keys(9).unwrap().len(), 1);
}
