//! Claims: of several messages, and of those whose status somebody sets.

use super::*;
use crate::model::attempts::AttemptState;
use crate::store::open::open_as_it_is;

const AT: u64 = 1_700_000_000;

fn claim(file: &mut StoreFile, message: &Message) {
    let command = Command::Claim { seqs: vec![message.seq], account: Some("1".into()), at: AT };
    commit(file, command, Durability::Tables);
}

fn set(file: &mut StoreFile, message: &Message, status: Status) {
    commit(file, Command::SetStatus { id: message.id, status, at: AT }, Durability::Tables);
}

/// The `seq` of each claim whose status somebody set.
fn overruled(file: &StoreFile) -> Vec<u64> {
    let view = file.view().unwrap();
    view.overruled_claims("main").unwrap().map(|found| found.unwrap().seq).collect()
}

#[test]
fn a_claim_whose_status_was_set_is_found_however_many_messages_came_since() {
    let (folder, mut file) = new();
    let set_to = [Status::Sent, Status::Failed, Status::Canceled, Status::Pending];
    let claims: Vec<_> = set_to.iter().map(|status| made(&mut file, status.as_str())).collect();
    for (message, status) in claims.iter().zip(set_to) {
        claim(&mut file, message);
        assert!(overruled(&file).iter().all(|seq| *seq != message.seq));
        set(&mut file, message, status);
    }
    let later = (0..1_500).map(|_| create("later")).collect();
    file.commit(later, Durability::Tables).unwrap();
    file.close().unwrap();
    let mut file = writable(folder.path());
    assert_eq!(overruled(&file), claims.iter().map(|claim| claim.seq).collect::<Vec<_>>());
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
    assert!(file.view().unwrap().overruled_claims("other").unwrap().next().is_none());
    let reason = "the process was killed".to_owned();
    for message in &claims[1..] {
        let outcome = Outcome::Retry { reason: reason.clone(), is_uncertain: true };
        let command = Command::RecordOutcome { seq: message.seq, outcome, at: AT };
        commit(&mut file, command, Durability::Tables);
    }
    assert_eq!(overruled(&file), [claims[0].seq]);
    commit(&mut file, Command::Delete { id: claims[0].id }, Durability::Tables);
    assert!(overruled(&file).is_empty());
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn a_message_that_somebody_set_to_sending_has_no_attempt() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "hello");
    set(&mut file, &message, Status::Sending);
    let now = file.view().unwrap().by_seq(message.seq).unwrap().unwrap();
    assert_eq!((now.status, AttemptState::of(&now)), (Status::Sending, AttemptState::Settled));
    assert!(file.view().unwrap().claimed_by("main").unwrap().next().is_none());
    // A message of the owner meanwhile is not its echo, and waits for nothing.
    let received = Box::new(Inbound { account: "1".into(), ..received("hello", true) });
    let command = Command::Receive { received, at: AT, can_wait: true };
    let answer = commit(&mut file, command, Durability::Tables);
    assert!(matches!(&answer, Answer::Message(own) if own.seq != message.seq), "{answer:?}");
    // Nothing was tried, so this is the first attempt.
    set(&mut file, &message, Status::Pending);
    claim(&mut file, &message);
    let now = file.view().unwrap().by_seq(message.seq).unwrap().unwrap();
    assert_eq!((now.retry_count, AttemptState::of(&now)), (0, AttemptState::UnderWay));
}

#[test]
fn the_time_of_a_claim_stays_known_whatever_status_is_set_meanwhile() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "hello");
    let set_at = |file: &mut StoreFile, status, at| {
        let command = Command::SetStatus { id: message.id, status, at };
        commit(file, command, Durability::Tables);
    };
    let since = |file: &StoreFile| {
        file.view().unwrap().by_seq(message.seq).unwrap().unwrap().may_be_sent_since()
    };
    let claimed =
        Command::Claim { seqs: vec![message.seq], account: Some("1".into()), at: AT + 100 };
    commit(&mut file, claimed, Durability::Tables);
    for (status, at) in [(Status::Canceled, 200), (Status::Sending, 300), (Status::Pending, 400)] {
        set_at(&mut file, status, AT + at);
        assert_eq!(since(&file), AT + 100, "{status}");
    }
    let outcome = Outcome::Retry { reason: "no answer".into(), is_uncertain: true };
    let ended = Command::RecordOutcome { seq: message.seq, outcome, at: AT + 500 };
    commit(&mut file, ended, Durability::Tables);
    assert_eq!(since(&file), AT + 100);
    // Somebody sets it to `Sending` without an attempt: that is no claim.
    let other = made(&mut file, "other");
    commit(
        &mut file,
        Command::SetStatus { id: other.id, status: Status::Sending, at: AT + 900 },
        Durability::Tables,
    );
    let other = file.view().unwrap().by_seq(other.seq).unwrap().unwrap();
    assert_eq!(other.may_be_sent_since(), other.created_at);
}

#[test]
fn only_attempts_that_have_ended_leave_a_doubt() {
    let (_folder, mut file) = new();
    let message = made(&mut file, "hello");
    let doubtful_if = |file: &StoreFile, interrupted: Option<&str>| {
        file.view().unwrap().doubtful("qq", "1", "group_1", interrupted).unwrap()
    };
    let doubtful = |file: &StoreFile| doubtful_if(file, None);
    claim(&mut file, &message);
    assert!(doubtful(&file).is_empty(), "this process sends it");
    assert!(doubtful_if(&file, Some("other")).is_empty(), "another process may still send it");
    assert_eq!(doubtful_if(&file, Some("main")).len(), 1, "the process that sent it was killed");
    let outcome = Outcome::Retry { reason: "no answer".into(), is_uncertain: true };
    let ended = Command::RecordOutcome { seq: message.seq, outcome, at: AT };
    commit(&mut file, ended, Durability::Tables);
    assert_eq!(doubtful(&file).len(), 1);
    claim(&mut file, &message);
    assert_eq!(doubtful(&file).len(), 1, "the earlier attempt");
}

/// A store that a version wrote which listed no overruled claims, or none since this offset; and its message.
fn unlisted(listed: Option<u64>) -> (TempDir, u64) {
    let (folder, mut file) = new();
    let message = made(&mut file, "hello");
    claim(&mut file, &message);
    set(&mut file, &message, Status::Canceled);
    let txn = file.database.begin_write().unwrap();
    let mut meta = txn.open_table(tables::META).unwrap();
    match listed {
        None => drop(meta.remove(tables::OVERRULED_LISTED).unwrap()),
        Some(epoch) => {
            drop(meta.insert(tables::OVERRULED_LISTED, epoch.to_le_bytes().as_slice()).unwrap());
        }
    }
    drop(meta);
    let row = tables::PostingKey::OVERRULED.row(0);
    assert!(txn.open_table(tables::POSTINGS).unwrap().remove(row).unwrap().is_some());
    txn.commit().unwrap();
    assert_eq!(overruled(&file), [0; 0]);
    file.close().unwrap();
    (folder, message.seq)
}

#[test]
fn claims_that_were_overruled_before_they_were_listed_are_listed_at_the_next_opening() {
    for listed in [None, Some(0)] {
        let (folder, seq) = unlisted(listed);
        let opened = open(&options(folder.path(), Access::Read)).unwrap();
        assert_eq!(check::check(&opened.view().unwrap()).unwrap().findings, [""; 0]);
        drop(opened);
        assert_eq!(overruled(&writable(folder.path())), [seq]);
    }
}

#[test]
fn a_store_without_the_list_of_overruled_claims_is_read_without_being_written() {
    let (folder, seq) = unlisted(None);
    let options = options(folder.path(), Access::Read);
    let before = fs::read(&options.path).unwrap();
    let opened = open_as_it_is(&options).unwrap();
    let view = opened.view().unwrap();
    assert_eq!(check::check(&view).unwrap().findings, [""; 0]);
    assert_eq!(view.by_seq(seq).unwrap().unwrap().content.readable(), "hello");
    assert!(fs::read(&options.path).unwrap() == before, "the file is left as it is");
}

#[test]
fn nothing_is_claimed_if_the_first_message_has_gone() {
    let (_folder, mut file) = new();
    let first = made(&mut file, "plain");
    let (recipient, platform) = ("group_1".into(), "qq".into());
    let draft = Draft::of_bot("helper", "2".into(), "x".into(), recipient, platform, None).unwrap();
    let made = Command::Create { draft, at: AT, idempotency: None, facts: RoutingFacts::default() };
    commit(&mut file, made, Durability::Tables);
    commit(&mut file, Command::Delete { id: first.id }, Durability::Tables);
    let claim = Command::Claim { seqs: vec![1, 2], account: Some("1".into()), at: AT };
    assert_eq!(commit(&mut file, claim, Durability::Tables), Answer::Claimed(Vec::new()));
}

#[test]
fn one_claim_takes_messages_of_one_bot_alone() {
    let (_folder, mut file) = new();
    made(&mut file, "plain");
    for account in ["1", "2", "2"] {
        let (recipient, platform) = ("group_1".into(), "qq".into());
        let draft =
            Draft::of_bot("helper", account.into(), "x".into(), recipient, platform, None).unwrap();
        let facts = RoutingFacts::default();
        let made = Command::Create { draft, at: AT, idempotency: None, facts };
        commit(&mut file, made, Durability::Tables);
    }
    let mut claimed = |first: u64| {
        let seqs = (first..=4).collect();
        let command = Command::Claim { seqs, account: Some("1".into()), at: AT };
        let Answer::Claimed(claimed) = commit(&mut file, command, Durability::Tables) else {
            panic!("nothing is claimed")
        };
        claimed.iter().map(|message| message.seq).collect::<Vec<_>>()
    };
    assert_eq!((claimed(1), claimed(2), claimed(3)), (vec![1], vec![2], vec![3, 4]));
}
