//! Opening a store file: making it, knowing it for ours, and saying clearly what is wrong.

use super::batch::{Log, Writable};
use super::file::{Medium, Part, Prepared, make_private};
use super::ids::Ids;
use super::ledger::Ledger;
use super::overlay::Overlay;
use super::tables::{MARK, META, SCHEMA, newest_batch};
use super::view::View;
use super::wal::Wal;
use super::{Error, Result};
use crate::model::cursor::Epoch;
use redb::{
    Builder, Database, DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase,
    TableError, WriteTransaction,
};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The first bytes of every redb file.
const REDB_MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only: several may, as long as nobody writes. Never makes a file.
    Read,
    /// Reading and writing; the file is made where there is none.
    Write,
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file.
    pub path: PathBuf,
    #[allow(missing_docs)]
    pub access: Access,
    /// Bytes of the file kept in memory.
    pub cache_bytes: usize,
    /// The most commands that share a commit.
    pub batch: usize,
    /// The most commands that wait for the writer; more wait at their own place.
    pub queue: usize,
    /// Bytes the disk must have free for a write to be tried at all.
    pub reserve_bytes: u64,
    /// Bytes of the write-ahead log; what no longer fits is written straight to the tables.
    pub log_bytes: u64,
    /// Seconds for which events are kept, so that clients can go on where they stopped.
    pub journal_seconds: u64,
    /// The most events that are kept.
    pub journal_events: u64,
    /// What to write to in place of files, for trying faults out.
    pub medium: Option<Medium>,
}

impl Options {
    /// The defaults for a file.
    pub fn new(path: impl Into<PathBuf>, access: Access) -> Self {
        Self {
            path: path.into(),
            access,
            cache_bytes: 128 << 20,
            batch: 1024,
            queue: 4096,
            reserve_bytes: 4 << 20,
            log_bytes: 8 << 20,
            journal_seconds: 7 * 24 * 60 * 60,
            journal_events: 1_000_000,
            medium: None,
        }
    }
}

/// The way from each schema to the next; there has been only one so far.
const MIGRATIONS: [fn(&WriteTransaction) -> Result<()>; 1] = [|_| Ok(())];

/// What a store says of itself.
struct Identity {
    schema: u32,
    ids: Ids,
}

/// An open file whose tables are there and whose schema is ours.
pub(super) struct Opened {
    file: Handle,
    ids: Ids,
}

enum Handle {
    Read(ReadOnlyDatabase),
    Write(Box<Writable>),
}

impl Opened {
    pub(super) fn view(&self) -> Result<View> {
        let txn = match &self.file {
            Handle::Read(database) => database.begin_read()?,
            Handle::Write(file) => file.database.begin_read()?,
        };
        View::new(txn, self.ids)
    }

    pub(super) fn into_writable(self) -> Option<Writable> {
        match self.file {
            Handle::Read(_) => None,
            Handle::Write(file) => Some(*file),
        }
    }
}

pub(super) fn open(options: &Options) -> Result<Opened> {
    let path = &options.path;
    if options.medium.is_some() {
        return open_for_writing(options);
    }
    let exists = has_content(path)?;
    match options.access {
        Access::Read if !exists => Err(Error::Open(format!(
            "there is no store at {}\n  `rechat serve` or `rechat send` makes one; `--db` names another place",
            path.display()
        ))),
        Access::Read => match builder(options).open_read_only(path) {
            Ok(database) => {
                let txn = database.begin_read()?;
                let Identity { schema, ids } = identify(&txn, path)?;
                // A log that goes beyond the tables has to be carried out first, too.
                let log = Wal::new(options, ids.key());
                if schema == SCHEMA && !log.goes_beyond(newest_batch(&txn.open_table(META)?)?)? {
                    return Ok(Opened { file: Handle::Read(database), ids });
                }
                drop((txn, database));
                open_for_writing(options)
            }
            // A store that was not closed has to be mended first, which takes writing.
            Err(DatabaseError::RepairAborted) => open_for_writing(options),
            Err(error) => Err(refused(path, &error)),
        },
        Access::Write => {
            if exists {
                look_before_writing(options)?;
            } else {
                make_file(path).map_err(|error| disk(path, "made", &error))?;
            }
            open_for_writing(options)
        }
    }
}

/// A foreign file is found out before it is opened for writing, and so stays untouched.
fn look_before_writing(options: &Options) -> Result<()> {
    match builder(options).open_read_only(&options.path) {
        Ok(database) => match identify(&database.begin_read()?, &options.path) {
            Err(Error::Absent) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        },
        Err(DatabaseError::RepairAborted) => Ok(()),
        Err(error) => Err(refused(&options.path, &error)),
    }
}

fn open_for_writing(options: &Options) -> Result<Opened> {
    let path = &options.path;
    let began = std::time::Instant::now();
    let file = if let Some(Medium(open)) = &options.medium {
        Prepared::on(open(Part::Tables))
    } else {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(|error| disk(path, "opened", &error))?;
        Prepared::new(file).map_err(|error| refused(path, &error))?
    };
    let database = builder(options)
        .set_repair_callback(move |repair| {
            let percent = (repair.progress() * 100.0).round();
            tracing::info!(
                percent,
                seconds = began.elapsed().as_secs(),
                "mending a store that was not closed"
            );
        })
        .create_with_backend(file)
        .map_err(|error| refused(path, &error))?;
    let ids = match identify(&database.begin_read()?, path) {
        // Made, and the process ended before its tables were: as good as new.
        Err(Error::Absent) => initialise(&database)?,
        Ok(Identity { schema, ids }) => {
            migrate(&database, schema)?;
            ids
        }
        Err(error) => return Err(error),
    };
    let (mut file, log) = caught_up(options, database, ids)?;
    match log {
        Log::UsedUp => file.wal.remove(),
        Log::DoesNotFollow => {
            let aside = file.wal.set_aside()?;
            tracing::error!(
                "the write-ahead log beside the store does not follow it and was moved to {}; was an older copy of the store put back?",
                aside.display()
            );
        }
    }
    Ok(Opened { file: Handle::Write(Box::new(file)), ids })
}

/// Opens for reading a file that cannot be written and may have to be mended; it is left alone.
pub(super) fn open_as_it_is(options: &Options) -> Result<Opened> {
    let path = &options.path;
    let overlay = Overlay::over(path).map_err(|error| disk(path, "opened", &error))?;
    let database =
        builder(options).create_with_backend(overlay).map_err(|error| refused(path, &error))?;
    let Identity { ids, .. } = identify(&database.begin_read()?, path)?;
    let (file, _) = caught_up(options, database, ids)?;
    Ok(Opened { file: Handle::Write(Box::new(file)), ids })
}

/// Takes over what the write-ahead log holds beyond the tables.
fn caught_up(options: &Options, database: Database, ids: Ids) -> Result<(Writable, Log)> {
    let mut file = Writable { database, ids, epoch: mint(), wal: Wal::new(options, ids.key()) };
    let log = file.catch_up()?;
    Ok((file, log))
}

/// A new epoch, which no other opening of any store has.
fn mint() -> Epoch {
    Epoch::new(uuid::Uuid::new_v4().as_u64_pair().0)
}

fn builder(options: &Options) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    builder
}

/// Checks the mark and the schema; [`Error::Absent`] where the file has no tables at all.
fn identify(txn: &ReadTransaction, path: &Path) -> Result<Identity> {
    let foreign = || {
        Error::Open(format!(
            "{} belongs to another program; it is left as it is\n  choose another file with --db",
            path.display()
        ))
    };
    let meta = match txn.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) if txn.list_tables()?.next().is_none() => {
            return Err(Error::Absent);
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
    match (schema, key) {
        (Some(schema @ 1..=SCHEMA), Some(key)) => Ok(Identity { schema, ids: Ids::new(key) }),
        (Some(newer), _) if newer > SCHEMA => Err(Error::Open(format!(
            "{} was written by a newer rechat (schema {newer}, this one knows {SCHEMA}); it is left as it is\n  \
             update rechat, or choose another file with --db",
            path.display()
        ))),
        _ => {
            Err(Error::Open(format!("{} is damaged: its description is not whole", path.display())))
        }
    }
}

/// Brings an older store up to date: one step after the other, each in a transaction of its own
/// that ends with the new number, so that a break in between loses nothing.
fn migrate(database: &Database, from: u32) -> Result<()> {
    const {
        assert!(MIGRATIONS.len() + 1 == SCHEMA as usize, "each schema after the first has its step")
    };
    for (step, to) in MIGRATIONS.iter().zip(2_u32..).skip(from as usize - 1) {
        tracing::info!(to, "bringing the store up to date");
        let txn = database.begin_write()?;
        step(&txn)?;
        txn.open_table(META)?.insert("schema", to.to_le_bytes().as_slice())?;
        txn.commit().map_err(|error| Error::Write(error.to_string()))?;
    }
    Ok(())
}

/// Marks a new file as ours and makes every table, so that readers find them.
fn initialise(database: &Database) -> Result<Ids> {
    let key = uuid::Uuid::new_v4().into_bytes();
    let ids = Ids::new(key);
    let failed = |error: &dyn std::fmt::Display| {
        Error::Open(format!("the new store could not be written: {error}"))
    };
    let txn = database.begin_write()?;
    {
        let mut meta = txn.open_table(META)?;
        meta.insert("application", MARK)?;
        meta.insert("schema", SCHEMA.to_le_bytes().as_slice())?;
        meta.insert("id key", key.as_slice())?;
    }
    Ledger::open(&txn, ids, Epoch::default())?.finish()?;
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
        return Err(Error::Open(format!(
            "{} is no rechat store; it is left as it is\n  choose another file with --db",
            path.display()
        )));
    }
    Ok(!head.is_empty())
}

/// Makes the file and the folders above it, for nobody else to read.
fn make_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    make_private(path)
}

fn disk(path: &Path, verb: &str, error: &io::Error) -> Error {
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
    Error::Open(format!("{} cannot be {verb}: {error}\n  {advice}", path.display()))
}

fn refused(path: &Path, error: &DatabaseError) -> Error {
    match error {
        DatabaseError::DatabaseAlreadyOpen => Error::Open(format!(
            "{} is in use by another process that does not answer as a rechat server\n  \
             end it (`fuser {0}` names it), or choose another file with --db",
            path.display()
        )),
        DatabaseError::UpgradeRequired(_)
        | DatabaseError::Storage(redb::StorageError::Corrupted(_)) => Error::Open(format!(
            "{} cannot be read: {error}\n  restore it from a backup, or choose another file with --db",
            path.display()
        )),
        DatabaseError::Storage(redb::StorageError::Io(error)) => disk(path, "opened", error),
        _ => Error::Open(format!("{} cannot be opened: {error}", path.display())),
    }
}
