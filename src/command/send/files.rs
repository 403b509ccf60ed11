//! Files of this host that go along with a message: uploaded first, then named in its segments.

use crate::client::{Client, FileBody};
use crate::command::progress::progress;
use crate::error::{Error, Result};
use crate::media::sniff::{HEAD_BYTES, message_type, sniff};
use crate::model::content::{Media, Segment};
use crate::model::message::MessageType;
use crate::protocol::http::NewMessage;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

/// The files of a message, in their order.
#[derive(Default)]
pub(super) struct Files(Vec<Opened>);

/// A file that is to be uploaded.
struct Opened {
    file: File,
    bytes: u64,
    name: String,
    /// The place of its segment.
    place: usize,
}

impl Files {
    /// Opens a file, of a type that is given or else told by its bytes; gives its segment, which
    /// names it once it is uploaded.
    pub(super) fn add(
        &mut self,
        path: &Path,
        given: Option<MessageType>,
        place: usize,
    ) -> Result<Segment> {
        let cannot = |error| Error::failed(format!("cannot read {}: {error}", path.display()));
        let (file, bytes, head) = open(path).map_err(cannot)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let media =
            Media { name: Some(name.clone()), media: Some(String::new()), ..Media::default() };
        self.0.push(Opened { file, bytes, name, place });
        Ok(match given.unwrap_or_else(|| type_of(path, &head)) {
            MessageType::Image => Segment::Image(media),
            MessageType::Audio => Segment::Audio(media),
            MessageType::Video => Segment::Video(media),
            MessageType::File | MessageType::Text => Segment::File(media),
        })
    }

    /// Uploads them, and names them in the message.
    pub(super) async fn upload(self, client: &mut Client, message: &mut NewMessage) -> Result<()> {
        let bar = progress(Some(self.0.iter().map(|opened| opened.bytes).sum()), "bytes");
        for Opened { file, bytes, name, place } in self.0 {
            let shown = bar.clone();
            let body = FileBody::new(file, bytes, move |sent| shown.inc(sent));
            let uploaded = client.upload(Some(&name), body).await;
            let uploaded = uploaded.inspect_err(|_| bar.finish_and_clear())?;
            let segments = message.segments.as_mut();
            let segment = segments.and_then(|segments| segments.get_mut(place));
            if let Some((_, media)) = segment.and_then(Segment::media_mut) {
                media.media = Some(uploaded.media);
            }
        }
        bar.finish_and_clear();
        Ok(())
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

/// The type under which platforms show a file: by its bytes, and by the end of its name where these do
/// not tell.
fn type_of(path: &Path, head: &[u8]) -> MessageType {
    let mime = sniff(head).mime;
    if mime != "application/octet-stream" {
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
            assert_eq!(type_of(Path::new(name), head), expected, "{name}");
        }
    }
}
