//! Types of media, found from their bytes and never from the sender's claim.

use crate::model::message::MessageType;
use std::io::Cursor;

/// Bytes at the beginning of a file that are enough to find its type.
pub const HEAD_BYTES: usize = 64 << 10;

/// The type of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileType {
    /// Media type (RFC 6838); `application/octet-stream` if the bytes do not show one.
    pub mime: &'static str,
    /// Width and height of a picture in pixels.
    pub size: Option<(u32, u32)>,
}

/// Finds the type of a file from its first bytes.
pub fn sniff(head: &[u8]) -> FileType {
    let known = infer::get(head).map(|kind| kind.mime_type()).or(silk(head));
    let is_image = known.is_some_and(|mime| mime.starts_with("image/"));
    let size = imagesize::reader_size(Cursor::new(head))
        .ok()
        .filter(|_| is_image)
        .and_then(|size| Some((u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?)));
    let is_text = || !head.is_empty() && !head.contains(&0) && is_utf8_start(head);
    let mime = known.unwrap_or_else(|| if is_text() { "text/plain" } else { OCTETS });
    FileType { mime, size }
}

/// Voice messages of QQ and `WeChat`.
fn silk(head: &[u8]) -> Option<&'static str> {
    head.strip_prefix(b"\x02").unwrap_or(head).starts_with(b"#!SILK").then_some("audio/silk")
}

/// The type of unknown bytes.
const OCTETS: &str = "application/octet-stream";

/// Whether bytes are UTF-8, except for a character that is cut at the end.
fn is_utf8_start(head: &[u8]) -> bool {
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    }
}

/// The media type for the answer: the file's own if a browser runs no code in that type.
pub fn served(mime: &str) -> &str {
    match mime {
        "text/plain" => "text/plain; charset=utf-8",
        mime if is_inline(mime) => mime,
        _ => OCTETS,
    }
}

/// The type of message for a file of this media type.
pub fn message_type(mime: &str) -> MessageType {
    match mime.split_once('/') {
        Some(("image", _)) if is_inline(mime) => MessageType::Image,
        Some(("video", _)) => MessageType::Video,
        Some(("audio", _)) => MessageType::Audio,
        _ => MessageType::File,
    }
}

/// Whether a browser may show this type inside a page: it can show it, and runs nothing in it.
pub fn is_inline(mime: &str) -> bool {
    const PICTURES: [&str; 6] =
        ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"];
    PICTURES.contains(&mime) || mime.starts_with("audio/") || mime.starts_with("video/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_tell_what_a_file_is() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x04\x08\x06\0\0\0";
        assert_eq!(sniff(png), FileType { mime: "image/png", size: Some((3, 4)) });
        assert_eq!(sniff("你好".as_bytes()).mime, "text/plain");
        assert_eq!(sniff(&"你好".as_bytes()[..5]).mime, "text/plain");
        assert_eq!(sniff(b"\0\x01\x02").mime, OCTETS);
        assert_eq!(sniff(b"").mime, OCTETS);
        assert_eq!(sniff(b"\x02#!SILK_V3").mime, "audio/silk");
        for (mime, message_type) in [
            ("image/png", MessageType::Image),
            ("image/svg+xml", MessageType::File),
            ("video/mp4", MessageType::Video),
            ("audio/amr", MessageType::Audio),
            ("text/plain", MessageType::File),
        ] {
            assert_eq!(super::message_type(mime), message_type, "{mime}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(
            begin in prop::sample::select(BEGINNINGS),
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            sniff(&[begin, &rest].concat());
        }
    }

    /// The beginnings of files, so that the rest is random data of that type.
    const BEGINNINGS: &[&[u8]] = &[
        b"",
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"GIF89a",
        b"RIFF\x10\0\0\0WEBPVP8",
        b"BM",
        b"\0\0\0\x20ftypavif",
        b"\0\0\0\x20ftypheic",
        b"II*\0",
        b"8BPS",
        b"\0\0\x01\0",
        b"\xff\x0a",
    ];

    #[test]
    fn nothing_that_a_browser_runs_is_shown_inside_a_page() {
        let svg = sniff(b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>");
        let html = sniff(b"<!DOCTYPE html><html><script>1</script></html>");
        let pdf = sniff(b"%PDF-1.7\n");
        for kind in [svg, html, pdf] {
            assert!(!is_inline(kind.mime), "{}", kind.mime);
        }
        assert!(is_inline("image/png") && !is_inline("image/svg+xml"));
    }
}
