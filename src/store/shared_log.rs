//! The log of a cluster, as the store of a node appends to it.
//!
//! The tables keep the stream sequence up to which they have the log, in the same commit. They need not be
//! durable with each batch: what a crash takes from them is read from the log again.

use super::commit::follow_later;
use super::error::{Result, StoreError};
use super::membership::put_stream_seq;
use crate::log::{LogRecord, SharedLog};
use redb::WriteTransaction;

/// Bytes of the log that the tables may hold without being durable.
const MAX_BEHIND: usize = 8 << 20;

/// The log of a cluster, and the stream sequence up to which the tables have it.
pub(super) struct SharedLogWriter {
    log: Box<dyn SharedLog>,
    stream_seq: u64,
    /// Bytes that the tables do not have durably.
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

    /// Checks that the tables have the log up to a stream sequence. After a fault of the disk they may have less
    /// than was applied to them before.
    pub(super) fn check_has(&self, stream_seq: u64) -> Result<()> {
        if self.stream_seq < stream_seq {
            return Err(StoreError::Unavailable(format!(
                "the store was opened anew and has the log up to {}; it is read again from there",
                self.stream_seq
            )));
        }
        Ok(())
    }

    /// The log was read up to there, and holds nothing more to apply.
    pub(super) fn read_to(&mut self, stream_seq: u64) {
        self.stream_seq = self.stream_seq.max(stream_seq);
    }

    pub(super) fn is_behind(&self) -> bool {
        self.behind > 0
    }

    /// The tables are durable.
    pub(super) fn caught_up(&mut self) {
        self.behind = 0;
    }

    /// Appends what a transaction changes, which then is to be committed.
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

    /// Checks that nothing was decided elsewhere, before it is said that there is nothing to change.
    pub(super) fn check_leads(&self) -> Result<()> {
        if self.log.may_append() {
            return Ok(());
        }
        Err(StoreError::Unavailable("this node leads no longer; nothing was stored".into()))
    }

    /// Notes the stream sequence that the tables have with a transaction.
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

/// The error of tables that could not follow the log, which has the change.
pub(super) fn in_the_log(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unknown(format!("{error}; the cluster has stored it, and this node reads it later"))
}
