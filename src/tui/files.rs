//! Files of messages on this host: saved where downloads go, or opened with the desktop's program.

use super::model::{AttachmentPlace, Fetching, MediaItem, attachments};
use crate::client::Server;
use crate::error::{Error, Result};
use crate::model::inline::Inline;
use crate::tui::language::say;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names that are tried for a file whose name is taken.
const MAX_NAMES: usize = 1_000;

/// Runs what reads or writes files beside everything else.
pub async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::failed(error.to_string()))?
}

/// Ends of the names of files that are opened; others, which a program may run, are only saved.
const OPENED: [&str; 24] = [
    "png", "jpg", "jpeg", "gif", "webp", "bmp", "mp4", "mov", "mkv", "webm", "avi", "mp3", "ogg",
    "opus", "wav", "m4a", "amr", "flac", "pdf", "txt", "md", "csv", "log", "heic",
];

/// Writes a file of a message; tells where it is, and what it can be written for.
pub async fn fetch(
    server: &mut Server,
    attachment: MediaItem,
    fetching: Fetching,
) -> Result<(PathBuf, Fetching)> {
    let bytes = bytes_of(server, &attachment).await?;
    let name = attachment.name.unwrap_or_else(|| "file.bin".into());
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
    let is_opened = OPENED.contains(&&*extension);
    let fetching = if is_opened { fetching } else { Fetching::Save };
    let path = in_background(move || keep(&name, &bytes, fetching)).await?;
    Ok((path, fetching))
}

/// The bytes of a file: those that the server keeps, fetches now, or has in the message.
pub async fn bytes_of(server: &mut Server, attachment: &MediaItem) -> Result<Vec<u8>> {
    let place = match &attachment.place {
        AttachmentPlace::Address(_) | AttachmentPlace::Platform(_) => {
            let message = server.fetch_media(attachment.message).await?;
            // It is the same file as before, in the same place among the others.
            let is_same = |other: &MediaItem| other.name == attachment.name;
            let found = attachments(&message).into_iter().find(is_same);
            found.map(|found| found.place)
        }
        place => Some(place.clone()),
    };
    match place {
        Some(AttachmentPlace::Kept(hash)) => {
            let hash = hash.parse().map_err(Error::failed)?;
            let bytes = server.media_bytes(hash).await?;
            bytes
                .map(Vec::from)
                .ok_or_else(|| Error::failed(say!("the server does not keep it any more")))
        }
        Some(AttachmentPlace::Inline(content)) => match Inline::decode(&content) {
            Some(Ok((_, bytes))) => Ok(bytes),
            _ => Err(Error::failed(say!("the content of the file cannot be read"))),
        },
        _ => Err(Error::failed(say!("the server could not fetch the file; o opens its address"))),
    }
}

fn keep(name: &str, bytes: &[u8], fetching: Fetching) -> Result<PathBuf> {
    let folder = match fetching {
        Fetching::Open => private_folder(),
        Fetching::Save | Fetching::Show => downloads(),
    };
    let cannot = |error: io::Error| Error::failed(say!("cannot save {}: {}", name, error));
    write_new(&folder.map_err(cannot)?, name, bytes).map_err(cannot)
}

/// Where downloads go: the desktop's folder for them, else `Downloads` in the home, else the folder
/// in which the client runs.
fn downloads() -> io::Result<PathBuf> {
    let configured = std::env::var_os("XDG_DOWNLOAD_DIR").map(PathBuf::from);
    let usual = std::env::home_dir().map(|home| home.join("Downloads"));
    let there = configured.into_iter().chain(usual).find(|folder| folder.is_dir());
    there.map_or_else(std::env::current_dir, Ok)
}

/// A folder for files that are opened, which nobody else can read.
fn private_folder() -> io::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("rechat-{}", std::process::id()));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        // A folder of another user is not used.
        Err(_) if !is_own(&folder)? => Err(io::ErrorKind::PermissionDenied.into()),
        _ => Ok(folder),
    }
}

fn is_own(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let found = fs::symlink_metadata(folder)?;
    let own = rustix::process::geteuid().as_raw();
    Ok(found.is_dir() && found.uid() == own && found.mode().trailing_zeros() >= 6)
}

/// Removes the files that were opened.
pub fn remove_opened() {
    let folder = std::env::temp_dir().join(format!("rechat-{}", std::process::id()));
    // There is none where nothing was opened.
    let _ = fs::remove_dir_all(folder);
}

/// Writes a new file; one that is there already stays as it is.
fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    for number in 1..=MAX_NAMES {
        let path = folder.join(numbered(name, number));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                file.write_all(bytes)?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn numbered(name: &str, number: usize) -> String {
    match (number, name.rsplit_once('.')) {
        (1, _) => name.to_owned(),
        (_, Some((stem, extension))) => format!("{stem} ({number}).{extension}"),
        (_, None) => format!("{name} ({number})"),
    }
}

/// Opens an address, or a file, with the program that the desktop has for it; false where there is no
/// desktop.
pub fn open(what: &str) -> bool {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let has_desktop = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"]
            .into_iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if !has_desktop {
        return false;
    }
    let mut command = Command::new(program);
    command.arg(what).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(mut child) => {
            // Waits for its end, so that it does not stay as a zombie.
            std::thread::spawn(move || child.wait());
            true
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_stays_as_it_is() {
        let folder = tempfile::TempDir::new().unwrap();
        let first = write_new(folder.path(), "a.tar.gz", b"one").unwrap();
        let second = write_new(folder.path(), "a.tar.gz", b"two").unwrap();
        assert_eq!(second, folder.path().join("a.tar (2).gz"));
        assert_eq!(fs::read(first).unwrap(), b"one");
    }
}
