//! The tables in a write transaction: the state for `decide`, and the rows that events change.
//!
//! Rows that many events of a batch change (sets, counters, conversations) are kept in memory and written
//! once. `load` reads every row that an event will change. So a damaged row refuses the command that needs
//! it before anything is changed.

mod bounds;
mod load;
mod recent_events;
mod sets;
mod state;

use super::conversation::ConversationRow;
use super::error::Result;
use super::ids::{EpochTag, IdPermutation};
use super::journal::EntryContent;
use super::lazy_table::LazyTable;
use super::postings::Places;
use super::sealed::newest_epoch;
use super::tables::{
    self, ADAPTER_STATE, CONVERSATIONS, Counters, EARLY_RECALLS, EPOCHS, FOREIGN_IDS, JOURNAL,
    KEYS, KEYS_BY_AGE, LATE, MESSAGES, META, NEWEST, PLATFORMS, POSTINGS, PostingKey, QUARANTINE,
    RAW_EVENTS, REQUESTS, SEEN, SENT, unpack,
};
use crate::model::cursor::{Cursor, Epoch};
use crate::model::message::Message;
use crate::model::routing::SeenPlatform;
use foldhash::fast::RandomState;
use redb::{ReadableTable, Table, WriteTransaction};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Data about platforms. Each is read once.
#[derive(Clone, Default)]
pub(in crate::store) struct KnownPlatforms {
    /// Their terms by name; `None` for one that has none yet.
    pub(in crate::store) terms: Arc<HashMap<String, Option<PostingKey>, RandomState>>,
    /// Those that were ever connected, for the routing of messages without a platform.
    pub(in crate::store) seen: OnceCell<Arc<[SeenPlatform]>>,
    /// Those that have messages.
    pub(in crate::store) named: OnceCell<Arc<[String]>>,
}

impl KnownPlatforms {
    pub(in crate::store) fn set_term(&mut self, platform: &str, term: Option<PostingKey>) {
        Arc::make_mut(&mut self.terms).insert(platform.to_owned(), term);
    }
}

/// Data of the tables after a commit, which the next commit need not read.
#[derive(Clone)]
pub(in crate::store) struct LastCommit {
    pub(in crate::store) newest: Cursor,
    pub(in crate::store) platforms: KnownPlatforms,
}

/// Context of a store's transactions.
#[derive(Clone)]
pub(in crate::store) struct TransactionContext {
    pub(in crate::store) ids: IdPermutation,
    pub(in crate::store) epoch: Epoch,
    /// The last commit of commands. There may have been other commits since.
    pub(in crate::store) last: Option<LastCommit>,
    /// The tag of new IDs.
    pub(in crate::store) tag: EpochTag,
    /// The owner of claims.
    pub(in crate::store) owner: String,
    pub(in crate::store) journal_seconds: u64,
    pub(in crate::store) journal_events: u64,
    pub(in crate::store) hides_recalled: bool,
}

/// A row in memory. It is written at the end if it is `dirty`.
#[derive(Default)]
pub(in crate::store) struct CachedRow<T> {
    pub(in crate::store) value: T,
    pub(in crate::store) dirty: bool,
}

/// The row of a conversation in memory. It is written at the end if it is `dirty`.
#[derive(Default)]
pub(in crate::store) struct KnownConversation {
    pub(in crate::store) row: Option<ConversationRow>,
    /// Its position in the list of conversations, as the tables have it.
    pub(in crate::store) listed_at: Option<u64>,
    pub(in crate::store) dirty: bool,
}

/// The tables of one write transaction.
pub(in crate::store) struct Transaction<'txn> {
    pub(in crate::store) context: TransactionContext,
    /// Unix seconds of this commit.
    pub(in crate::store) at: u64,
    pub(in crate::store) messages: Table<'txn, u64, &'static [u8]>,
    pub(in crate::store) foreign_ids: LazyTable<'txn, u128, u64>,
    pub(in crate::store) postings: Table<'txn, u64, &'static [u8]>,
    pub(in crate::store) platforms: LazyTable<'txn, &'static str, u32>,
    pub(in crate::store) conversations: Table<'txn, (&'static str, &'static str), &'static [u8]>,
    pub(in crate::store) newest: LazyTable<'txn, (&'static str, u64), &'static str>,
    pub(in crate::store) late: LazyTable<'txn, (u32, u64, u64), ()>,
    pub(in crate::store) keys: LazyTable<'txn, u128, (u64, u128, u64)>,
    pub(in crate::store) keys_by_age: LazyTable<'txn, (u64, u128), ()>,
    pub(in crate::store) seen: LazyTable<'txn, (u64, u128), u64>,
    pub(in crate::store) sent: LazyTable<'txn, (u64, u128), u64>,
    pub(in crate::store) meta: Table<'txn, &'static str, &'static [u8]>,
    pub(in crate::store) journal: Table<'txn, u64, &'static [u8]>,
    pub(in crate::store) epochs: LazyTable<'txn, u64, (u64, u64)>,
    pub(in crate::store) quarantine: LazyTable<'txn, u64, &'static [u8]>,
    pub(in crate::store) requests: LazyTable<'txn, u64, &'static [u8]>,
    pub(in crate::store) adapter_state:
        LazyTable<'txn, (&'static str, &'static str), &'static [u8]>,
    pub(in crate::store) raw_events: LazyTable<'txn, u64, &'static [u8]>,
    pub(in crate::store) early_recalls: LazyTable<'txn, u128, &'static [u8]>,
    pub(in crate::store) counters: Counters,
    /// The epoch of the newest event.
    pub(in crate::store) newest_epoch: Epoch,
    /// Entries of this commit for the journal.
    pub(in crate::store) kept: Vec<(u64, EntryContent)>,
    /// Messages that were decoded, by `seq`.
    pub(in crate::store) decoded: RefCell<HashMap<u64, Message, RandomState>>,
    pub(in crate::store) rows: BTreeMap<u64, CachedRow<Places>>,
    /// By platform and conversation.
    pub(in crate::store) known_conversations: BTreeMap<String, BTreeMap<String, KnownConversation>>,
    pub(in crate::store) known_platforms: KnownPlatforms,
}

impl<'txn> Transaction<'txn> {
    /// Opens the tables that every commit needs. `at` is the time of the commit in Unix seconds.
    pub(in crate::store) fn open(
        txn: &'txn WriteTransaction,
        context: &TransactionContext,
        at: u64,
    ) -> Result<Self> {
        let meta = txn.open_table(META)?;
        let counters = tables::counters(&meta)?;
        let epochs = LazyTable::new(txn, EPOCHS);
        let last = context.last.as_ref().filter(|last| last.newest.offset == counters.offset);
        let (newest_epoch, known_platforms) = match last {
            Some(last) => (last.newest.epoch, last.platforms.clone()),
            None => (newest_epoch(epochs.read()?)?, KnownPlatforms::default()),
        };
        Ok(Self {
            context: context.clone(),
            at,
            messages: txn.open_table(MESSAGES)?,
            foreign_ids: LazyTable::new(txn, FOREIGN_IDS),
            postings: txn.open_table(POSTINGS)?,
            platforms: LazyTable::new(txn, PLATFORMS),
            conversations: txn.open_table(CONVERSATIONS)?,
            newest: LazyTable::new(txn, NEWEST),
            late: LazyTable::new(txn, LATE),
            keys: LazyTable::new(txn, KEYS),
            keys_by_age: LazyTable::new(txn, KEYS_BY_AGE),
            seen: LazyTable::new(txn, SEEN),
            sent: LazyTable::new(txn, SENT),
            meta,
            journal: txn.open_table(JOURNAL)?,
            epochs,
            quarantine: LazyTable::new(txn, QUARANTINE),
            requests: LazyTable::new(txn, REQUESTS),
            adapter_state: LazyTable::new(txn, ADAPTER_STATE),
            raw_events: LazyTable::new(txn, RAW_EVENTS),
            early_recalls: LazyTable::new(txn, EARLY_RECALLS),
            counters,
            newest_epoch,
            kept: Vec::new(),
            decoded: RefCell::default(),
            rows: BTreeMap::new(),
            known_conversations: BTreeMap::new(),
            known_platforms,
        })
    }

    /// Makes the tables that are not there yet, so that readers find them.
    pub(in crate::store) fn make_tables(&self) -> Result<()> {
        self.epochs.read()?;
        self.foreign_ids.read()?;
        self.platforms.read()?;
        self.newest.read()?;
        self.late.read()?;
        self.keys.read()?;
        self.keys_by_age.read()?;
        self.seen.read()?;
        self.sent.read()?;
        self.quarantine.read()?;
        self.requests.read()?;
        self.adapter_state.read()?;
        self.raw_events.read()?;
        self.early_recalls.read()?;
        Ok(())
    }

    /// The cursor of the newest event.
    pub(in crate::store) fn newest_event(&self) -> Cursor {
        Cursor { epoch: self.newest_epoch, offset: self.counters.offset }
    }

    /// The offset of the next event.
    pub(in crate::store) fn next_offset(&self) -> u64 {
        self.counters.offset + 1
    }

    /// The conversation's row, if this batch has read it.
    pub(in crate::store) fn known_conversation(
        &self,
        platform: &str,
        name: &str,
    ) -> Option<&KnownConversation> {
        self.known_conversations.get(platform)?.get(name)
    }

    /// The conversation's row in memory; makes an empty one if this batch has not read it.
    pub(in crate::store) fn conversation_entry(
        &mut self,
        platform: &str,
        name: &str,
    ) -> &mut KnownConversation {
        let names = self.known_conversations.entry(platform.to_owned()).or_default();
        names.entry(name.to_owned()).or_default()
    }

    /// The conversation's row, with the changes of this batch.
    pub(in crate::store) fn conversation(
        &self,
        platform: &str,
        name: &str,
    ) -> Result<Option<ConversationRow>> {
        if let Some(known) = self.known_conversation(platform, name) {
            return Ok(known.row.clone());
        }
        let bytes = self.conversations.get((platform, name))?;
        let unpack = |bytes: &[u8]| unpack("the conversation", &[platform, name], bytes);
        bytes.map(|bytes| Ok(unpack(bytes.value())?)).transpose()
    }
}
