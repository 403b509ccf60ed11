//! The log of a cluster, to which the store of a leading node appends.
//!
//! The tables keep the stream sequence that they have in the same commit. They need not be durable after
//! each batch: batches that a crash removes are read from the log again.

use super::commit::follow_later;
use super::error::{Result, StoreError};
use super::membership::put_stream_seq;
use crate::log::{LogRecord, SharedLog};
use redb::WriteTransaction;

/// Bytes of batches after which the tables are made durable.
const MAX_BEHIND: usize = 8 << 20;

/// The log of a cluster, and the stream sequence up to which the tables have it.
pub(super) struct SharedLogWriter {
    log: Box<dyn SharedLog>,
    stream_seq: u64,
    /// Bytes of batches that the tables do not have durably.
    behind: usize,
}

impl SharedLogWriter {
    pub(super) fn new(log: Box<dyn SharedLog>, stream_seq: u64) -> Self {
        Self { log, stream_seq, behind: 0 }
    }

    /// The stream sequence up to which the tables have the log.
    pub(super) fn stream_seq(&self) -> u64 {
        self.stream_seq
    }

    /// Checks that the tables have the log up to a stream sequence. After a fault of the disk they may have
    /// less than was applied.
    pub(super) fn check_has(&self, stream_seq: u64) -> Result<()> {
        if self.stream_seq < stream_seq {
            return Err(StoreError::Unavailable(format!(
                "the store was opened anew and has the log up to {}; it is read again from there",
                self.stream_seq
            )));
        }
        Ok(())
    }

    /// Notes that the log was read up to a stream sequence, and has no further batch before it.
    pub(super) fn read_to(&mut self, stream_seq: u64) {
        self.stream_seq = self.stream_seq.max(stream_seq);
    }

    pub(super) fn is_behind(&self) -> bool {
        self.behind > 0
    }

    /// Notes that the tables are durable.
    pub(super) fn caught_up(&mut self) {
        self.behind = 0;
    }

    /// Appends the record of a transaction, which is committed afterwards.
    pub(super) fn append(
        &mut self,
        txn: &mut WriteTransaction,
        first: u64,
        record: LogRecord,
    ) -> Result<()> {
        let bytes = record.size();
        let stream_seq = self.log.append(self.stream_seq, first, record);
        let stream_seq = stream_seq.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.advance(txn, stream_seq, bytes).map_err(in_the_log)
    }

    /// Checks that no other node has decided anything, before the answer is that nothing changes.
    pub(super) fn check_leads(&self) -> Result<()> {
        if self.log.may_append() {
            return Ok(());
        }
        Err(StoreError::Unavailable("this node leads no longer; nothing was stored".into()))
    }

    /// Writes the stream sequence that the tables have with a transaction.
    pub(super) fn advance(
        &mut self,
        txn: &mut WriteTransaction,
        stream_seq: u64,
        bytes: usize,
    ) -> Result<()> {
        put_stream_seq(txn, stream_seq)?;
        self.stream_seq = stream_seq;
        self.behind += bytes.max(1);
        if self.behind < MAX_BEHIND {
            return follow_later(txn);
        }
        self.behind = 0;
        Ok(())
    }
}

/// The error if the tables could not be written although the log has the change.
pub(super) fn in_the_log(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unknown(format!("{error}; the cluster has stored it, and this node reads it later"))
}
