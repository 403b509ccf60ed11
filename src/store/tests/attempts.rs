//! Attempts to send a message and their ends, for the tests of several subjects.

use super::*;

/// When the messages of these tests were made, as [`create`] and [`receive`] have it.
pub(super) const AT: u64 = 1_700_000_000;

/// A message that an account's owner wrote, here or elsewhere, under this ID.
pub(super) fn own(file: &mut StoreFile, account: &str, id: &str, text: &str) -> Answer {
    let mut received = Inbound { account: account.into(), ..received(text, true) };
    received.external_id = id.into();
    let received = Box::new(received);
    commit(file, Command::Receive { received, at: AT, can_wait: false }, Durability::Tables)
}

pub(super) fn claim(file: &mut StoreFile, seq: u64, account: &str) {
    let command = Command::Claim { seqs: vec![seq], account: Some(account.into()), at: AT };
    commit(file, command, Durability::Tables);
}

pub(super) fn end(file: &mut StoreFile, seq: u64, outcome: Outcome) {
    commit(file, Command::RecordOutcome { seq, outcome, at: AT }, Durability::Tables);
}

pub(super) fn sent(account: &str, id: &str) -> Outcome {
    let (account, external_id) = (Some(account.into()), Some(id.into()));
    Outcome::Sent { account, external_id, is_unconfirmed: false }
}

pub(super) fn in_doubt() -> Outcome {
    Outcome::Retry { reason: "no answer".into(), is_uncertain: true }
}

/// Sets a status by hand.
pub(super) fn set(file: &mut StoreFile, message: &Message, status: Status) {
    commit(file, Command::SetStatus { id: message.id, status, at: AT }, Durability::Tables);
}

pub(super) fn status(file: &StoreFile, seq: u64) -> Status {
    file.view().unwrap().by_seq(seq).unwrap().unwrap().status
}
