//! Opening a store file: making it, knowing it for ours, and saying clearly what is wrong.

use super::error::{Result, StoreError};
use super::file::{FoundLog, StoreFile};
use super::ids::IdPermutation;
use super::migration;
use super::options::{Access, StoreOptions};
use super::overlay::Overlay;
use super::recount::recount_if_damaged;
use super::tables::{MARK, META, SCHEMA, counters, key_check};
use super::transaction::{Transaction, TransactionContext};
use super::view::View;
use crate::clock::now;
use crate::log::Log as _;
use crate::log::disk::{PreallocatedFile, StorageFactory, StoreFileKind, make_private};
use redb::{
    Builder, Database, DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase,
    TableError,
};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The first bytes of every redb file.
const REDB_MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";

/// The pauses between two looks at a file that another process has.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(100)];

/// Identity of a store.
struct Identity {
    schema: u32,
    ids: IdPermutation,
}

/// An open file whose tables are there and whose schema is ours.
pub(super) struct Opened {
    file: Handle,
    ids: IdPermutation,
}

enum Handle {
    Read(ReadOnlyDatabase),
    Write(Box<StoreFile>),
}

impl Opened {
    pub(super) fn view(&self) -> Result<View> {
        let txn = match &self.file {
            Handle::Read(database) => database.begin_read()?,
            Handle::Write(file) => file.database.begin_read()?,
        };
        View::new(txn, self.ids)
    }

    pub(super) fn into_writable(self) -> Option<StoreFile> {
        match self.file {
            Handle::Read(_) => None,
            Handle::Write(file) => Some(*file),
        }
    }
}

/// Opens a store; waits for another process that has its file, which does not take long where that
/// is a command.
pub(super) fn open(options: &StoreOptions) -> Result<Opened> {
    let began = Instant::now();
    let [mut pause, longest] = LOOK_AGAIN;
    loop {
        match try_open(options) {
            Err(StoreError::InUse(_)) if began.elapsed() < options.patience => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(longest);
            }
            opened => return opened,
        }
    }
}

fn try_open(options: &StoreOptions) -> Result<Opened> {
    let path = &options.path;
    if options.storage.is_some() {
        return open_for_writing(options);
    }
    let exists = has_content(path)?;
    match options.access {
        Access::Read if !exists => Err(StoreError::Open(format!(
            "there is no store at {}\n  `rechat serve` or `rechat send` makes one; `--db` names another place",
            path.display()
        ))),
        Access::Read => match builder(options).open_read_only(path) {
            Ok(database) => {
                let txn = database.begin_read()?;
                let Identity { schema, ids } = identify(&txn, path)?;
                // A log that goes beyond the tables has to be applied first, too, and what is damaged
                // is to be counted again.
                match goes_beyond(options, ids, &txn) {
                    Ok(false) if schema == SCHEMA => {
                        return Ok(Opened { file: Handle::Read(database), ids });
                    }
                    Err(error) if schema == SCHEMA && !matches!(error, StoreError::Damaged(_)) => {
                        return Err(error);
                    }
                    _ => {}
                }
                drop((txn, database));
                open_for_writing(options)
            }
            // A store that was not closed has to be repaired first, which takes writing.
            Err(DatabaseError::RepairAborted) => open_for_writing(options),
            Err(error) => Err(refused(path, &error)),
        },
        Access::Write => {
            if exists {
                look_before_writing(options)?;
            } else {
                make(options)?;
            }
            open_for_writing(options)
        }
    }
}

/// Whether the log holds something beyond the tables.
fn goes_beyond(options: &StoreOptions, ids: IdPermutation, txn: &ReadTransaction) -> Result<bool> {
    let offset = counters(&txn.open_table(META)?)?.offset;
    let contents = options.log(ids.key()).read(offset + 1)?;
    Ok(!contents.batches.is_empty() || !contents.damage.is_empty())
}

/// A foreign file is found out before it is opened for writing, and so stays untouched.
fn look_before_writing(options: &StoreOptions) -> Result<()> {
    match builder(options).open_read_only(&options.path) {
        Ok(database) => match identify(&database.begin_read()?, &options.path) {
            Err(StoreError::Absent) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        },
        Err(DatabaseError::RepairAborted) => Ok(()),
        Err(error) => Err(refused(&options.path, &error)),
    }
}

fn open_for_writing(options: &StoreOptions) -> Result<Opened> {
    let path = &options.path;
    let began = std::time::Instant::now();
    let file = if let Some(StorageFactory(open)) = &options.storage {
        PreallocatedFile::on(open(StoreFileKind::Tables))
    } else {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(|error| disk(path, "opened", &error))?;
        PreallocatedFile::new(file).map_err(|error| refused(path, &error))?
    };
    let database = builder(options)
        .set_repair_callback(move |repair| {
            let percent = (repair.progress() * 100.0).round();
            tracing::info!(
                percent,
                seconds = began.elapsed().as_secs(),
                "repairing a store that was not closed"
            );
        })
        .create_with_backend(file)
        .map_err(|error| refused(path, &error))?;
    let identity = identify(&database.begin_read()?, path);
    let context = match identity {
        // Made, and the process ended before its tables were: as good as new.
        Err(StoreError::Absent) => options.context(initialise(&database)?),
        Ok(Identity { schema, ids }) => {
            let context = options.context(ids);
            if schema < SCHEMA {
                migration::migrate(options, &database, &context, schema)?;
            }
            recount_if_damaged(options, &database, ids.key())?;
            context
        }
        Err(error) => return Err(error),
    };
    let (mut file, found) = caught_up(options, database, context)?;
    let aside = match found {
        FoundLog::UsedUp => None,
        FoundLog::Damaged => Some(file.log.keep_aside("damaged")?),
        FoundLog::DoesNotFollow => Some(file.log.keep_aside("does-not-follow")?),
        FoundLog::Foreign => Some(file.log.keep_aside("foreign")?),
    };
    if let Some(aside) = aside {
        tell_kept(found, &aside);
    }
    file.log.remove();
    let ids = file.context.ids;
    Ok(Opened { file: Handle::Write(Box::new(file)), ids })
}

/// Tells why the write-ahead log is kept, and where.
fn tell_kept(found: FoundLog, aside: &Path) {
    let aside = aside.display();
    match found {
        FoundLog::UsedUp => {}
        FoundLog::Damaged => tracing::error!(
            "what could be read of the damaged write-ahead log is in the store; the log is kept in {aside}"
        ),
        FoundLog::DoesNotFollow => tracing::error!(
            "the write-ahead log beside the store does not follow it and is kept in {aside}; was an older copy of the store put back?"
        ),
        FoundLog::Foreign => tracing::error!(
            "the write-ahead log beside the store has no whole record of this store and is kept in {aside}; is it of another store, or damaged?"
        ),
    }
}

/// Opens for reading a file that cannot be written and may have to be repaired; it is left alone.
pub(super) fn open_as_it_is(options: &StoreOptions) -> Result<Opened> {
    let file = on_overlay(options)?;
    let ids = file.context.ids;
    Ok(Opened { file: Handle::Write(Box::new(file)), ids })
}

/// The store as it is on disk; what opening it changes stays in memory.
pub(super) fn on_overlay(options: &StoreOptions) -> Result<StoreFile> {
    let path = &options.path;
    let overlay = Overlay::over(path).map_err(|error| disk(path, "opened", &error))?;
    let database =
        builder(options).create_with_backend(overlay).map_err(|error| refused(path, &error))?;
    let Identity { ids, schema } = identify(&database.begin_read()?, path)?;
    if schema < SCHEMA {
        let text = format!("{} is of an older version; open it for writing once", path.display());
        return Err(StoreError::Open(text));
    }
    Ok(caught_up(options, database, options.context(ids))?.0)
}

/// Takes over what the write-ahead log holds beyond the tables.
fn caught_up(
    options: &StoreOptions,
    database: Database,
    context: TransactionContext,
) -> Result<(StoreFile, FoundLog)> {
    let log = Box::new(options.log(context.ids.key()));
    let mut file = StoreFile { database, context, log };
    let found = file.catch_up()?;
    Ok((file, found))
}

fn builder(options: &StoreOptions) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    builder
}

/// Checks the mark and the schema; [`StoreError::Absent`] where the file has no tables at all.
fn identify(txn: &ReadTransaction, path: &Path) -> Result<Identity> {
    let foreign = || {
        StoreError::Open(format!(
            "{} belongs to another program; it is left as it is\n  choose another file with --db",
            path.display()
        ))
    };
    let meta = match txn.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) if txn.list_tables()?.next().is_none() => {
            return Err(StoreError::Absent);
        }
        Err(TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Err(foreign()),
    };
    if meta.get("application")?.is_none_or(|mark| mark.value() != MARK) {
        return Err(foreign());
    }
    let schema =
        meta.get("schema")?.and_then(|v| Some(u32::from_le_bytes(v.value().try_into().ok()?)));
    let key = meta.get("id key")?.and_then(|v| v.value().try_into().ok());
    let check = meta.get("id check")?.and_then(|v| v.value().try_into().ok());
    let is_whole = |schema, key| schema == 1 || check == Some(key_check(key));
    match (schema, key) {
        (Some(schema @ 1..=SCHEMA), Some(key)) if is_whole(schema, key) => {
            Ok(Identity { schema, ids: IdPermutation::new(key) })
        }
        (Some(newer), _) if newer > SCHEMA => Err(StoreError::Open(format!(
            "{} was written by a newer rechat (schema {newer}, this one knows {SCHEMA}); it is left as it is\n  \
             update rechat, or choose another file with --db",
            path.display()
        ))),
        _ => Err(StoreError::Open(format!(
            "{} is damaged: its description is not whole\n  restore a backup",
            path.display()
        ))),
    }
}

/// Marks a new file as ours and makes every table, so that readers find them.
fn initialise(database: &Database) -> Result<IdPermutation> {
    let key = uuid::Uuid::new_v4().into_bytes();
    let ids = IdPermutation::new(key);
    let failed = |error: &dyn std::fmt::Display| {
        StoreError::Open(format!("the new store could not be written: {error}"))
    };
    let txn = database.begin_write()?;
    {
        let mut meta = txn.open_table(META)?;
        meta.insert("application", MARK)?;
        meta.insert("schema", SCHEMA.to_le_bytes().as_slice())?;
        meta.insert("id key", key.as_slice())?;
        meta.insert("id check", key_check(key).as_slice())?;
    }
    let context = StoreOptions::new("", Access::Write).context(ids);
    Transaction::open(&txn, &context, now())?.finish()?;
    txn.commit().map_err(|error| failed(&error))?;
    Ok(ids)
}

/// Whether there is a file with anything in it; one without redb's first bytes is refused.
fn has_content(path: &Path) -> Result<bool> {
    let mut head = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(disk(path, "opened", &error)),
        Ok(file) => file
            .take(REDB_MAGIC.len() as u64)
            .read_to_end(&mut head)
            .map_err(|error| disk(path, "read", &error))?,
    };
    if !head.is_empty() && head != REDB_MAGIC {
        return Err(StoreError::Open(format!(
            "{} is no rechat store; it is left as it is\n  choose another file with --db",
            path.display()
        )));
    }
    Ok(!head.is_empty())
}

/// Makes a new store. It gets its name once it is whole, so that no other process meets a half of
/// it; where two make one at once, the first stays.
fn make(options: &StoreOptions) -> Result<()> {
    let path = &options.path;
    if let Some(folder) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| disk(path, "made", &error))?;
    }
    // An empty file, or a link, that an operator made is filled in its place.
    if path.symlink_metadata().is_ok() {
        return make_private(path).map_err(|error| disk(path, "made", &error));
    }
    let new = path.with_added_extension(format!("new-{}", uuid::Uuid::new_v4().simple()));
    make_private(&new).map_err(|error| disk(path, "made", &error))?;
    let placed = open_for_writing(&StoreOptions { path: new.clone(), ..options.clone() })
        .and_then(|opened| opened.into_writable().map_or(Ok(()), StoreFile::close))
        .and_then(|()| match std::fs::hard_link(&new, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            // Not every file system has links.
            Err(_) if !path.exists() => {
                std::fs::rename(&new, path).map_err(|error| disk(path, "made", &error))
            }
            linked => linked.map_err(|error| disk(path, "made", &error)),
        });
    let _ = std::fs::remove_file(&new);
    placed?;
    // So that the name outlives a power cut, too.
    make_private(path).map_err(|error| disk(path, "made", &error))
}

fn disk(path: &Path, verb: &str, error: &io::Error) -> StoreError {
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "give this user the right to it, or choose another file with --db"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "its file system is read-only; choose another file with --db"
        }
        io::ErrorKind::StorageFull => "free some space on that disk",
        _ => "choose another file with --db",
    };
    StoreError::Open(format!("{} cannot be {verb}: {error}\n  {advice}", path.display()))
}

fn refused(path: &Path, error: &DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(format!(
            "{} is in use by another process that does not answer as a rechat server\n  \
             end it (`fuser {0}` names it), or choose another file with --db",
            path.display()
        )),
        DatabaseError::UpgradeRequired(_)
        | DatabaseError::Storage(redb::StorageError::Corrupted(_)) => StoreError::Open(format!(
            "{} cannot be read: {error}\n  restore it from a backup, or choose another file with --db",
            path.display()
        )),
        DatabaseError::Storage(redb::StorageError::Io(error)) => disk(path, "opened", error),
        _ => StoreError::Open(format!("{} cannot be opened: {error}", path.display())),
    }
}
