//! Copies rows of a damaged file into a new one, table by table.

use crate::log::record::Unreadable;
use crate::store::commit::commit;
use crate::store::conversation::ConversationRow;
use crate::store::damage::guarded;
use crate::store::error::{Result, StoreError};
use crate::store::pages::{DamagedFile, Tree, TreeEntry};
use crate::store::sealed::{SealedTable, key_of, mark_key};
use crate::store::tables::{
    ADAPTER_STATE, CONVERSATIONS, Counters, EARLY_RECALLS, EPOCHS, FOREIGN_IDS, JOURNAL, KEYS,
    MARK, META, PLATFORMS, QUARANTINE, RAW_EVENTS, REQUESTS, SCHEMA, SEEN, SENT, counters,
    key_check, pack, unpack, unpack_request,
};
use crate::store::{early_recall, journal, quarantine, raw_event_row};
use redb::{Database, Key, TableDefinition, TableHandle as _, Value};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::ops::Range;

/// Bytes of rows in one transaction of the new file.
const BYTES_AT_ONCE: usize = 16 << 20;

/// The most damaged places that are reported one by one.
const MAX_TOLD: usize = 50;

/// The state of a row.
pub(super) enum RowState {
    /// Its own checksum is right.
    Whole,
    /// It has no checksum of its own, so only that of its page counts.
    Unsealed,
    Damaged,
}

impl From<std::result::Result<bool, Unreadable>> for RowState {
    fn from(sealed: std::result::Result<bool, Unreadable>) -> Self {
        sealed.map_or(Self::Damaged, |has_sum| if has_sum { Self::Whole } else { Self::Unsealed })
    }
}

pub(super) fn whole<T, E>(read: &std::result::Result<T, E>) -> RowState {
    if read.is_ok() { RowState::Whole } else { RowState::Damaged }
}

/// Copies rows of one file into another.
pub(super) struct Carrier<'a> {
    pub(super) pages: &'a DamagedFile,
    pub(super) tables: BTreeMap<String, Tree>,
    pub(super) target: Database,
    pub(super) lost: Vec<String>,
    /// Damaged places that were reported one by one.
    pub(super) places: usize,
}

/// Formats a key for people.
type KeyText = dyn Fn(&[u8]) -> String;

impl Carrier<'_> {
    /// Copies the small values. Returns the key of the IDs, if it can be read.
    pub(super) fn meta(&mut self) -> Result<Option<[u8; 16]>> {
        let (mut values, mut damaged) = (HashMap::new(), Vec::new());
        if let Some(tree) = self.tables.get("meta") {
            let seen = self.pages.each(tree, &mut |found| match found {
                TreeEntry::DamagedPage(place) => damaged.push(DamagedPlace::at(place)),
                TreeEntry::Row { key, value, is_page_whole } => {
                    let name = String::from_utf8_lossy(key).into_owned();
                    values.insert(name, (value.to_vec(), is_page_whole));
                }
            });
            seen.map_err(|error| StoreError::Read(error.to_string()))?;
        }
        self.note("small values", None, &damaged);
        let value = |name: &str| values.get(name).map(|(value, _)| value.as_slice());
        let key = value("id key").and_then(|key| <[u8; 16]>::try_from(key).ok());
        let key = key.filter(|key| value("id check") == Some(key_check(*key).as_slice()));
        if key.is_some() {
            if value("application").is_some_and(|mark| mark != MARK) {
                return Err(StoreError::Read("it belongs to another program".into()));
            }
            if value("schema").is_some_and(|schema| schema != SCHEMA.to_le_bytes()) {
                return Err(StoreError::Read("it is of another version".into()));
            }
        } else {
            let text = "the key of the IDs, without which the write-ahead log cannot be read";
            self.lost.push(text.to_owned());
        }
        let txn = self.target.begin_write()?;
        {
            let mut meta = txn.open_table(META)?;
            if let Some(key) = key {
                meta.insert("id key", key.as_slice())?;
                meta.insert("id check", key_check(key).as_slice())?;
            }
            // An empty row of counters is counted again when the store is opened.
            meta.insert("counters", b"".as_slice())?;
            for (name, (value, is_page_whole)) in &values {
                let is_taken = match name.as_str() {
                    "application" | "schema" | "id key" | "id check" | quarantine::BYTES_KEY => {
                        false
                    }
                    "counters" => unpack::<Counters>("", &["counters"], value).is_ok(),
                    _ => *is_page_whole,
                };
                if is_taken {
                    meta.insert(&**name, value.as_slice())?;
                }
            }
        }
        commit(txn)?;
        Ok(key)
    }

    pub(super) fn others(&mut self) -> Result<()> {
        self.rows(FOREIGN_IDS, "IDs of elsewhere", |id, row| {
            SealedTable::ForeignIds.open([id], row).map(|(_, sealed)| sealed).into()
        })?;
        self.rows(PLATFORMS, "platforms", |_, _| RowState::Unsealed)?;
        self.rows(CONVERSATIONS, "conversations", |(platform, name), row| {
            whole(&unpack::<ConversationRow>("", &[platform, name], row))
        })?;
        self.rows(KEYS, "idempotency keys", |key, row| {
            key_of(key, row).map(|(_, sealed)| sealed).into()
        })?;
        for (table, name, sealed) in [
            (SEEN, "marks of messages that were received", SealedTable::Seen),
            (SENT, "marks of messages that were sent", SealedTable::Sent),
        ] {
            self.rows(table, name, |key, row| {
                sealed.open(mark_key(key), row).map(|(_, sealed)| sealed).into()
            })?;
        }
        let lost_before = self.lost.len();
        self.rows(EPOCHS, "epochs", |offset, (epoch, seq)| {
            let others = [offset.into(), epoch.into()];
            SealedTable::Epochs.open(others, seq).map(|(_, sealed)| sealed).into()
        })?;
        if self.lost.len() > lost_before {
            self.forget_epochs()?;
        }
        self.rows(JOURNAL, "kept events", |first, row| whole(&journal::decode(first, row)))?;
        self.rows(QUARANTINE, "events that were quarantined", |offset, row| {
            whole(&quarantine::decode(offset, row))
        })?;
        self.rows(REQUESTS, "requests", |id, row| whole(&unpack_request(id, row)))?;
        self.rows(ADAPTER_STATE, "values of adapters", |(adapter, name), row| {
            whole(&unpack::<Vec<u8>>("", &[adapter, name], row))
        })?;
        self.rows(RAW_EVENTS, "raw events for bots", |offset, row| {
            whole(&raw_event_row::time_of(offset, row).ok_or(()))
        })?;
        self.rows(EARLY_RECALLS, "early recalls", |key, row| {
            whole(&early_recall::decode(key, row))
        })?;
        if !self.lost.is_empty() {
            self.end_journal()?;
        }
        Ok(())
    }

    /// Removes all epochs if one of them may be lost. Otherwise an earlier one would count as the newest,
    /// and the write-ahead log would not seem to follow the tables.
    fn forget_epochs(&self) -> Result<()> {
        let txn = self.target.begin_write()?;
        txn.open_table(EPOCHS)?.retain(|_, _| false)?;
        commit(txn)
    }

    /// Removes the journal. Otherwise a client that resumes would miss lost events without noticing.
    fn end_journal(&self) -> Result<()> {
        let txn = self.target.begin_write()?;
        txn.open_table(JOURNAL)?.retain(|_, _| false)?;
        let counted = counters(&txn.open_table(META)?);
        if let Ok(counted) = counted {
            let counted = Counters { kept_from: counted.offset + 1, ..counted };
            let row = pack(&["counters"], &counted)?;
            txn.open_table(META)?.insert("counters", row.as_slice())?;
        }
        commit(txn)
    }

    /// Copies the whole rows of a table and reports the others. Returns the number of whole ones.
    pub(super) fn rows<K: Key + 'static, V: Value + 'static>(
        &mut self,
        definition: TableDefinition<'static, K, V>,
        name: &str,
        mut look: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> RowState,
    ) -> Result<u64> {
        let Some(tree) = self.tables.get(definition.name()).copied() else {
            return Ok(0);
        };
        let mut batch = RowBatch { target: &self.target, definition, rows: Vec::new(), bytes: 0 };
        let (mut carried, mut refused) = (0, Ok(()));
        let (mut damaged, mut last): (Vec<DamagedPlace>, Vec<u8>) = (Vec::new(), Vec::new());
        let seen = self.pages.each(&tree, &mut |found| match found {
            TreeEntry::DamagedPage(place) => {
                damaged.push(DamagedPlace { place, behind: last.clone(), before: Vec::new() });
            }
            TreeEntry::Row { key, value, is_page_whole } => {
                // Bytes of a damaged page may not be valid for the type, which may panic.
                let state = guarded(|| Ok(look(K::from_bytes(key), V::from_bytes(value))));
                let is_whole = match state.unwrap_or(RowState::Damaged) {
                    RowState::Whole => true,
                    RowState::Unsealed => is_page_whole,
                    RowState::Damaged => false,
                };
                if is_page_whole {
                    for place in damaged.iter_mut().rev().take_while(|it| it.before.is_empty()) {
                        key.clone_into(&mut place.before);
                    }
                    key.clone_into(&mut last);
                }
                if is_whole && refused.is_ok() {
                    carried += 1;
                    refused = batch.add(key, value);
                }
            }
        });
        seen.map_err(|error| StoreError::Read(error.to_string()))?;
        refused?;
        batch.write()?;
        let lost = tree.rows.saturating_sub(carried);
        if lost > 0 {
            self.lost.push(format!("{name}: {lost} of {} rows cannot be read", tree.rows));
        }
        let shown = |key: &[u8]| format!("{:?}", K::from_bytes(key));
        self.note(name, Some(&shown), &damaged);
        Ok(carried)
    }

    /// Reports damaged places. `shown` formats a key.
    fn note(&mut self, name: &str, shown: Option<&KeyText>, damaged: &[DamagedPlace]) {
        for DamagedPlace { place, behind, before } in damaged {
            self.places += 1;
            if self.places > MAX_TOLD {
                continue;
            }
            let (from, to) = (place.start, place.end);
            let mut text = format!("bytes {from} to {to} of the file are damaged: {name}");
            if let Some(shown) = shown {
                for (word, key) in [("behind", behind), ("before", before)] {
                    if !key.is_empty() {
                        let _ = write!(text, ", {word} {}", shown(key));
                    }
                }
            }
            self.lost.push(text);
        }
    }
}

/// A damaged page between two whole rows.
struct DamagedPlace {
    place: Range<u64>,
    /// The keys next to it; empty if there are none.
    behind: Vec<u8>,
    before: Vec<u8>,
}

impl DamagedPlace {
    fn at(place: Range<u64>) -> Self {
        Self { place, behind: Vec::new(), before: Vec::new() }
    }
}

/// Rows that are written in one transaction.
struct RowBatch<'a, K: Key + 'static, V: Value + 'static> {
    target: &'a Database,
    definition: TableDefinition<'static, K, V>,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
}

impl<K: Key + 'static, V: Value + 'static> RowBatch<'_, K, V> {
    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.bytes += key.len() + value.len();
        self.rows.push((key.to_vec(), value.to_vec()));
        if self.bytes > BYTES_AT_ONCE { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        let txn = self.target.begin_write()?;
        {
            let mut table = txn.open_table(self.definition)?;
            for (key, value) in self.rows.drain(..) {
                table.insert(K::from_bytes(&key), V::from_bytes(&value))?;
            }
        }
        self.bytes = 0;
        commit(txn)
    }
}
