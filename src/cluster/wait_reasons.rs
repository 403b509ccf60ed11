//! Reasons why messages wait, at a node that does not lead. The leader knows them, because adapters are
//! connected to it. They are kept for a short time, so that lists need not ask the leader each time.

use super::requests::LeaderRequests;
use crate::model::wait_reason::WaitReason;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the leader may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Messages that are asked for at one time.
pub const MAX_ASKED_REASONS: usize = 1024;

/// How long a reason is kept, unless the state of an adapter changes before.
const REASON_LIFETIME: Duration = Duration::from_secs(1);

/// Reasons that are kept at one time, each of a few hundred bytes at most.
const MAX_KEPT: usize = 4096;

/// The reason at a node that cannot ask for another one.
const NO_LEADER: &str =
    "no node leads the cluster that this node can reach; it is sent once one does";

/// Asks the leader why messages wait.
#[derive(Clone, Debug)]
pub struct WaitReasons {
    leader: LeaderRequests,
    kept: Arc<Mutex<KeptReasons>>,
}

/// The reasons that the leader told lately, by the message's `seq`.
#[derive(Debug, Default)]
struct KeptReasons {
    reasons: HashMap<u64, (Instant, WaitReason)>,
    /// The number of times that all reasons were removed. An answer to a request from before the last time
    /// is not kept.
    forgotten: u64,
}

impl WaitReasons {
    pub(super) fn new(leader: LeaderRequests) -> Self {
        Self { leader, kept: Arc::default() }
    }

    /// The leader's requests for reasons.
    pub fn requests(&self) -> LeaderRequests {
        self.leader.clone()
    }

    /// The reasons of messages that wait, by their `seq`, at most a second old.
    pub async fn of(&self, seqs: &[u64]) -> Vec<Option<WaitReason>> {
        let (mut reasons, forgotten) = self.kept().find(seqs);
        let unknown: Vec<usize> = (0..seqs.len()).filter(|&at| reasons[at].is_none()).collect();
        for places in unknown.chunks(MAX_ASKED_REASONS) {
            let asked: Vec<u64> = places.iter().map(|&at| seqs[at]).collect();
            let told = self.ask(&asked).await;
            if let Some(told) = &told {
                self.kept().keep(forgotten, &asked, told);
            }
            let told = told.unwrap_or_else(|| vec![Some(NO_LEADER.into()); places.len()]);
            for (&at, reason) in places.iter().zip(told) {
                reasons[at] = reason;
            }
        }
        reasons
    }

    /// Removes all reasons, because they may have changed.
    pub fn forget(&self) {
        let mut kept = self.kept();
        kept.reasons.clear();
        kept.forgotten += 1;
    }

    async fn ask(&self, seqs: &[u64]) -> Option<Vec<Option<WaitReason>>> {
        if !self.leader.is_connected() {
            return None;
        }
        // Numbers always serialise.
        let asked = serde_json::to_vec(seqs).unwrap_or_default();
        let answer = self.leader.ask(asked.into(), ANSWER_TIMEOUT).await.ok()?;
        let texts: Vec<Option<String>> = serde_json::from_slice(&answer).ok()?;
        Some(texts.into_iter().map(|text| text.map(WaitReason::from)).collect())
    }

    fn kept(&self) -> MutexGuard<'_, KeptReasons> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptReasons {
    /// The reasons that are kept, and the number of times that all were removed.
    fn find(&self, seqs: &[u64]) -> (Vec<Option<WaitReason>>, u64) {
        let kept =
            |seq| self.reasons.get(seq).filter(|(told_at, _)| told_at.elapsed() < REASON_LIFETIME);
        let found = seqs.iter().map(|seq| kept(seq).map(|(_, reason)| reason.clone())).collect();
        (found, self.forgotten)
    }

    /// Keeps the answer to a request, unless all reasons were removed since. `forgotten` is the number of
    /// times at the request. A message without a reason is not kept: it is being sent and will have another
    /// state or a reason soon.
    fn keep(&mut self, forgotten: u64, seqs: &[u64], told: &[Option<WaitReason>]) {
        if forgotten != self.forgotten {
            return;
        }
        if self.reasons.len() + told.len() > MAX_KEPT {
            self.reasons.clear();
        }
        let now = Instant::now();
        for (&seq, reason) in seqs.iter().zip(told) {
            if let Some(reason) = reason {
                self.reasons.insert(seq, (now, reason.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(texts: &[&str]) -> Vec<Option<WaitReason>> {
        texts.iter().map(|&text| (!text.is_empty()).then(|| text.into())).collect()
    }

    #[test]
    fn what_was_told_is_kept_until_a_state_changes() {
        let mut kept = KeptReasons::default();
        kept.keep(0, &[1, 2], &told(&["the account is not connected", ""]));
        assert_eq!(kept.find(&[1, 2, 3]).0, told(&["the account is not connected", "", ""]));
        kept.forgotten += 1;
        kept.reasons.clear();
        kept.keep(0, &[1], &told(&["asked before the change"]));
        assert_eq!(kept.find(&[1]), (told(&[""]), 1));
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let mut kept = KeptReasons::default();
        let many: Vec<u64> = (0..1000).collect();
        for round in 0..10 {
            let seqs: Vec<u64> = many.iter().map(|seq| round * 1000 + seq).collect();
            kept.keep(0, &seqs, &vec![Some("no adapter".into()); 1000]);
            assert!(kept.reasons.len() <= MAX_KEPT);
            assert_eq!(kept.find(&seqs).0, vec![Some("no adapter".into()); 1000]);
        }
    }
}
