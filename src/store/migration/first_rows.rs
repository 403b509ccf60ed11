//! The rows of schema 1, and how they are rewritten.

use crate::store::conversation::ConversationRow;
use crate::store::error::{Result, StoreError};
use crate::store::ids::IdPermutation;
use crate::store::options::{MigrationStep, StoreOptions};
use crate::store::postings::Places;
use crate::store::tables::{
    CONVERSATIONS, Counters, META, POSTINGS, PostingKey, key_check, pack, pack_places,
};
use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};
use serde::Deserialize;
use std::collections::HashMap;

/// Index rows that are rewritten together.
const ROWS_AT_ONCE: usize = 10_000;

/// A conversation as schema 1 had it.
#[derive(Deserialize)]
pub(super) struct OldConversation {
    pub(super) term: PostingKey,
    pub(super) last_seq: u64,
    pub(super) last_at: u64,
    pub(super) name: Option<String>,
    pub(super) account: Option<String>,
}

impl OldConversation {
    /// The row of today; everything is read.
    pub(super) fn into_row(self, messages: u64) -> ConversationRow {
        ConversationRow {
            last_seq: self.last_seq,
            last_at: self.last_at,
            name: self.name,
            account: self.account,
            messages,
            read_seq: self.last_seq,
            ..ConversationRow::new(self.term)
        }
    }
}

/// The counters as schema 1 had them.
#[derive(Deserialize)]
struct OldCounters {
    head: u64,
    named_terms: u32,
    by_state: [u64; 10],
}

/// A value of schema 1: a byte of version, then postcard.
fn old<'a, T: Deserialize<'a>>(what: &str, bytes: &'a [u8]) -> Result<T> {
    let fields = bytes.strip_prefix(&[1]);
    fields
        .and_then(|fields| postcard::from_bytes(fields).ok())
        .ok_or_else(|| StoreError::Damaged(format!("{what} is damaged")))
}

/// Converts the small tables; returns the number of the newest batch.
pub(super) fn rewrite(
    txn: &WriteTransaction,
    options: &StoreOptions,
    ids: IdPermutation,
) -> Result<u64> {
    let messages = rewrite_postings(txn, options)?;
    rewrite_conversations(txn, &messages)?;
    let mut meta = txn.open_table(META)?;
    let counters = match meta.get("counters")? {
        Some(bytes) => {
            let OldCounters { head, named_terms, by_state } =
                old("the row of the counters", bytes.value())?;
            Counters { head, named_terms, by_state, ..Counters::default() }
        }
        None => Counters::default(),
    };
    meta.insert("counters", pack(&["counters"], &counters)?.as_slice())?;
    let batch = meta.remove("batch")?.and_then(|bytes| bytes.value().try_into().ok());
    meta.insert("id check", key_check(ids.key()).as_slice())?;
    Ok(batch.map_or(0, u64::from_le_bytes))
}

/// Adds checksums to index rows; counts the messages of each term.
fn rewrite_postings(txn: &WriteTransaction, options: &StoreOptions) -> Result<HashMap<u32, u64>> {
    let mut postings = txn.open_table(POSTINGS)?;
    let (all, mut done, mut next) = (postings.len()?, 0_u64, 0);
    let mut messages: HashMap<u32, u64> = HashMap::new();
    loop {
        let rows: Vec<_> = postings
            .range(next..)?
            .take(ROWS_AT_ONCE)
            .map(|row| row.map(|(key, bytes)| (key.value(), bytes.value().to_vec())))
            .collect::<std::result::Result<_, _>>()?;
        let Some((last, _)) = rows.last() else { return Ok(messages) };
        next = last + 1;
        done += rows.len() as u64;
        for (key, bytes) in rows {
            let Some(places) = Places::decode(&bytes) else {
                tracing::error!(
                    "the index row {key:#x} is damaged; it is left out; run `rechat check` for details"
                );
                postings.remove(key)?;
                continue;
            };
            *messages.entry((key >> 32) as u32).or_default() += u64::from(places.count());
            postings.insert(key, pack_places(key, &places).as_slice())?;
        }
        tracing::info!("{done} of {all} index rows");
        options.tell(MigrationStep::Rewritten { rows: done, all });
    }
}

fn rewrite_conversations(txn: &WriteTransaction, messages: &HashMap<u32, u64>) -> Result<()> {
    let mut conversations = txn.open_table(CONVERSATIONS)?;
    let mut rows = Vec::new();
    for row in conversations.iter()? {
        let (key, bytes) = row?;
        let (platform, name) = key.value();
        let what = format!("the conversation {platform}/{name}");
        match old::<OldConversation>(&what, bytes.value()) {
            Ok(row) => rows.push((platform.to_owned(), name.to_owned(), row)),
            // The row stays as it is. Each use of it is refused with its name.
            Err(error) => tracing::error!("{error}"),
        }
    }
    for (platform, name, old) in rows {
        let messages = messages.get(&old.term.0).copied().unwrap_or_default();
        let bytes = pack(&[&platform, &name], &old.into_row(messages))?;
        conversations.insert((&*platform, &*name), bytes.as_slice())?;
    }
    Ok(())
}
