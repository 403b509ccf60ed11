//! A file of this host as content of a message.

use crate::error::{Error, Result};
use crate::model::content::{Content, Segment};
use crate::model::inline::Inline;
use crate::model::message::MessageType;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most bytes that are read of a file. A server takes less unless it is configured otherwise
/// (`limits.body_bytes`).
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// The segments that carry a file's bytes and name.
pub fn segments_of(path: &Path) -> Result<Vec<Segment>> {
    Ok(Content::of_type(type_of(path), inline(path)?).to_segments())
}

/// The type under which platforms show a file, by the end of its name.
pub fn type_of(path: &Path) -> MessageType {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match &*extension {
        "png" | "jpg" | "jpeg" | "gif" | "webp" | "bmp" => MessageType::Image,
        "mp4" | "mov" | "mkv" | "webm" | "avi" => MessageType::Video,
        "mp3" | "ogg" | "opus" | "wav" | "m4a" | "amr" | "flac" => MessageType::Audio,
        _ => MessageType::File,
    }
}

/// The bytes of a file, with its name, as content.
pub fn inline(path: &Path) -> Result<String> {
    Ok(inline_of(path, &read(path)?))
}

/// Bytes that were read of a file, with its name, as content.
pub fn inline_of(path: &Path, bytes: &[u8]) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Inline::write(&name, bytes)
}

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    read_regular(path)
        .map_err(|error| Error::failed(format!("cannot read {}: {error}", path.display())))
}

fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        0 => Err(io::Error::other("it is empty")),
        size if size > MAX_FILE_BYTES => {
            Err(io::Error::other(format!("it has over {MAX_FILE_BYTES} bytes")))
        }
        _ => Ok(bytes),
    }
}
