//! Messages in the order of `seq`.

use super::damage::{guarded, pass_over};
use super::error::{Result, StoreError};
use super::view::View;
use crate::log::record::{self, MessageTimes, Unreadable};
use crate::model::message::Message;
use redb::{AccessGuard, ReadableTable};
use std::ops::ControlFlow;

impl View {
    /// The `seq` of the oldest message that still exists.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn oldest(&self) -> Result<Option<u64>> {
        guarded(|| Ok(self.messages_table()?.first()?.map(|(seq, _)| seq.value())))
    }

    /// Messages with a higher `seq`, oldest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn after(&self, seq: u64) -> Result<impl Iterator<Item = Result<Message>> + use<>> {
        self.between(seq.saturating_add(1), u64::MAX)
    }

    /// Like [`Self::after`]; messages that are damaged are left out and logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn readable_after(
        &self,
        seq: u64,
    ) -> Result<impl Iterator<Item = Result<Message>> + use<>> {
        let all = self.after(seq)?;
        Ok(all.filter_map(|message| pass_over(message.map(Some)).transpose()))
    }

    /// Every `seq` after another one that has a message, oldest first, with the message; `None` if it is
    /// damaged, which is logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn each_after(
        &self,
        seq: u64,
    ) -> Result<impl Iterator<Item = Result<(u64, Option<Message>)>> + use<>> {
        let rows = guarded(|| Ok(self.messages_table()?.range(seq.saturating_add(1)..)?))?;
        Ok(Guarded(rows).map(|row| {
            let (seq, bytes) = row?;
            let message = record::decode(seq.value(), bytes.value()).map(Some);
            Ok((seq.value(), pass_over(message.map_err(StoreError::from))?))
        }))
    }

    /// The values that `read` takes from the records of messages in a range of `seq`, oldest first; damaged
    /// records are left out and logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn records_between<T, R>(
        &self,
        first: u64,
        last: u64,
        read: R,
    ) -> Result<impl Iterator<Item = Result<T>> + use<T, R>>
    where
        R: Fn(u64, &[u8]) -> std::result::Result<T, Unreadable>,
    {
        let rows = guarded(|| Ok(self.messages_table()?.range(first..=last)?))?;
        Ok(Guarded(rows).filter_map(move |row| {
            let read = row.and_then(|(seq, bytes)| Ok(Some(read(seq.value(), bytes.value())?)));
            pass_over(read).transpose()
        }))
    }

    /// Messages in a range of `seq`, oldest first.
    pub(super) fn between(
        &self,
        first: u64,
        last: u64,
    ) -> Result<impl DoubleEndedIterator<Item = Result<Message>> + use<>> {
        let rows = guarded(|| Ok(self.messages_table()?.range(first..=last)?))?;
        Ok(Guarded(rows).map(|row| {
            let (seq, bytes) = row?;
            Ok(record::decode(seq.value(), bytes.value())?)
        }))
    }

    /// Reads up to `limit` records of messages in a range of `seq`, newest first, until `read` says that this was
    /// the last; those that are damaged are left out and logged. A loop, because each adapter of an iterator
    /// would move what was read.
    pub(super) fn read_newest(
        &self,
        (first, last): (u64, u64),
        limit: usize,
        read: &mut impl FnMut(u64, &[u8]) -> std::result::Result<ControlFlow<()>, Unreadable>,
    ) -> Result<ControlFlow<()>> {
        let mut left = limit;
        let mut rows = self.messages_table()?.range(first..=last)?.rev();
        while left > 0
            && let Some(row) = rows.next()
        {
            let (seq, bytes) = row?;
            match read(seq.value(), bytes.value()) {
                Ok(ControlFlow::Continue(())) => left -= 1,
                Ok(ControlFlow::Break(())) => return Ok(ControlFlow::Break(())),
                Err(error) => drop(pass_over::<()>(Err(error.into()))?),
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Messages with a lower `seq`, newest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn before(&self, seq: u64) -> Result<impl Iterator<Item = Result<Message>> + use<>> {
        Ok(self.between(0, seq.saturating_sub(1))?.rev())
    }

    /// Like [`Self::before`]; messages that are damaged are left out and logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn readable_before(
        &self,
        seq: u64,
    ) -> Result<impl Iterator<Item = Result<Message>> + use<>> {
        let all = self.before(seq)?;
        Ok(all.filter_map(|message| pass_over(message.map(Some)).transpose()))
    }

    /// The times of all messages, newest first; those that are damaged are left out and logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn times(&self) -> Result<impl Iterator<Item = Result<MessageTimes>> + use<>> {
        let rows = guarded(|| Ok(self.messages_table()?.range(0..)?))?;
        let times = |row: Result<MessageRow>| {
            let (seq, bytes) = row?;
            Ok(Some(record::times_of(seq.value(), bytes.value())?))
        };
        Ok(Guarded(rows).rev().filter_map(move |row| pass_over(times(row)).transpose()))
    }
}

/// A row of the table of messages.
type MessageRow = (AccessGuard<'static, u64>, AccessGuard<'static, &'static [u8]>);

/// Rows that are read one by one; a panic of redb becomes an error.
struct Guarded<I>(I);

impl<T, I> Iterator for Guarded<I>
where
    I: Iterator<Item = std::result::Result<T, redb::StorageError>>,
{
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        guarded(|| Ok(self.0.next().transpose()?)).transpose()
    }
}

impl<T, I> DoubleEndedIterator for Guarded<I>
where
    I: DoubleEndedIterator<Item = std::result::Result<T, redb::StorageError>>,
{
    fn next_back(&mut self) -> Option<Result<T>> {
        guarded(|| Ok(self.0.next_back().transpose()?)).transpose()
    }
}
