//! Conversion of schema 2.

use super::first_rows::OldConversation;
use crate::model::routing::SeenPlatform;
use crate::store::error::Result;
use crate::store::order_tables;
use crate::store::tables::{
    CONVERSATIONS, Counters, META, PostingKey, REQUESTS, SEEN_PLATFORMS, pack, unpack_version,
};
use redb::{ReadableTable, WriteTransaction};
use serde::Deserialize;

/// A conversation as schema 2 had it.
#[derive(Deserialize)]
struct SecondConversation {
    term: PostingKey,
    last_seq: u64,
    last_at: u64,
    name: Option<String>,
    account: Option<String>,
    messages: u64,
}

/// The counters as schema 2 had them.
#[derive(Deserialize)]
struct SecondCounters {
    head: u64,
    named_terms: u32,
    by_state: [u64; 10],
    offset: u64,
    kept_from: u64,
}

/// Converts the tables of schema 2.
pub(super) fn from_second(txn: &WriteTransaction) -> Result<()> {
    let mut rows = Vec::new();
    let mut conversations = txn.open_table(CONVERSATIONS)?;
    for row in conversations.iter()? {
        let (key, bytes) = row?;
        let (platform, name) = key.value();
        match unpack_version(2, "the conversation", &[platform, name], bytes.value()) {
            Ok(row) => rows.push((platform.to_owned(), name.to_owned(), row)),
            Err(error) => tracing::error!("{error}"),
        }
    }
    for (platform, name, row) in rows {
        let SecondConversation { term, last_seq, last_at, name: shown, account, messages } = row;
        let read = OldConversation { term, last_seq, last_at, name: shown, account };
        let bytes = pack(&[&platform, &name], &read.into_row(messages))?;
        conversations.insert((&*platform, &*name), bytes.as_slice())?;
    }
    let mut meta = txn.open_table(META)?;
    let counters = match meta.get("counters")? {
        Some(bytes) => match unpack_version(2, "the row of", &["counters"], bytes.value()) {
            Ok(SecondCounters { head, named_terms, by_state, offset, kept_from }) => {
                Some(Counters { head, named_terms, by_state, offset, kept_from, in_order_to: 0 })
            }
            // They are counted again after the conversion.
            Err(_) => None,
        },
        None => Some(Counters::default()),
    };
    let counters = counters.map(|counters| pack(&["counters"], &counters)).transpose()?;
    meta.insert("counters", counters.unwrap_or_default().as_slice())?;
    let seen = meta.get(SEEN_PLATFORMS)?.map(|bytes| {
        unpack_version::<Vec<SeenPlatform>>(
            2,
            "the platforms seen",
            &[SEEN_PLATFORMS],
            bytes.value(),
        )
    });
    if let Some(Ok(seen)) = seen {
        meta.insert(SEEN_PLATFORMS, pack(&[SEEN_PLATFORMS], &seen)?.as_slice())?;
    }
    drop((conversations, meta));
    txn.open_table(REQUESTS)?;
    order_tables::arrange(txn)
}
