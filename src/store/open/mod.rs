//! Creates or opens a store file, checks that it is a store of rechat, and reports errors.

mod database;
mod identify;
mod refused;
mod write_ahead_log;

use super::error::{Result, StoreError};
use super::file::StoreFile;
use super::ids::IdPermutation;
use super::initialise::{initialise, mark_made};
use super::membership::{membership, not_of_a_cluster};
use super::migration;
use super::options::{Access, SharedLogFactory, StoreOptions};
use super::order_tables::{are_overruled_listed, list_overruled};
use super::overlay::Overlay;
use super::recount::recount_if_damaged;
use super::salvage::salvage;
use super::shared_log::SharedLogWriter;
use super::tables::{META, SCHEMA};
use super::view::View;
use crate::backoff::Backoff;
use crate::log::disk::make_private;
use database::{builder, database, guarded_open, is_damage};
use identify::{Identity, has_content, identify};
use redb::{Database, DatabaseError, ReadOnlyDatabase, ReadableDatabase};
use refused::{disk, refused};
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::time::{Duration, Instant};
pub(super) use write_ahead_log::damage_of_log;
use write_ahead_log::{caught_up, goes_beyond, tell_kept};

/// The first and the longest pause between two attempts to open a file that another process has.
const RETRY_PAUSES: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(100)];

/// An open file whose tables exist and have the newest schema.
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

/// Opens a store. If another process has the file, waits for it; a command does not keep it long.
pub(super) fn open(options: &StoreOptions) -> Result<Opened> {
    let began = Instant::now();
    let [first, longest] = RETRY_PAUSES;
    let mut backoff = Backoff::new(first, longest);
    loop {
        match try_open(options) {
            Err(StoreError::InUse(_)) if began.elapsed() < options.patience => {
                std::thread::sleep(backoff.pause());
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
        Access::Read => match guarded_open(|| builder(options).open_read_only(path)) {
            Ok(database) => {
                let txn = database.begin_read()?;
                let Identity { schema, ids } = identify(&txn, path)?;
                let is_newest = schema == SCHEMA && are_overruled_listed(&txn)?;
                // If the log has more than the tables, or the counters are damaged, the file has to be
                // written first.
                match goes_beyond(options, ids, &txn) {
                    Ok(false) if is_newest => {
                        return Ok(Opened { file: Handle::Read(database), ids });
                    }
                    Err(error) if schema == SCHEMA && !matches!(error, StoreError::Damaged(_)) => {
                        return Err(error);
                    }
                    _ => {}
                }
                drop((txn, database));
                open_after_changes(options)
            }
            // A store that was not closed has to be repaired first.
            Err(DatabaseError::RepairAborted) => open_after_changes(options),
            Err(error) if is_damage(&error) => open_after_changes(options),
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

/// Opens a file for reading that has to be changed first. The changes stay in memory if this user may not write it.
fn open_after_changes(options: &StoreOptions) -> Result<Opened> {
    let writable = OpenOptions::new().read(true).write(true).open(&options.path);
    match writable.map_err(|error| error.kind()) {
        Err(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            open_as_it_is(options)
        }
        _ => open_for_writing(options),
    }
}

/// Checks the file before it is opened for writing, so that a file of another program is not changed.
fn look_before_writing(options: &StoreOptions) -> Result<()> {
    match guarded_open(|| builder(options).open_read_only(&options.path)) {
        Ok(database) => match identify(&database.begin_read()?, &options.path) {
            Err(StoreError::Absent) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        },
        Err(DatabaseError::RepairAborted) => Ok(()),
        // The salvage checks whether it is a store.
        Err(error) if is_damage(&error) => Ok(()),
        Err(error) => Err(refused(&options.path, &error)),
    }
}

/// Opens a file for writing. If redb cannot repair it, it is made anew from the rows that can be read.
fn open_for_writing(options: &StoreOptions) -> Result<Opened> {
    let database = match guarded_open(|| database(options)) {
        Err(error) if is_damage(&error) && options.may_salvage() => {
            tracing::error!("{}: {error}", options.path.display());
            salvage(options)?.tell();
            guarded_open(|| database(options))
        }
        opened => opened,
    };
    opened(options, database.map_err(|error| refused(&options.path, &error))?)
}

fn opened(options: &StoreOptions, database: Database) -> Result<Opened> {
    let path = &options.path;
    let identity = identify(&database.begin_read()?, path);
    let context = match identity {
        // The process ended after it made the file and before it made the tables.
        Err(StoreError::Absent) => {
            let ids = initialise(&database)?;
            mark_made(&database)?;
            options.context(ids)
        }
        Ok(Identity { schema, ids }) => {
            let context = options.context(ids);
            if schema < SCHEMA {
                migration::migrate(options, &database, &context, schema)?;
            }
            list_overruled(&database)?;
            recount_if_damaged(options, &database, ids.key())?;
            context
        }
        Err(error) => return Err(error),
    };
    let (mut file, found) = caught_up(options, database, context)?;
    // The log has both names until the tables no longer need it, so it is kept even if the process ends
    // now.
    let linked = found.kept_as().and_then(|why| file.log.link_aside(why));
    file.end_log()?;
    if let Some(why) = found.kept_as() {
        tell_kept(found, &linked.map_or_else(|| file.log.keep_aside(why), Ok)?);
    }
    file.log.remove();
    if let Some(SharedLogFactory(open)) = &options.shared_log {
        let membership = membership(&file.database.begin_read()?.open_table(META)?);
        let membership = membership.ok_or_else(|| not_of_a_cluster(path))?;
        file.shared = Some(SharedLogWriter::new(open(), membership.stream_seq));
    }
    let ids = file.context.ids;
    Ok(Opened { file: Handle::Write(Box::new(file)), ids })
}

/// Opens a file for reading that cannot be written and may need a repair. The file is not changed.
pub(super) fn open_as_it_is(options: &StoreOptions) -> Result<Opened> {
    let file = on_overlay(options)?;
    let ids = file.context.ids;
    Ok(Opened { file: Handle::Write(Box::new(file)), ids })
}

/// The store as it is on disk. Changes of its opening stay in memory.
pub(super) fn on_overlay(options: &StoreOptions) -> Result<StoreFile> {
    let path = &options.path;
    let overlay = Overlay::over(path).map_err(|error| disk(path, "opened", &error))?;
    let database =
        builder(options).create_with_backend(overlay).map_err(|error| refused(path, &error))?;
    let Identity { ids, schema } = identify(&database.begin_read()?, path)?;
    if schema < SCHEMA {
        return Err(StoreError::Open(format!(
            "{} is of an older version of rechat, and has to be brought up to date before it can be read\n  \
             let a user who may write it run `rechat check` once",
            path.display()
        )));
    }
    list_overruled(&database)?;
    let (mut file, _) = caught_up(options, database, options.context(ids))?;
    file.end_log()?;
    Ok(file)
}

/// Makes a new store. It gets its name when it is complete, so that no other process finds an incomplete
/// one. If two processes make one at the same time, the first one stays.
fn make(options: &StoreOptions) -> Result<()> {
    let path = &options.path;
    if let Some(folder) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| disk(path, "made", &error))?;
    }
    // An operator may have made an empty file, or a link. It is used.
    if path.symlink_metadata().is_ok() {
        return make_private(path).map_err(|error| disk(path, "made", &error));
    }
    let new = path.with_added_extension(format!("new-{}", uuid::Uuid::new_v4().simple()));
    make_private(&new).map_err(|error| disk(path, "made", &error))?;
    let placed = open_for_writing(&StoreOptions { path: new.clone(), ..options.clone() })
        .and_then(|opened| opened.into_writable().map_or(Ok(()), StoreFile::close))
        .and_then(|()| match std::fs::hard_link(&new, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            // Some file systems have no hard links.
            Err(_) if !path.exists() => {
                std::fs::rename(&new, path).map_err(|error| disk(path, "made", &error))
            }
            linked => linked.map_err(|error| disk(path, "made", &error)),
        });
    let _ = std::fs::remove_file(&new);
    placed?;
    // Syncs the folder, so that the name survives a power cut.
    make_private(path).map_err(|error| disk(path, "made", &error))
}
