//! Commands that are carried out in one commit, and claims.

use super::attempts::{claim, end, set};
use super::*;
use crate::model::reaction::ReactionChange;

#[test]
fn what_a_batch_did_is_known_to_the_rest_of_it() {
    let (_folder, mut file) = new();
    let sending = made(&mut file, "hello");
    file.commit(
        vec![Command::Claim { seqs: vec![sending.seq], account: None, at: 1 }],
        Durability::Tables,
    )
    .unwrap();
    let again = Outcome::Retry { reason: "it is silent".into(), is_uncertain: true };
    let (platform, conversation) = ("qq".to_owned(), "group_9".to_owned());
    let mut elsewhere = received("first", false);
    elsewhere.conversation.clone_from(&conversation);
    let commands = vec![
        Command::RecordOutcome { seq: sending.seq, outcome: again, at: 1_700_000_000 },
        receive("hello", true),
        Command::Receive { received: Box::new(elsewhere), at: 3, can_wait: false },
        Command::Name { platform, conversation, name: "Nine".into() },
    ];
    file.commit(commands, Durability::Tables).unwrap();
    let view = file.view().unwrap();
    assert_eq!(view.by_id(sending.id).unwrap().unwrap().status, Status::Sent);
    assert_eq!(view.stats().total, 2, "the echo is no message of its own");
    let named = view.conversation("qq", "group_9").unwrap().unwrap();
    assert_eq!(named.name.as_deref(), Some("Nine"));
}

#[test]
fn a_batch_routes_by_what_came_earlier_in_it() {
    let (_folder, mut file) = new();
    let nameless = || {
        let draft = Draft::new(MessageType::Text, "x".into(), "group_1".into(), None).unwrap();
        Command::Create { draft, at: 1, idempotency: None, facts: RoutingFacts::default() }
    };
    let commands = vec![nameless(), receive("hello", false), nameless()];
    let answers = file.commit(commands, Durability::Tables).unwrap().answers;
    let platforms: Vec<_> = answers
        .into_iter()
        .map(|answer| match answer {
            Ok(Answer::Message(message)) => message.platform,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(platforms, [None, Some("qq".to_owned()), Some("qq".to_owned())]);
    let before = file.view().unwrap().cursor().offset;
    let see = Command::SeePlatform { platform: "qq".into(), kind: "onebot11".into() };
    file.commit(vec![nameless(), see.clone(), see], Durability::Tables).unwrap();
    assert_eq!(file.view().unwrap().cursor().offset, before + 2, "it is seen once");
}

#[test]
fn what_an_adapter_keeps_lies_with_its_messages_and_in_no_copy() {
    let (folder, mut file) = new();
    let kept = |value: u8| {
        let (adapter, key) = ("ilink".to_owned(), "cursor".to_owned());
        let state = AdapterState { adapter, key, value: Some(vec![value]) };
        Command::KeepState { state: Box::new(state) }
    };
    commit(&mut file, kept(1), Durability::Tables);
    let Answer::Together(answers) = commit(
        &mut file,
        Command::Together(vec![receive("a", false), receive("a", false), kept(2)]),
        Durability::Log,
    ) else {
        panic!()
    };
    assert!(matches!(
        answers[..],
        [Ok(Answer::Message(_)), Ok(Answer::Repeated(_)), Ok(Answer::Noted)]
    ));
    let file = writable(crashed(folder.path()).path());
    let view = file.view().unwrap();
    assert_eq!(view.adapter_state("ilink").unwrap(), [("cursor".to_owned(), vec![2])]);
    assert_eq!(view.adapter_state("ilin").unwrap(), []);
    let copied = TempDir::new().unwrap();
    view.copy_to(&copied.path().join("a.redb")).unwrap();
    let copy = writable(copied.path());
    assert_eq!(copy.view().unwrap().adapter_state("ilink").unwrap(), []);
    assert_eq!(copy.view().unwrap().stats().total, 1);
}

#[test]
fn a_message_of_a_batch_that_cannot_be_stored_is_quarantined_in_the_same_commit() {
    let (_folder, mut file) = new();
    commit(&mut file, receive("a", false), Durability::Tables);
    damage(&file, tables::CONVERSATIONS, &("qq", "group_1"));
    let state = AdapterState { adapter: "x".into(), key: "k".into(), value: Some(vec![7]) };
    let all = vec![receive("b", false), Command::KeepState { state: Box::new(state) }];
    let Answer::Together(answers) = commit(&mut file, Command::Together(all), Durability::Tables)
    else {
        panic!()
    };
    assert!(matches!(answers[..], [Err(StoreError::Damaged(_)), Ok(Answer::Noted)]), "{answers:?}");
    let view = file.view().unwrap();
    let aside = view.quarantined_after(0, 1, 1).unwrap().remove(0);
    assert_eq!(aside.event.content().unwrap().readable(), "b");
    assert_eq!(view.adapter_state("x").unwrap().len(), 1);
}

#[test]
fn every_kind_of_event_is_quarantined_with_its_reason() {
    let (_folder, mut file) = new();
    let Answer::Message(message) = commit(&mut file, receive("a", false), Durability::Tables)
    else {
        panic!()
    };
    damage(&file, tables::MESSAGES, &message.seq);
    let target = || MessageTarget::Id(message.id);
    let (emoji, user) = ("76".to_owned(), "2".to_owned());
    let change = ReactionChange::Set { emoji, user, mine: false, on: true };
    let events = vec![
        Command::Recall { target: target(), by: None, at: 5 },
        Command::Edit { target: target(), content: "b".into(), at: 5, is_repeated: true },
        Command::React { target: target(), change, at: 5 },
    ];
    let answer = commit(&mut file, Command::Together(events.clone()), Durability::Tables);
    let Answer::Together(answers) = answer else { panic!() };
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    let mut aside = Vec::new();
    file.view().unwrap().each_quarantined(|event| aside.push(event)).unwrap();
    assert!(aside.iter().all(|aside| aside.reason.contains("damaged")), "{aside:?}");
    let kept: Vec<_> = aside.into_iter().map(|aside| aside.event.into_command()).collect();
    assert_eq!(kept, events);
}

#[test]
fn a_message_that_comes_again_under_another_id_is_known_by_its_fingerprint() {
    let (_folder, mut file) = new();
    let told = |id: &str, account: &str, print: &str| {
        let received = Inbound {
            external_id: id.into(),
            account: account.into(),
            fingerprint: Some(print.into()),
            ..received("same text", false)
        };
        Command::Receive { received: Box::new(received), at: 1_700_000_001, can_wait: false }
    };
    let mut tell =
        |id, account, print| commit(&mut file, told(id, account, print), Durability::Log);
    assert!(matches!(tell("1", "a", "p"), Answer::Message(_)));
    assert!(matches!(tell("2", "a", "p"), Answer::Repeated(_)));
    assert!(matches!(tell("3", "b", "p"), Answer::Repeated(_)), "after another log-in");
    assert!(matches!(tell("4", "a", "q"), Answer::Message(_)));
}

#[test]
fn claims_are_told_by_their_owner() {
    let (folder, mut file) = new();
    let first = made(&mut file, "1");
    commit(
        &mut file,
        Command::Claim { seqs: vec![first.seq], account: None, at: 1 },
        Durability::Tables,
    );
    file.close().unwrap();
    let mut options = options(folder.path(), Access::Write);
    options.owner = "other".into();
    let mut file = open(&options).unwrap().into_writable().unwrap();
    let second = made(&mut file, "2");
    commit(
        &mut file,
        Command::Claim { seqs: vec![second.seq], account: None, at: 1 },
        Durability::Tables,
    );
    let view = file.view().unwrap();
    let of =
        |owner| view.claimed_by(owner).unwrap().map(|found| found.unwrap().seq).collect::<Vec<_>>();
    assert_eq!((of("main"), of("other"), of("third")), (vec![1], vec![2], vec![]));
    let again = Outcome::NotAttempted;
    commit(&mut file, Command::RecordOutcome { seq: 2, outcome: again, at: 2 }, Durability::Tables);
    assert_eq!(file.view().unwrap().by_seq(2).unwrap().unwrap().owner, None);
}

#[test]
fn a_sent_message_that_is_set_to_sending_by_hand_is_nobodys_claim() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "hello");
    claim(&mut file, message.seq, "1");
    let outcome =
        Outcome::Sent { account: None, external_id: Some("5".into()), is_unconfirmed: false };
    end(&mut file, message.seq, outcome);
    set(&mut file, &message, Status::Sending);
    let view = file.view().unwrap();
    assert_eq!(view.by_seq(message.seq).unwrap().unwrap().status, Status::Sending);
    assert_eq!(view.claimed_by("main").unwrap().count(), 0);
}

#[test]
fn a_notice_that_may_be_stored_already_is_kept_once() {
    use crate::model::notice::{Notice, NoticeKind};
    let (_folder, mut file) = new();
    let notice = |text: &str, is_repeated| {
        let notice = Notice {
            platform: "qq".into(),
            account: "1".into(),
            conversation: Some("group_1".into()),
            kind: NoticeKind::ALL[0],
            user: None,
            operator: None,
            text: text.into(),
            created_at: 5,
            request: None,
        };
        Command::Notice { notice: Box::new(notice), request: None, is_repeated }
    };
    let raw = |meaning| Command::StoreRawEvent {
        platform: "qq".into(),
        account: "1".into(),
        frame: "{}".into(),
        meaning: Some(Box::new(meaning)),
        at: 5,
        forget_before: 0,
    };
    let count = |file: &StoreFile| file.view().unwrap().journal(0, 100).unwrap().unwrap().len();
    commit(&mut file, raw(notice("a poke", false)), Durability::Log);
    commit(&mut file, create("between"), Durability::Log);
    let offset = file.view().unwrap().cursor().offset;
    commit(&mut file, notice("a poke", true), Durability::Log);
    commit(&mut file, raw(notice("a poke", true)), Durability::Log);
    assert_eq!(file.view().unwrap().cursor().offset, offset, "nor is what bots get");
    assert_eq!(count(&file), 2);
    commit(&mut file, notice("a poke", false), Durability::Log);
    commit(&mut file, notice("another", true), Durability::Log);
    assert_eq!(count(&file), 4, "a second one, and one that was not there");
}
