//! Recalls that came in before their messages. Each is kept for a while, and applied when its message
//! comes.

use super::damage::pass_over;
use super::dedupe_keys::early_recall_key;
use super::error::{Result, StoreError};
use super::tables::{pack, unpack};
use super::transaction::Transaction;
use crate::model::event::EarlyRecall;
use crate::model::message::{Message, Recall, Sender};
use redb::{ReadableTable, ReadableTableMetadata};
use serde::{Deserialize, Serialize};

/// Seconds for which a recall waits for its message.
const WAITS_FOR: u64 = 60 * 60;

/// The most recalls that wait. If there are more, the oldest quarter is removed.
const MAX_WAITING: u64 = 4_096;

/// Seconds by which two clocks may differ. A message that was written later than that after the recall is
/// another one, whose platform gave the ID again.
const CLOCKS_APART: u64 = 60;

/// A row as it is encoded.
#[derive(Serialize, Deserialize)]
pub(super) struct RecallRow {
    at: u64,
    by: Option<(String, String)>,
    /// When it was kept, in Unix seconds.
    kept_at: u64,
}

impl RecallRow {
    /// Whether it still waits for its message at a time in Unix seconds.
    fn waits_at(&self, now: u64) -> bool {
        now.abs_diff(self.kept_at) <= WAITS_FOR
    }
}

/// The key of the recall of a message; `None` if the message has no platform ID or account.
fn key_of(message: &Message) -> Option<u128> {
    let (platform, account) = (message.platform.as_ref()?, message.account.as_ref()?);
    let external_id = message.external_id.as_ref()?;
    Some(early_recall_key(platform, account, &message.recipient, external_id))
}

/// Reads a row; an error if it is damaged.
pub(super) fn decode(key: u128, bytes: &[u8]) -> Result<RecallRow> {
    unpack("the recall", &[&key.to_string()], bytes).map_err(StoreError::from)
}

impl Transaction<'_> {
    /// The recall that came in before a message that was written at a time; times are in Unix seconds.
    pub(super) fn early_recall_of(
        &self,
        message: &Message,
        said: u64,
        now: u64,
    ) -> Result<Option<Recall>> {
        if self.early_recalls.read()?.is_empty()? {
            return Ok(None);
        }
        let Some(key) = key_of(message) else { return Ok(None) };
        let Some(bytes) = self.early_recalls.read()?.get(key)? else { return Ok(None) };
        let row = pass_over(decode(key, bytes.value()).map(Some))?;
        let is_its =
            |row: &RecallRow| row.waits_at(now) && said <= row.at.saturating_add(CLOCKS_APART);
        Ok(row
            .filter(is_its)
            .map(|row| Recall { at: row.at, by: row.by.map(|(id, name)| Sender { id, name }) }))
    }

    /// Keeps a recall until its message comes.
    pub(super) fn keep_early_recall(&mut self, recall: EarlyRecall) -> Result<()> {
        if self.early_recalls.read()?.len()? >= MAX_WAITING {
            self.forget_oldest_recalls()?;
        }
        let EarlyRecall { platform, account, conversation, external_id, by, at } = recall;
        let key = early_recall_key(&platform, &account, &conversation, &external_id);
        let by = by.map(|Sender { id, name }| (id, name));
        let row = pack(&[&key.to_string()], &RecallRow { at, by, kept_at: self.at })?;
        self.early_recalls.write()?.insert(key, row.as_slice())?;
        Ok(())
    }

    /// The keys of the recalls whose messages did not come in time. A damaged row stays, for inspection.
    pub(super) fn lapsed_early_recalls(&self) -> Result<Vec<u128>> {
        let mut lapsed = Vec::new();
        for row in self.early_recalls.read()?.iter()? {
            let (key, bytes) = row?;
            let key = key.value();
            if decode(key, bytes.value()).is_ok_and(|row| !row.waits_at(self.at)) {
                lapsed.push(key);
            }
        }
        Ok(lapsed)
    }

    pub(super) fn forget_early_recalls(&mut self, keys: &[u128]) -> Result<()> {
        for key in keys {
            self.early_recalls.write()?.remove(key)?;
        }
        Ok(())
    }

    /// Removes many of those that have waited longest.
    fn forget_oldest_recalls(&mut self) -> Result<()> {
        let mut all = Vec::new();
        for row in self.early_recalls.read()?.iter()? {
            let (key, bytes) = row?;
            // A damaged row is removed first.
            let kept_at = decode(key.value(), bytes.value()).map_or(0, |row| row.kept_at);
            all.push((kept_at, key.value()));
        }
        all.sort_unstable();
        all.truncate(all.len() / 4);
        let oldest: Vec<_> = all.into_iter().map(|(_, key)| key).collect();
        self.forget_early_recalls(&oldest)
    }

    /// Removes the recall of a message that has come in.
    pub(super) fn forget_early_recall(&mut self, message: &Message) -> Result<()> {
        if let Some(key) = key_of(message) {
            self.early_recalls.write()?.remove(key)?;
        }
        Ok(())
    }
}
