//! Damaged rows.

use super::damaged_file::flip;
use super::*;
use crate::health::HEALTH;
use crate::model::change::Committed;
use std::sync::Arc;

/// A listener that panics at its second commit.
struct Stumbles(u32);

impl Listener for Stumbles {
    fn opened(&mut self, _: Head) {}

    fn committed(&mut self, _: Arc<Committed>) {
        self.0 += 1;
        assert_ne!(self.0, 2, "the second commit is too much");
    }
}

#[tokio::test]
async fn a_panic_of_the_writer_is_told_and_the_store_goes_on() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&options(folder.path(), Access::Write), Box::new(Stumbles(0))).unwrap();
    store.write(create("first")).await.unwrap();
    let Err(StoreError::InDoubt(text)) = store.write(create("second")).await else {
        panic!("its answer was lost")
    };
    assert!(text.contains("is unknown"), "{text}");
    store.write(create("third")).await.unwrap();
    assert_eq!(store.view().unwrap().stats().total, 3, "the second was on disk by then");
    assert!(HEALTH.reason().is_some_and(|reason| reason.contains("writer: it panicked")));
    HEALTH.recover("writer");
    store.close();
    assert_eq!(total(folder.path(), Access::Read), 3);
}

#[test]
fn a_damaged_record_refuses_only_what_meets_it() {
    let (_folder, mut file) = new();
    let damaged = made(&mut file, "to be damaged");
    let txn = file.database.begin_write().unwrap();
    txn.open_table(tables::MESSAGES).unwrap().insert(damaged.seq, &b"\xff"[..]).unwrap();
    txn.commit().unwrap();
    let claim = Command::Claim { seqs: vec![damaged.seq], account: None, at: 1 };
    let delete = Command::Delete { id: damaged.id };
    let answers = file.commit(vec![claim, create("x"), delete], Durability::Log).unwrap().answers;
    let is_done: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(is_done, [false, true, false]);
    assert_eq!(file.view().unwrap().stats().total, 2);
}

#[test]
fn a_claim_leaves_out_what_is_damaged_and_ends_before_what_may_have_gone_out() {
    let (_folder, mut file) = new();
    let seqs: Vec<_> = (0..5).map(|_| made(&mut file, "x").seq).collect();
    let claim = |seqs: &[u64]| Command::Claim { seqs: seqs.to_vec(), account: None, at: 1 };
    let outcome = Outcome::Retry { reason: "no answer".into(), is_uncertain: true };
    let retry = Command::RecordOutcome { seq: seqs[3], outcome, at: 2 };
    file.commit(vec![claim(&seqs[3..4]), retry], Durability::Tables).unwrap();
    let txn = file.database.begin_write().unwrap();
    txn.open_table(tables::MESSAGES).unwrap().insert(seqs[1], &b"\xff"[..]).unwrap();
    txn.commit().unwrap();
    let claims = vec![claim(&seqs), claim(&seqs[3..])];
    let answers = file.commit(claims, Durability::Log).unwrap().answers;
    let claimed: Vec<Vec<_>> = answers
        .into_iter()
        .map(|answer| match answer {
            Ok(Answer::Claimed(claimed)) => claimed.iter().map(|message| message.seq).collect(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(claimed, [vec![seqs[0], seqs[2]], vec![seqs[3], seqs[4]]]);
}

#[test]
fn what_could_not_be_recorded_as_sent_is_not_claimed() {
    for end in [Status::Sent, Status::Failed] {
        let (_folder, mut file) = new();
        let message = made(&mut file, "x");
        let other = made(&mut file, "y");
        let ended = Command::SetStatus { id: other.id, status: end, at: 1 };
        commit(&mut file, ended, Durability::Tables);
        let state = tables::PostingKey::of_state(crate::model::message::Direction::Outbound, end);
        damage(&file, tables::POSTINGS, &state.row(0));
        let claim = Command::Claim { seqs: vec![message.seq], account: None, at: 2 };
        let answers = file.commit(vec![claim], Durability::Log).unwrap().answers;
        assert!(matches!(answers[0], Err(StoreError::Damaged(_))), "{end:?}: {answers:?}");
        let now = file.view().unwrap().by_seq(message.seq).unwrap().unwrap();
        assert_eq!(now.status, Status::Pending);
    }
}

#[test]
fn a_damaged_row_of_an_index_or_a_conversation_stops_only_what_meets_it() {
    let elsewhere = |text: &str| {
        let draft = Draft::new(MessageType::Text, text.into(), "group_9".into(), Some("tg".into()));
        Command::Create {
            draft: draft.unwrap(),
            at: 1,
            idempotency: None,
            facts: RoutingFacts::default(),
        }
    };
    for is_index in [true, false] {
        let (_folder, mut file) = new();
        made(&mut file, "here");
        commit(&mut file, elsewhere("there"), Durability::Tables);
        let row = file.view().unwrap().conversation_row("qq", "group_1").unwrap().unwrap();
        if is_index {
            damage(&file, tables::POSTINGS, &row.term.row(0));
        } else {
            damage(&file, tables::CONVERSATIONS, &("qq", "group_1"));
        }
        let commands = vec![create("refused"), elsewhere("taken"), receive("refused", false)];
        let answers = file.commit(commands, Durability::Tables).unwrap().answers;
        let is_done: Vec<_> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(is_done, [false, true, false]);
        let named = if is_index { "index row" } else { "qq/group_1" };
        let error = answers[0].clone().unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
        let findings = check::check(&file.view().unwrap()).unwrap().findings;
        assert!(findings.iter().any(|finding| finding.contains(named)), "{findings:?}");
        assert_eq!(file.view().unwrap().stats().total, 3, "nothing of what was refused is there");
    }
}

#[test]
fn counters_that_are_damaged_are_counted_again() {
    let (folder, mut file) = new();
    do_everything(&mut file);
    let last = made(&mut file, "last");
    commit(&mut file, Command::Delete { id: last.id }, Durability::Tables);
    let (stats, cursor) = (file.view().unwrap().stats(), file.view().unwrap().cursor());
    damage(&file, tables::META, &"counters");
    file.close().unwrap();
    assert_eq!(total(folder.path(), Access::Read), stats.total, "for readers, too");
    let mut file = writable(folder.path());
    let view = file.view().unwrap();
    assert_eq!((view.stats(), view.cursor()), (stats, cursor));
    assert_eq!(made(&mut file, "goes on").seq, last.seq + 1, "nothing is given twice");
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn what_the_log_holds_follows_counters_that_were_counted_again() {
    let (folder, mut file) = new();
    made(&mut file, "in the tables");
    file.close().unwrap();
    let tables = fs::read(folder.path().join("a.redb")).unwrap();
    let mut file = writable(folder.path());
    commit(&mut file, create("in the log"), Durability::Log);
    let log = fs::read(log_in(folder.path())).unwrap();
    drop(file);
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.redb"), tables).unwrap();
    let file = writable(folder.path());
    damage(&file, tables::META, &"counters");
    file.close().unwrap();
    fs::write(log_in(folder.path()), log).unwrap();
    let file = writable(folder.path());
    assert_eq!(file.view().unwrap().stats().total, 2);
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn a_damaged_list_of_platforms_counts_as_none_and_is_made_anew() {
    let (_folder, mut file) = new();
    let see = || Command::SeePlatform { platform: "qq".into(), kind: "onebot11".into() };
    commit(&mut file, see(), Durability::Tables);
    damage(&file, tables::META, &tables::SEEN_PLATFORMS);
    let findings = check::check(&file.view().unwrap()).unwrap().findings;
    assert!(findings.iter().any(|text| text.contains("platforms that were")), "{findings:?}");
    let draft = Draft::new(MessageType::Text, "x".into(), "group_1".into(), None).unwrap();
    let create =
        Command::Create { draft, at: 1, idempotency: None, facts: RoutingFacts::default() };
    assert!(matches!(commit(&mut file, create, Durability::Tables), Answer::Message(_)));
    commit(&mut file, see(), Durability::Tables);
    let seen =
        tables::seen_platforms_row(file.view().unwrap().meta_table().unwrap()).unwrap().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(check::check(&file.view().unwrap()).unwrap().findings, [""; 0]);
}

#[test]
fn a_damaged_event_that_was_quarantined_hides_no_other() {
    let (_folder, mut file) = new();
    for text in ["a", "b", "c"] {
        commit(&mut file, quarantine(text), Durability::Tables);
    }
    let all = file.view().unwrap().quarantined_after(0, 10, usize::MAX).unwrap();
    assert_eq!(all.len(), 3);
    damage(&file, tables::QUARANTINE, &all[1].offset);
    let view = file.view().unwrap();
    let mut left = Vec::new();
    view.each_quarantined(|aside| left.push(aside.offset)).unwrap();
    assert_eq!(left, [all[0].offset, all[2].offset]);
    // In pieces of one.
    assert_eq!(view.quarantined_after(all[0].offset, 1, 1).unwrap(), all[2..]);
    let report = check::check(&view).unwrap();
    assert_eq!((report.quarantined.len(), report.all_quarantined), (2, 3));
    assert!(report.findings[0].contains("quarantined at"), "{:?}", report.findings);
}

#[test]
fn a_check_says_how_many_findings_there_are_beyond_those_it_tells() {
    let (_folder, mut file) = new();
    for n in 0..103 {
        let message = made(&mut file, &n.to_string());
        damage(&file, tables::MESSAGES, &message.seq);
    }
    let report = check::check(&file.view().unwrap()).unwrap();
    assert_eq!(report.findings.len(), 100);
    assert!(report.more >= 3, "{}", report.more);
}

#[test]
fn lists_and_lanes_pass_over_a_damaged_message() {
    let (folder, mut file) = new();
    let damaged = made(&mut file, "1");
    made(&mut file, "2");
    damage(&file, tables::MESSAGES, &damaged.seq);
    let view = file.view().unwrap();
    let page = Page { offset: 0, limit: 10, before: None };
    let filter = MessageFilter { platform: Some("qq".into()), ..MessageFilter::default() };
    for filter in [filter, MessageFilter::default()] {
        assert_eq!(view.list(&filter, page).unwrap().len(), 1);
    }
    assert_eq!(view.pending(Some("qq"), "group_1", 10).unwrap().len(), 1);
    assert_eq!(view.outbound(Status::Pending).unwrap().count(), 1);
    let copy = view.copy_to(&folder.path().join("copy.redb"));
    assert!(copy.is_err_and(|error| error.to_string().contains("message 1 is damaged")));
}

#[test]
fn a_damaged_mark_refuses_only_the_message_that_meets_it() {
    let (_folder, mut file) = new();
    commit(&mut file, receive("first", false), Durability::Tables);
    flip(&file, tables::SEEN);
    let both = vec![receive("first", false), receive("second", false)];
    let answers = file.commit(both, Durability::Tables).unwrap().answers;
    let is_done: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(is_done, [false, true]);
}
