//! A snapshot of the store for reading: one commit, unchanged for as long as the value is held.

mod adapters;
mod gaps;
mod resume;

use super::conversation::ConversationRow;
use super::copy::{self, CopyKind};
use super::damage::{guarded, pass_over};
use super::error::{Result, StoreError};
use super::ids::IdPermutation;
use super::lazy_table::OpenedTable;
use super::listener::Head;
use super::membership::{Membership, membership};
use super::postings::Places;
use super::sealed::{SealedTable, newest_epoch, tag_at};
use super::tables::{
    CONVERSATIONS, Counters, EPOCHS, FOREIGN_IDS, JOURNAL, LATE, MADE_AT, MESSAGES, META, NEWEST,
    PLATFORMS, POSTINGS, PostingKey, QUARANTINE, counters, unpack, unpack_places,
};
use crate::log::record::{self, Unreadable};
use crate::model::cursor::{Cursor, Epoch};
use crate::model::message::{Message, Status};
use crate::model::routing::SeenPlatform;
use crate::protocol::overview::Stats;
use arc_swap::ArcSwapOption;
use redb::{ReadOnlyTable, ReadTransaction};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// The commit that readers see; `None` while the store is not open.
pub(super) type CurrentView = Arc<ArcSwapOption<View>>;

/// One commit of the store.
pub struct View {
    pub(super) ids: IdPermutation,
    counters: Counters,
    messages: OpenedTable<u64, &'static [u8]>,
    foreign_ids: OpenedTable<u128, u64>,
    postings: OpenedTable<u64, &'static [u8]>,
    platforms: OpenedTable<&'static str, u32>,
    conversations: OpenedTable<(&'static str, &'static str), &'static [u8]>,
    newest: OpenedTable<(&'static str, u64), &'static str>,
    late: OpenedTable<(u32, u64, u64), ()>,
    journal: OpenedTable<u64, &'static [u8]>,
    epochs: OpenedTable<u64, (u64, u64)>,
    quarantine: OpenedTable<u64, &'static [u8]>,
    /// The epoch of the newest event.
    epoch: Epoch,
    meta: OpenedTable<&'static str, &'static [u8]>,
    /// The platforms that were ever connected, for the routing of messages without a platform; read
    /// once.
    pub(super) seen_platforms: OnceLock<Vec<SeenPlatform>>,
    pub(super) named_platforms: OnceLock<Vec<String>>,
    /// The transaction, for tables that only a copy or a check reads.
    pub(super) txn: ReadTransaction,
}

impl View {
    /// A view of a transaction.
    pub(super) fn new(txn: ReadTransaction, ids: IdPermutation) -> Result<Self> {
        let view = Self::of(txn, ids, Epoch::default(), Counters::default());
        let counters = counters(view.meta_table()?)?;
        let epoch = newest_epoch(view.epochs_table()?)?;
        view.messages_table()?;
        view.postings_table()?;
        Ok(Self { counters, epoch, ..view })
    }

    /// A view of a transaction whose newest epoch and counters are known.
    pub(super) fn of(
        txn: ReadTransaction,
        ids: IdPermutation,
        epoch: Epoch,
        counters: Counters,
    ) -> Self {
        Self {
            ids,
            counters,
            messages: OpenedTable::default(),
            foreign_ids: OpenedTable::default(),
            postings: OpenedTable::default(),
            platforms: OpenedTable::default(),
            conversations: OpenedTable::default(),
            newest: OpenedTable::default(),
            late: OpenedTable::default(),
            journal: OpenedTable::default(),
            epochs: OpenedTable::default(),
            quarantine: OpenedTable::default(),
            epoch,
            meta: OpenedTable::default(),
            seen_platforms: OnceLock::new(),
            named_platforms: OnceLock::new(),
            txn,
        }
    }

    /// When the store was made; `None` if the version that made it did not note this.
    ///
    /// # Errors
    ///
    /// The disk refuses, or a row is damaged.
    pub fn made_at(&self) -> Result<Option<SystemTime>> {
        let row = self.meta_table()?.get(MADE_AT)?;
        let row = row.and_then(|row| Some(u64::from_le_bytes(row.value().try_into().ok()?)));
        Ok(row.map(|nanoseconds| UNIX_EPOCH + Duration::from_nanos(nanoseconds)))
    }

    pub(super) fn meta_table(&self) -> Result<&ReadOnlyTable<&'static str, &'static [u8]>> {
        self.meta.of(&self.txn, META)
    }

    pub(super) fn messages_table(&self) -> Result<&ReadOnlyTable<u64, &'static [u8]>> {
        self.messages.of(&self.txn, MESSAGES)
    }

    pub(super) fn postings_table(&self) -> Result<&ReadOnlyTable<u64, &'static [u8]>> {
        self.postings.of(&self.txn, POSTINGS)
    }

    pub(super) fn foreign_ids_table(&self) -> Result<&ReadOnlyTable<u128, u64>> {
        self.foreign_ids.of(&self.txn, FOREIGN_IDS)
    }

    pub(super) fn platforms_table(&self) -> Result<&ReadOnlyTable<&'static str, u32>> {
        self.platforms.of(&self.txn, PLATFORMS)
    }

    pub(super) fn conversations_table(
        &self,
    ) -> Result<&ReadOnlyTable<(&'static str, &'static str), &'static [u8]>> {
        self.conversations.of(&self.txn, CONVERSATIONS)
    }

    pub(super) fn newest_table(&self) -> Result<&ReadOnlyTable<(&'static str, u64), &'static str>> {
        self.newest.of(&self.txn, NEWEST)
    }

    pub(super) fn late_table(&self) -> Result<&ReadOnlyTable<(u32, u64, u64), ()>> {
        self.late.of(&self.txn, LATE)
    }

    pub(super) fn journal_table(&self) -> Result<&ReadOnlyTable<u64, &'static [u8]>> {
        self.journal.of(&self.txn, JOURNAL)
    }

    pub(super) fn quarantine_table(&self) -> Result<&ReadOnlyTable<u64, &'static [u8]>> {
        self.quarantine.of(&self.txn, QUARANTINE)
    }

    pub(super) fn epochs_table(&self) -> Result<&ReadOnlyTable<u64, (u64, u64)>> {
        self.epochs.of(&self.txn, EPOCHS)
    }

    /// The `seq` of the newest message ever made.
    pub fn head(&self) -> u64 {
        self.counters.head
    }

    /// The epoch and the offset of the newest event.
    pub fn cursor(&self) -> Cursor {
        Cursor { epoch: self.epoch, offset: self.counters.offset }
    }

    /// The newest message and event of this commit.
    pub fn position(&self) -> Head {
        Head { seq: self.head(), cursor: self.cursor() }
    }

    /// The counts, as they were kept.
    pub fn stats(&self) -> Stats {
        let count = |status| self.counters.with_status(status);
        Stats {
            pending: count(Status::Pending),
            sending: count(Status::Sending),
            sent: count(Status::Sent),
            failed: count(Status::Failed),
            canceled: count(Status::Canceled),
            total: self.counters.by_state.iter().sum(),
        }
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The message with this ID.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn by_id(&self, id: Uuid) -> Result<Option<Message>> {
        guarded(|| {
            let own = self.ids.seq(id).map_or(Ok(None), |seq| self.by_seq(seq))?;
            if own.as_ref().is_some_and(|message| message.id == id) {
                return Ok(own);
            }
            self.foreign_place(id)?.map_or(Ok(None), |seq| self.by_seq(seq))
        })
    }

    /// The `seq` of an ID in the order of creation, whether its message exists or was deleted.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn seq_of(&self, id: Uuid) -> Result<Option<u64>> {
        if let Some(seq) = self.foreign_place(id)? {
            return Ok(Some(seq));
        }
        let is_given = |seq: &u64| (1..=self.head()).contains(seq);
        let Some((seq, tag)) = self.ids.parts(id).filter(|(seq, _)| is_given(seq)) else {
            return Ok(None);
        };
        if let Ok(Some(message)) = self.by_seq(seq) {
            return Ok((message.id == id).then_some(seq));
        }
        Ok((tag_at(self.epochs_table()?, seq)? == tag).then_some(seq))
    }

    /// A key for a purpose. All nodes of a cluster have the same one, and only processes with a copy of the
    /// store can compute it.
    pub fn shared_key(&self, purpose: &str) -> [u8; 16] {
        let mut hasher = SipHasher24::new_with_key(&self.ids.key());
        hasher.write(purpose.as_bytes());
        hasher.finish128().as_bytes()
    }

    /// The `seq` in an ID of this store, also if no message has it yet.
    pub(super) fn seq_carried_by(&self, id: Uuid) -> Option<u64> {
        self.ids.seq(id)
    }

    /// The `seq` of a message whose ID does not contain it: the ID was not made here, or its `seq` was
    /// taken when the message was imported.
    pub(super) fn foreign_place(&self, id: Uuid) -> Result<Option<u64>> {
        let row = self.foreign_ids_table()?.get(id.as_u128())?;
        let seq = row.map(|row| SealedTable::ForeignIds.seq([id.as_u128()], row.value()));
        Ok(seq.transpose()?)
    }

    /// The message with this `seq`.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn by_seq(&self, seq: u64) -> Result<Option<Message>> {
        self.record(seq, |bytes| record::decode(seq, bytes))
    }

    /// The value that `read` takes from the record of the message with this `seq`.
    pub(super) fn record<T>(
        &self,
        seq: u64,
        read: impl FnOnce(&[u8]) -> std::result::Result<T, Unreadable>,
    ) -> Result<Option<T>> {
        let read = guarded(|| {
            let bytes = self.messages_table()?.get(seq)?;
            bytes.map(|bytes| Ok(read(bytes.value())?)).transpose()
        });
        read.map_err(|error| match error {
            // Other messages are on other pages.
            StoreError::Corrupt(_) => StoreError::Damaged(format!(
                "the page of the file that has message {seq} is damaged"
            )),
            error => error,
        })
    }

    /// The status of the message with this `seq`.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn status_of(&self, seq: u64) -> Result<Option<Status>> {
        guarded(|| {
            let bytes = self.messages_table()?.get(seq)?;
            bytes.map(|bytes| Ok(record::status_of(seq, bytes.value())?)).transpose()
        })
    }

    /// The message with this `seq`; `None` if it is damaged, which is logged.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn readable(&self, seq: u64) -> Result<Option<Message>> {
        pass_over(self.by_seq(seq))
    }

    /// Writes a copy of everything into a new file, which is an independent store.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or the new file cannot be written.
    pub fn copy_to(&self, path: &Path) -> Result<()> {
        copy::copy(&self.txn, path, CopyKind::Backup)
    }

    /// Writes a copy for another node of the same cluster into a new file, with the stream sequence and the
    /// state of adapters.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or the new file cannot be written.
    pub fn copy_for_a_node(&self, path: &Path) -> Result<()> {
        copy::copy(&self.txn, path, CopyKind::Node)
    }

    /// The cluster that the store belongs to, and the stream sequence that this commit has; `None` for an
    /// independent store.
    pub fn membership(&self) -> Option<Membership> {
        self.meta_table().ok().and_then(membership)
    }

    pub(super) fn conversation_row(
        &self,
        platform: &str,
        name: &str,
    ) -> Result<Option<ConversationRow>> {
        let bytes = self.conversations_table()?.get((platform, name))?;
        let unpack = |bytes: &[u8]| unpack("the conversation", &[platform, name], bytes);
        bytes.map(|bytes| Ok(unpack(bytes.value())?)).transpose()
    }

    /// The set of a term in a block.
    pub(super) fn places(&self, term: PostingKey, block: u32) -> Result<Option<Places>> {
        let row = term.row(block);
        let Some(bytes) = self.postings_table()?.get(row)? else { return Ok(None) };
        Ok(Some(unpack_places(row, bytes.value())?))
    }
}
