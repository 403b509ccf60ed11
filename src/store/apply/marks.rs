//! Rows of deduplication keys (duplicates, echoes, idempotency keys), and the bounds before which they
//! are deleted.

use crate::model::event::{DedupeKey, RawEvent, RetentionBounds};
use crate::store::error::Result;
use crate::store::raw_event_row;
use crate::store::sealed::{SealedTable, key_row, mark_key};
use crate::store::transaction::Transaction;
use redb::{ReadableTable, ReadableTableMetadata};

/// The most idempotency keys that are kept; the oldest is forgotten for a new one.
const MAX_KEYS: u64 = 1_000_000;

/// The most old raw events that are removed when a new one is kept.
const RAW_EVENTS_REMOVED_AT_ONCE: usize = 4;

impl Transaction<'_> {
    pub(super) fn mark(&mut self, seq: u64, marks: &[DedupeKey]) -> Result<()> {
        for mark in marks {
            match *mark {
                DedupeKey::Seen(time, hash) => {
                    let row = SealedTable::Seen.seal(mark_key((time, hash)), seq);
                    self.seen.write()?.insert((time, hash), row)?;
                }
                DedupeKey::Sent(hour, hash) => {
                    let row = SealedTable::Sent.seal(mark_key((hour, hash)), seq);
                    self.sent.write()?.insert((hour, hash), row)?;
                }
                DedupeKey::Key(key, body, at) => self.mark_key(seq, key, body, at)?,
            }
        }
        Ok(())
    }

    pub(super) fn mark_key(&mut self, seq: u64, key: u128, body: u128, now: u64) -> Result<()> {
        if let Some(old) = self.keys.write()?.insert(key, key_row(key, seq, body, now))? {
            let (_, _, at) = old.value();
            self.keys_by_age.write()?.remove((at, key))?;
        }
        self.keys_by_age.write()?.insert((now, key), ())?;
        while self.keys_by_age.read()?.len()? > MAX_KEYS {
            let oldest = self.keys_by_age.read()?.first()?.map(|(age, _)| age.value());
            let Some(oldest) = oldest else { break };
            self.forget_keys(&[oldest])?;
        }
        Ok(())
    }

    /// Removes idempotency keys, each with the time at which it was used.
    pub(super) fn forget_keys(&mut self, keys: &[(u64, u128)]) -> Result<()> {
        for &(at, key) in keys {
            self.keys_by_age.write()?.remove((at, key))?;
            let row = self.keys.read()?.get(key)?.map(|row| row.value());
            // The key may have been used again later.
            if row.is_some_and(|(_, _, used_at)| used_at == at) {
                self.keys.write()?.remove(key)?;
            }
        }
        Ok(())
    }

    /// Keeps a raw event, and removes some that are not needed any more.
    pub(super) fn keep_raw_event(&mut self, offset: u64, told: &RawEvent) -> Result<()> {
        self.raw_events.write()?.insert(offset, raw_event_row::encode(offset, told)?.as_slice())?;
        for _ in 0..RAW_EVENTS_REMOVED_AT_ONCE {
            let oldest = self
                .raw_events
                .read()?
                .first()?
                .map(|(key, row)| (key.value(), row.value().to_vec()));
            let Some((oldest, row)) = oldest else { break };
            // A damaged row is removed, too.
            if raw_event_row::time_of(oldest, &row).is_some_and(|at| at >= told.forget_before) {
                break;
            }
            self.raw_events.write()?.remove(oldest)?;
        }
        Ok(())
    }

    pub(super) fn forget(&mut self, bounds: RetentionBounds) -> Result<()> {
        self.seen.write()?.retain_in(..(bounds.seen_before, 0), |_, _| false)?;
        self.sent.write()?.retain_in(..(bounds.sent_before, 0), |_, _| false)?;
        self.journal.retain_in(..bounds.journal_before, |_, _| false)?;
        self.requests.write()?.retain_in(..bounds.journal_before, |_, _| false)?;
        self.raw_events.write()?.retain_in(..bounds.journal_before, |_, _| false)?;
        self.epochs.write()?.retain_in(..bounds.epochs_before, |_, _| false)?;
        self.counters.kept_from = self.counters.kept_from.max(bounds.journal_before);
        for (platform, name) in bounds.conversations {
            let known = self.conversation_entry(&platform, &name);
            (known.row, known.dirty) = (None, true);
        }
        Ok(())
    }
}
