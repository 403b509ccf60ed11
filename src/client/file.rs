//! A local file that is sent.

use super::body::FileBody;
use crate::error::{Error, Result};
use crate::media::sniff::{HEAD_BYTES, message_type, sniff};
use crate::model::content::{Media, Segment};
use crate::model::message::MessageType;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

/// The media type of unknown bytes.
const OCTETS: &str = "application/octet-stream";

/// An open file, with its properties.
pub struct OpenFile {
    /// Its name, without the folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The message type for platforms.
    pub message_type: MessageType,
    /// Media type, by the bytes.
    pub mime: &'static str,
    file: File,
}

impl OpenFile {
    /// Opens a file. Waits for the disk.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or read.
    pub fn open(path: &Path) -> Result<Self> {
        let cannot = |error| Error::failed(format!("cannot read {}: {error}", path.display()));
        let (file, bytes, head) = open(path).map_err(cannot)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mime = sniff(&head).mime;
        Ok(Self { name, bytes, message_type: type_of(path, mime), mime, file })
    }

    /// Whether the bytes may be of a type; unknown bytes may be of any type.
    pub fn may_be(&self, wanted: MessageType) -> bool {
        let is = |kind: &str| self.mime.starts_with(kind) || self.mime == OCTETS;
        match wanted {
            MessageType::Image => is("image/"),
            MessageType::Video => is("video/"),
            // Video containers may have only sound.
            MessageType::Audio => is("audio/") || is("video/"),
            MessageType::Text | MessageType::File => true,
        }
    }

    /// The file as the body of a request; `told` is called with the number of sent bytes.
    pub fn into_body(self, told: impl FnMut(u64) + Send + 'static) -> FileBody {
        FileBody::new(self.file, self.bytes, told)
    }
}

/// The segment of a type.
pub fn segment(message_type: MessageType, media: Media) -> Segment {
    match message_type {
        MessageType::Image => Segment::Image(media),
        MessageType::Audio => Segment::Audio(media),
        MessageType::Video => Segment::Video(media),
        MessageType::File | MessageType::Text => Segment::File(media),
    }
}

/// A file, its length, and its first bytes.
fn open(path: &Path) -> io::Result<(File, u64, Vec<u8>)> {
    let mut file = File::open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if about.len() == 0 {
        return Err(io::Error::other("it is empty"));
    }
    let mut head = Vec::new();
    file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    file.rewind()?;
    Ok((file, about.len(), head))
}

/// The message type of a file: from its bytes, or from its file extension if the bytes do not show
/// it.
fn type_of(path: &Path, mime: &str) -> MessageType {
    if mime != OCTETS {
        return message_type(mime);
    }
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match &*extension {
        "mp4" | "mov" | "mkv" | "webm" | "avi" => MessageType::Video,
        "mp3" | "ogg" | "opus" | "wav" | "m4a" | "amr" | "flac" => MessageType::Audio,
        _ => MessageType::File,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_the_type_and_the_name_only_where_they_do_not() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
        for (name, head, expected) in [
            ("a.txt", &png[..], MessageType::Image),
            ("a.png", b"words", MessageType::File),
            ("a.svg", b"<?xml version='1.0'?><svg/>", MessageType::File),
            ("a.MP4", b"\0\x01\x02", MessageType::Video),
            ("a.m4a", b"\0\x01\x02", MessageType::Audio),
            ("a", b"\0\x01\x02", MessageType::File),
        ] {
            assert_eq!(type_of(Path::new(name), sniff(head).mime), expected, "{name}");
        }
    }
}
