//! The file in which `rechat watch` keeps how far it got.

use crate::client::StreamCursor;
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// The cursor that a file keeps; `None` where there is no file yet.
///
/// # Errors
///
/// The file cannot be read, or does not tell a cursor: to begin anew would skip messages unnoticed.
pub(super) fn read(file: &Path) -> Result<Option<StreamCursor>> {
    let hint = "write the whole ID of the last message that was dealt with into it, or remove it to begin \
                with what comes from now on";
    match std::fs::read(file) {
        Ok(bytes) => match String::from_utf8_lossy(&bytes).parse() {
            Ok(cursor) => Ok(Some(cursor)),
            Err(_) if bytes.is_empty() => {
                Err(Error::failed(format!("{} is empty", file.display())).hint(hint))
            }
            Err(_) => {
                Err(Error::failed(format!("{} contains no cursor", file.display())).hint(hint))
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::failed(format!("cannot read {}: {error}", file.display()))),
    }
}

/// Writes beside the file and renames: after a crash or a power cut there is the one cursor or the
/// other.
///
/// # Errors
///
/// The file cannot be written.
pub(super) fn keep(file: &Path, cursor: &StreamCursor) -> Result<()> {
    write(file, &format!("{cursor}\n"))
        .map_err(|error| Error::failed(format!("cannot write {}: {error}", file.display())))
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    let part = file.with_added_extension("part");
    let mut written = File::create(&part)?;
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    std::fs::rename(&part, file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_kept_and_a_file_without_one_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bot.cursor");
        assert_eq!(read(&file).unwrap(), None, "no file yet");
        let cursor: StreamCursor = "00000000000000aa-1f 17".parse().unwrap();
        keep(&file, &cursor).unwrap();
        assert_eq!(read(&file).unwrap(), Some(cursor));
        for bytes in [&b""[..], b"\n", b"\0\0\0\0", b"\xff", b"no cursor"] {
            std::fs::write(&file, bytes).unwrap();
            let error = read(&file).unwrap_err();
            assert!(error.to_string().contains("bot.cursor") && error.has_hint(), "{bytes:?}");
        }
    }
}
