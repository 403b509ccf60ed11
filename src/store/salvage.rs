//! Making a store anew from what can still be read of a damaged file.
//!
//! The file is read page by page. Rows that are whole are carried over as they are; the index and the
//! order of conversations are built again from the messages. The new file takes the place of the damaged
//! one, which is kept beside it; the write-ahead log is applied afterwards, as at any opening.

use super::commit::commit;
use super::conversation::ConversationRow;
use super::damage::guarded;
use super::error::{Result, StoreError};
use super::ids::IdPermutation;
use super::open::initialise;
use super::options::StoreOptions;
use super::pages::{Found, PageFile, Tree};
use super::postings::{Places, locate};
use super::sealed::{SealedTable, key_of, mark_key};
use super::tables::{
    ADAPTER_STATE, CONVERSATIONS, Counters, EARLY_RECALLS, EPOCHS, FOREIGN_IDS, JOURNAL, KEYS,
    KEYS_BY_AGE, MARK, MESSAGES, META, PLATFORM_PREFIX, PLATFORMS, POSTINGS, PostingKey,
    QUARANTINE, REQUESTS, SCHEMA, SEEN, SENT, TOLD, counters, key_check, pack, pack_places, unpack,
    unpack_request,
};
use super::{bot_events, early_recall, journal, order, quarantine, recount, set_aside};
use crate::clock::now;
use crate::log::disk::{make_private, rename_durably, sync_folder_of};
use crate::log::file::kept_beside;
use crate::log::record::{self, Unreadable};
use crate::model::message::Message;
use redb::backends::FileBackend;
use redb::{
    Database, Key, ReadableTable, StorageBackend as _, TableDefinition, TableHandle as _, Value,
    WriteTransaction,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::ops::{Bound, Range};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes of rows that share a transaction of the new file.
const BYTES_AT_ONCE: usize = 16 << 20;

/// Damaged places that are told one by one, at most.
const MAX_TOLD: usize = 50;

/// What became of a damaged store.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// The damaged file, which is kept.
    pub kept: PathBuf,
    /// Messages that could be read.
    pub messages: u64,
    /// What could not be read: a line for each table, and for each place.
    pub lost: Vec<String>,
}

impl Salvaged {
    /// Tells of it in the log of the program.
    pub(super) fn tell(&self) {
        for lost in &self.lost {
            tracing::error!("lost: {lost}");
        }
        let (messages, kept) = (self.messages, self.kept.display());
        tracing::error!(
            messages,
            "the store's file was damaged and is made anew from what could be read; the damaged file is kept in {kept}"
        );
    }
}

/// Whether a row is whole.
enum RowState {
    /// Its own checksum is right.
    Whole,
    /// It has no checksum of its own: it is as good as its page.
    Unsealed,
    Damaged,
}

impl From<std::result::Result<bool, Unreadable>> for RowState {
    fn from(sealed: std::result::Result<bool, Unreadable>) -> Self {
        sealed.map_or(Self::Damaged, |has_sum| if has_sum { Self::Whole } else { Self::Unsealed })
    }
}

fn whole<T, E>(read: std::result::Result<T, E>) -> RowState {
    if read.is_ok() { RowState::Whole } else { RowState::Damaged }
}

/// Makes a store anew from what can be read of its file. Without a message that can be read, nothing is
/// changed.
///
/// # Errors
///
/// Another process has the file, it is no store of this version, nothing can be read, or the disk refuses.
pub fn salvage(options: &StoreOptions) -> Result<Salvaged> {
    let path = std::fs::canonicalize(&options.path).unwrap_or_else(|_| options.path.clone());
    let failed = |error: &dyn std::fmt::Display| {
        StoreError::Open(format!(
            "{} is damaged and cannot be made anew: {error}\n  restore a backup, or choose another file with --db",
            path.display()
        ))
    };
    let file = OpenOptions::new().read(true).write(true).open(&path);
    let file = file.map_err(|error| failed(&error))?;
    // Locks the file, so that nobody opens it meanwhile.
    let lock = FileBackend::new(file).map_err(|error| failed(&error))?;
    if !lock.try_lock_range(Bound::Unbounded, Bound::Unbounded).map_err(|error| failed(&error))? {
        return Err(StoreError::InUse(format!("{} is in use by another process", path.display())));
    }
    let pages = PageFile::open(&path).map_err(|error| failed(&error))?;
    let pages = pages.ok_or_else(|| failed(&"its first bytes are damaged"))?;
    let new = path.with_added_extension(format!("salvage-{}", uuid::Uuid::new_v4().simple()));
    let salvaged = carry_over(&pages, &new)
        .map_err(|error| failed(&error))
        .and_then(|salvaged| put_in_place(&path, &new, salvaged).map_err(|error| failed(&error)));
    if salvaged.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    salvaged
}

/// Damaged pages of a store's file, in words: a line for each, and for each table the rows that it lacks.
/// Nothing is changed. Empty where the file cannot be read so.
pub(super) fn damaged_pages(path: &Path) -> Vec<String> {
    let Ok(Some(pages)) = PageFile::open(path) else { return Vec::new() };
    let Ok((tables, above)) = pages.tables() else { return Vec::new() };
    let mut told = Vec::new();
    if above > 0 {
        told.push(format!("{above} pages with the list of tables are damaged"));
    }
    for (name, tree) in &tables {
        let (mut rows, mut damaged) = (0, Vec::new());
        let seen = pages.each(tree, &mut |found| match found {
            Found::DamagedPage(place) => damaged.push(place),
            Found::Row { .. } => rows += 1,
        });
        if let Err(error) = seen {
            told.push(format!("the table `{name}` could not be read to the end: {error}"));
        }
        for Range { start, end } in damaged {
            told.push(format!("bytes {start} to {end} of the file are damaged: table `{name}`"));
        }
        if rows != tree.rows {
            told.push(format!("the table `{name}` has {rows} of {} rows", tree.rows));
        }
    }
    told
}

/// Damaged stores that are kept beside a store.
pub fn kept_stores(store: &Path) -> Vec<PathBuf> {
    let store = std::fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    let (Some(folder), Some(name)) = (store.parent(), store.file_name()) else { return Vec::new() };
    let is_kept = |path: &PathBuf| {
        let end = path.file_name().and_then(|found| {
            found.to_str()?.strip_prefix(name.to_str()?)?.strip_prefix(".damaged.")
        });
        end.is_some_and(|at| at.parse::<u64>().is_ok())
    };
    let all = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    let mut kept: Vec<_> = all.filter(is_kept).collect();
    kept.sort_unstable();
    kept
}

/// When the newest damaged file was set aside that is kept beside a store, be it a log or a store; `None`
/// where there is none. What was lost may have named files of before that.
pub fn damaged_at(store: &Path) -> Option<SystemTime> {
    let mut kept = kept_stores(store);
    kept.extend(kept_beside(store));
    let at = |path: &PathBuf| path.extension()?.to_str()?.parse().ok();
    kept.iter().filter_map(at).max().map(|at| UNIX_EPOCH + Duration::from_secs(at))
}

/// Gives the new file the name of the damaged one, which gets another; at no moment is there none.
fn put_in_place(path: &Path, new: &Path, salvaged: Salvaged) -> std::io::Result<Salvaged> {
    let mut kept = path.with_added_extension(format!("damaged.{}", now()));
    while kept.exists() {
        kept = path.with_added_extension(format!("damaged.{}", now() + 1));
    }
    if std::fs::hard_link(path, &kept).is_err() {
        // Some file systems have no links.
        rename_durably(path, &kept)?;
    }
    sync_folder_of(&kept)?;
    rename_durably(new, path)?;
    Ok(Salvaged { kept, ..salvaged })
}

/// Carries everything that can be read over into a new file.
fn carry_over(pages: &PageFile, new: &Path) -> Result<Salvaged> {
    let read = |error: std::io::Error| StoreError::Read(error.to_string());
    let (tables, damaged_above) = pages.tables().map_err(read)?;
    make_private(new).map_err(|error| StoreError::Write(error.to_string()))?;
    let target = Database::create(new).map_err(|error| StoreError::Write(error.to_string()))?;
    let ids = initialise(&target)?;
    let mut carrier = Carrier { pages, tables, target, lost: Vec::new(), places: 0 };
    if damaged_above > 0 {
        carrier.lost.push(format!("{damaged_above} pages with the list of tables are damaged"));
    }
    let key = carrier.meta()?;
    let messages = carrier.rows(MESSAGES, "messages", |seq, row| match row.first() {
        Some(1) => RowState::Unsealed,
        _ => whole(record::decode(seq, row)),
    })?;
    if messages.carried == 0 {
        return Err(StoreError::Read("no message can be read".into()));
    }
    carrier.others()?;
    let Carrier { target, lost, .. } = carrier;
    // Without the key of the old file, its own IDs are those of elsewhere.
    let ids = key.map_or(ids, IdPermutation::new);
    arrange(&target, ids)?;
    target.close().map_err(|error| StoreError::Write(error.to_string()))?;
    Ok(Salvaged { kept: PathBuf::new(), messages: messages.carried, lost })
}

/// Carries rows of one file over into another.
struct Carrier<'a> {
    pages: &'a PageFile,
    tables: BTreeMap<String, Tree>,
    target: Database,
    lost: Vec<String>,
    /// Damaged places that were told one by one.
    places: usize,
}

/// Numbers of a table that was carried over.
#[derive(Clone, Copy, Default)]
struct Carried {
    carried: u64,
    lost: u64,
}

impl Carrier<'_> {
    /// Carries the small values over; gives the key of the IDs, if it can be read.
    fn meta(&mut self) -> Result<Option<[u8; 16]>> {
        let (mut values, mut damaged) = (HashMap::new(), Vec::new());
        if let Some(tree) = self.tables.get("meta") {
            let seen = self.pages.each(tree, &mut |found| match found {
                Found::DamagedPage(place) => damaged.push(DamagedPlace::at(place)),
                Found::Row { key, value, is_page_whole } => {
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
            // An empty row is counted again when the store is opened.
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

    fn others(&mut self) -> Result<()> {
        self.rows(FOREIGN_IDS, "IDs of elsewhere", |id, row| {
            SealedTable::ForeignIds.open([id], row).map(|(_, sealed)| sealed).into()
        })?;
        self.rows(PLATFORMS, "platforms", |_, _| RowState::Unsealed)?;
        self.rows(CONVERSATIONS, "conversations", |(platform, name), row| {
            whole(unpack::<ConversationRow>("", &[platform, name], row))
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
        let epochs = self.rows(EPOCHS, "epochs", |offset, (epoch, seq)| {
            let others = [offset.into(), epoch.into()];
            SealedTable::Epochs.open(others, seq).map(|(_, sealed)| sealed).into()
        })?;
        let kept =
            self.rows(JOURNAL, "kept events", |first, row| whole(journal::decode(first, row)))?;
        if kept.lost + epochs.lost > 0 {
            self.end_journal()?;
        }
        self.rows(QUARANTINE, "events that were set aside", |offset, row| {
            whole(set_aside::decode(offset, row))
        })?;
        self.rows(REQUESTS, "requests", |id, row| whole(unpack_request(id, row)))?;
        self.rows(ADAPTER_STATE, "values of adapters", |(adapter, name), row| {
            whole(unpack::<Vec<u8>>("", &[adapter, name], row))
        })?;
        self.rows(TOLD, "raw events for bots", |offset, row| {
            whole(bot_events::time_of(offset, row).ok_or(()))
        })?;
        self.rows(EARLY_RECALLS, "early recalls", |key, row| {
            whole(early_recall::decode(key, row))
        })?;
        Ok(())
    }

    /// Forgets the kept events: a client that resumed would miss those that are lost without a word.
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

    /// Carries the rows of a table over that are whole, and tells of the others.
    fn rows<K: Key + 'static, V: Value + 'static>(
        &mut self,
        definition: TableDefinition<'static, K, V>,
        name: &str,
        mut look: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> RowState,
    ) -> Result<Carried> {
        let Some(tree) = self.tables.get(definition.name()).copied() else {
            return Ok(Carried::default());
        };
        let mut batch = RowBatch { target: &self.target, definition, rows: Vec::new(), bytes: 0 };
        let (mut carried, mut refused) = (0, Ok(()));
        let (mut damaged, mut last): (Vec<DamagedPlace>, Vec<u8>) = (Vec::new(), Vec::new());
        let seen = self.pages.each(&tree, &mut |found| match found {
            Found::DamagedPage(place) => {
                damaged.push(DamagedPlace { place, behind: last.clone(), before: Vec::new() });
            }
            Found::Row { key, value, is_page_whole } => {
                // The bytes of a damaged page may be no text, which the types take for granted.
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
        Ok(Carried { carried, lost })
    }

    /// Tells of damaged places; `shown` makes a key readable.
    fn note(
        &mut self,
        name: &str,
        shown: Option<&dyn Fn(&[u8]) -> String>,
        damaged: &[DamagedPlace],
    ) {
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

/// A damaged page, between the rows of two whole ones.
struct DamagedPlace {
    place: Range<u64>,
    /// The keys next to it; empty where there is none.
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

/// Builds what follows from the messages: the index, the numbers of conversations, the counts, the order of
/// idempotency keys, and IDs that do not lead to their message.
fn arrange(target: &Database, ids: IdPermutation) -> Result<()> {
    let txn = target.begin_write()?;
    let mut names = Names::read(&txn)?;
    let mut rows: BTreeMap<u64, Places> = BTreeMap::new();
    {
        let mut foreign = txn.open_table(FOREIGN_IDS)?;
        for row in txn.open_table(MESSAGES)?.iter()? {
            let (seq, bytes) = row?;
            let Ok(message) = record::decode(seq.value(), bytes.value()) else { continue };
            let (seq, id) = (message.seq, message.id.as_u128());
            if ids.seq(message.id) != Some(seq) {
                foreign.insert(id, SealedTable::ForeignIds.seal([id], seq))?;
            }
            let (block, place) = locate(seq);
            let [platform, conversation] = names.add(&message);
            let state = PostingKey::of_state(message.direction, message.status);
            for term in [state, platform, conversation] {
                rows.entry(term.row(block)).or_default().set(place, true);
            }
        }
        let mut postings = txn.open_table(POSTINGS)?;
        for (row, places) in rows {
            postings.insert(row, pack_places(row, &places).as_slice())?;
        }
        let mut by_age = txn.open_table(KEYS_BY_AGE)?;
        for row in txn.open_table(KEYS)?.iter()? {
            let (key, row) = row?;
            let (_, _, at) = row.value();
            by_age.insert((at, key.value()), ())?;
        }
    }
    names.write(&txn)?;
    order::arrange(&txn)?;
    recount::count_again(&txn)?;
    commit(txn)
}

/// The terms of platforms and the rows of conversations.
struct Names {
    platforms: BTreeMap<String, PostingKey>,
    conversations: BTreeMap<(String, String), ConversationRow>,
    /// Conversations whose row was lost.
    new: HashSet<PostingKey>,
    next: u32,
}

impl Names {
    /// Reads what was carried over; the numbers of messages are counted again.
    fn read(txn: &WriteTransaction) -> Result<Self> {
        let mut platforms = BTreeMap::new();
        for row in txn.open_table(PLATFORMS)?.iter()? {
            let (name, term) = row?;
            platforms.insert(name.value().to_owned(), PostingKey(term.value()));
        }
        // These rows have a checksum.
        for row in txn.open_table(META)?.iter()? {
            let (key, row) = row?;
            if let Some(name) = key.value().strip_prefix(PLATFORM_PREFIX)
                && let Ok(term) = unpack("", &["platform", name], row.value())
            {
                platforms.insert(name.to_owned(), term);
            }
        }
        let mut terms: HashSet<u32> = platforms.values().map(|term| term.0).collect();
        let mut conversations = BTreeMap::new();
        for (platform, name, row) in order::conversations(&txn.open_table(CONVERSATIONS)?)? {
            // Without its number a conversation gets another.
            if terms.insert(row.term.0) {
                let row = ConversationRow { messages: 0, last_seq: 0, ..row };
                conversations.insert((platform, name), row);
            }
        }
        let next = terms.into_iter().max().map_or(PostingKey::FIRST_NAMED, |highest| highest + 1);
        let next = next.max(PostingKey::FIRST_NAMED);
        Ok(Self { platforms, conversations, new: HashSet::new(), next })
    }

    /// Counts a message; gives the terms of its platform and of its conversation.
    fn add(&mut self, message: &Message) -> [PostingKey; 2] {
        let platform = message.platform.as_deref().unwrap_or_default();
        let next = &mut self.next;
        let mut new_term = || {
            *next += 1;
            PostingKey(*next - 1)
        };
        let platform_term =
            *self.platforms.entry(platform.to_owned()).or_insert_with(&mut new_term);
        let key = (platform.to_owned(), message.recipient.clone());
        let row = self.conversations.entry(key).or_insert_with(|| {
            let row = ConversationRow::new(new_term());
            self.new.insert(row.term);
            row
        });
        row.messages += 1;
        row.last_seq = message.seq;
        row.last_at = row.last_at.max(message.created_at);
        row.see(message);
        if self.new.contains(&row.term) {
            // Its read mark is lost.
            row.read(message.seq);
        }
        [platform_term, row.term]
    }

    fn write(&self, txn: &WriteTransaction) -> Result<()> {
        let mut platforms = txn.open_table(PLATFORMS)?;
        for (name, term) in &self.platforms {
            platforms.insert(&**name, term.0)?;
        }
        let mut conversations = txn.open_table(CONVERSATIONS)?;
        for ((platform, name), row) in &self.conversations {
            let bytes = pack(&[platform, name], row)?;
            conversations.insert((&**platform, &**name), bytes.as_slice())?;
        }
        Ok(())
    }
}
