//! `rechat backup` and `rechat compact`

use super::progress::of_migration;
use super::source::reader;
use super::target;
use crate::cli::{BackupArgs, Compact, GlobalOptions};
use crate::config::{self, Sources};
use crate::error::{Error, Result, tell};
use crate::media::copy::copy_all;
use crate::media::{BlobBounds, Blobs, folder_beside};
use crate::store::{self, Access, StoreOptions};
use crate::text::{counted, in_units};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Writes beside the file, and puts it in its place only once it is whole.
pub(super) async fn backup(backup: BackupArgs, globals: &GlobalOptions) -> Result<()> {
    let file = std::path::absolute(&backup.file)
        .map_err(|error| Error::failed(format!("{}: {error}", backup.file.display())))?;
    target::check(&file, backup.force)?;
    if let Some(folder) = file.parent().filter(|folder| !folder.is_dir()) {
        return Err(Error::failed(format!("there is no folder {}", folder.display()))
            .hint("make it first, or name another"));
    }
    let part = file.with_added_extension("part");
    let _ = std::fs::remove_file(&part);
    let _ = std::fs::remove_dir_all(folder_beside(&part));
    let mut client = reader(&backup.source, globals).await?;
    target::check_not_open(&file)?;
    let done = client.backup(part.clone()).await.and_then(|()| {
        move_media(&part, &file)
            .and_then(|()| std::fs::rename(&part, &file))
            .map_err(|error| Error::failed(format!("{} cannot be made: {error}", file.display())))
    });
    if done.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    let _ = std::fs::remove_dir_all(folder_beside(&part));
    done?;
    tell(format!("{} copied to {}", in_units(size(&file)), file.display()));
    tell_media(&file)
}

/// Tells how many files of messages are beside a copy.
fn tell_media(file: &Path) -> Result<()> {
    let folder = folder_beside(file);
    if !folder.exists() {
        return Ok(());
    }
    let files = Blobs::open(&folder, BlobBounds::NONE).and_then(|blobs| blobs.all());
    let files = files.map_err(|error| Error::failed(format!("{}: {error}", folder.display())))?;
    let bytes = files.iter().map(|stored| stored.size).sum();
    let count = counted(files.len() as u64, "file", "files");
    tell(format!("{count} of messages ({}) copied to {}", in_units(bytes), folder.display()));
    Ok(())
}

/// Puts the media of a copy beside its file; what is there of an older one stays.
fn move_media(part: &Path, file: &Path) -> io::Result<()> {
    let (from, to) = (folder_beside(part), folder_beside(file));
    if !from.exists() {
        return Ok(());
    }
    if !to.exists() {
        return std::fs::rename(from, to);
    }
    let copied = copy_all(&Blobs::open(from, BlobBounds::NONE)?, &to);
    copied.map(drop).map_err(|refused| io::Error::other(refused.to_string()))
}

pub(super) fn compact(compact: Compact, globals: &GlobalOptions) -> Result<()> {
    let mut sources = Sources::of_process(globals.config.clone())?;
    if let Some(db) = compact.db {
        sources.flags.push(("db", "--db", db.display().to_string().into()));
    }
    let config = config::load(&sources)?.config;
    if UnixStream::connect(config::socket_beside(&config.db)).is_ok() {
        return Err(Error::failed(format!("a server has {} open", config.db.display()))
            .hint("stop it first: a store cannot be used while its file is made smaller"));
    }
    if !config.db.exists() {
        return Err(Error::failed(format!("there is no store at {}", config.db.display()))
            .hint("`--db` names another place"));
    }
    let before = size(&config.db);
    let migration = Some(of_migration());
    store::compact(&StoreOptions { migration, ..config.store_options(Access::Write) })?;
    tell(format!("{}: {before} bytes before, {} bytes now", config.db.display(), size(&config.db)));
    Ok(())
}

fn size(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}
