//! A store that follows the log of a cluster: applies what other nodes decided, and begins to lead.

use super::commit::commit;
use super::error::{Result, StoreError};
use super::file::StoreFile;
use super::ids::EpochTag;
use super::options::mint;
use super::replay::{DamagePolicy, apply};
use super::transaction::Transaction;
use crate::clock::now;
use crate::log::{LogRecord, SharedBatch};
use crate::model::change::Committed;

impl StoreFile {
    /// Applies batches of the cluster's log that follow a stream sequence. Returns the changes for
    /// listeners. A damaged row ends it, because a store that skips an event would differ from the others.
    pub(super) fn replicate(
        &mut self,
        after: u64,
        batches: Vec<SharedBatch>,
    ) -> Result<Vec<Committed>> {
        let mut cursor = self.view()?.cursor();
        let shared = self.shared.as_mut().ok_or_else(of_its_own)?;
        shared.check_has(after)?;
        let mut txn = self.database.begin_write()?;
        let mut told = Vec::with_capacity(batches.len());
        let (mut stream_seq, mut bytes) = (shared.stream_seq(), 0);
        for found in batches.into_iter().filter(|found| found.stream_seq > shared.stream_seq()) {
            if !found.batch.follows(cursor.offset, cursor.epoch) {
                return Err(StoreError::Unavailable(format!(
                    "message {} of the cluster's log does not follow this store, which ends with {cursor}; \
                     where NATS has lost what it had acknowledged, this store may be all that has it: see \
                     docs/cluster.md; else stop this node, move its store away, and start it",
                    found.stream_seq
                )));
            }
            (cursor.offset, cursor.epoch) = (found.batch.end() - 1, found.batch.epoch);
            (stream_seq, bytes) = (found.stream_seq, bytes + found.bytes);
            let epoch = found.batch.epoch;
            let applied = apply(&txn, &self.context, found.batch, DamagePolicy::Refuse);
            told.push(Committed { epoch, changes: applied?.changes });
        }
        shared.advance(&mut txn, stream_seq, bytes)?;
        commit(txn)?;
        Ok(told)
    }

    /// Begins to lead: appends the first event of a new epoch after the stream sequence `after`; `applied`
    /// is the stream sequence of the last whole batch. From then on, no earlier leader can append.
    pub(super) fn lead(&mut self, applied: u64, after: u64) -> Result<()> {
        let epoch = mint();
        (self.context.epoch, self.context.tag) = (epoch, EpochTag::of(epoch));
        let (shared, at) = (self.shared.as_mut().ok_or_else(of_its_own)?, now());
        shared.check_has(applied)?;
        shared.read_to(after);
        let mut txn = self.database.begin_write()?;
        let mut record = LogRecord::new(epoch, at);
        let mut state = Transaction::open(&txn, &self.context, at)?;
        let first = state.next_offset();
        state.begin_epoch(Some(&mut record))?;
        state.finish()?;
        shared.append(&mut txn, first, record)?;
        commit(txn)
    }
}

fn of_its_own() -> StoreError {
    StoreError::Write("the store belongs to no cluster".into())
}
