//! The doubt about a message: when it began, and which accounts it is about.

use super::attempts::{AT, claim, end, in_doubt, own, sent, status};
use super::*;
use crate::model::message::Doubt;

/// The doubt about a message, as it is stored.
fn doubt(file: &StoreFile, seq: u64) -> Option<Doubt> {
    file.view().unwrap().by_seq(seq).unwrap().unwrap().doubt.map(|doubt| *doubt)
}

fn claim_at(file: &mut StoreFile, seq: u64, account: &str, at: u64) {
    let command = Command::Claim { seqs: vec![seq], account: Some(account.into()), at };
    commit(file, command, Durability::Tables);
}

fn end_at(file: &mut StoreFile, seq: u64, outcome: Outcome, at: u64) {
    commit(file, Command::RecordOutcome { seq, outcome, at }, Durability::Tables);
}

#[test]
fn a_doubt_begins_when_the_first_attempt_in_doubt_began() {
    let (_folder, mut file) = new();
    let seq = made(&mut file, "waits long").seq;
    let since = |file: &StoreFile| {
        let message = file.view().unwrap().by_seq(seq).unwrap().unwrap();
        message.may_be_sent_since()
    };
    let refused = || Outcome::Retry { reason: "busy".into(), is_uncertain: false };
    claim_at(&mut file, seq, "1", AT + 1_000);
    assert_eq!(since(&file), AT + 1_000, "the process may be killed now");
    end_at(&mut file, seq, refused(), AT + 1_001);
    assert_eq!(doubt(&file, seq), None);
    claim_at(&mut file, seq, "1", AT + 2_000);
    end_at(&mut file, seq, in_doubt(), AT + 2_050);
    assert_eq!(since(&file), AT + 2_000);
    claim_at(&mut file, seq, "1", AT + 3_000);
    end_at(&mut file, seq, refused(), AT + 3_001);
    assert_eq!(since(&file), AT + 2_000, "a later attempt ends no doubt");
    end_at(&mut file, seq, sent("1", "5"), AT + 3_002);
    assert_eq!(doubt(&file, seq), None);
}

#[test]
fn only_the_accounts_whose_attempts_are_in_doubt_prove_a_message() {
    let refused = || Outcome::Retry { reason: "busy".into(), is_uncertain: false };
    for (first, is_proof) in [(refused(), false), (in_doubt(), true)] {
        let (_folder, mut file) = new();
        let seq = made(&mut file, "hi").seq;
        claim(&mut file, seq, "1");
        end(&mut file, seq, first);
        claim(&mut file, seq, "2");
        end(&mut file, seq, in_doubt());
        let others = doubt(&file, seq).unwrap().other_accounts;
        assert_eq!(others, if is_proof { vec!["1".to_owned()] } else { vec![] });
        own(&mut file, "1", "5", "hi");
        assert_eq!(status(&file, seq) == Status::Sent, is_proof);
    }
}
