//! Bytes of media for adapters.

use super::message::Outbound;
use crate::model::content::{Content, Media, Segment};
use crate::model::inline::Inline;
use std::fmt;
use std::sync::Arc;

/// Bytes of all media of a message that are sent along with it, at most. In base64 they are a third
/// more, and the frame holds them in memory.
const MAX_SENT_BYTES: u64 = 32 << 20;

/// Reads media that are kept here.
pub trait ReadMedia: fmt::Debug + Send + Sync {
    /// The bytes of the media with this SHA-256 (in hex), at most `max_bytes`; the error says why
    /// there are none. Waits for the disk.
    fn read(&self, sha256: &str, max_bytes: u64) -> Result<Vec<u8>, String>;

    /// An address at which an implementation can fetch them within an hour, where there is one.
    fn address(&self, _sha256: &str) -> Option<String> {
        None
    }
}

/// No media are kept.
impl ReadMedia for () {
    fn read(&self, _: &str, _: u64) -> Result<Vec<u8>, String> {
        Err("no media are kept here".into())
    }
}

/// The message with the bytes of its media as addresses (`data:`), for adapters that send them along;
/// the error says why it cannot be sent.
pub async fn with_bytes(
    message: Outbound,
    reader: &Arc<dyn ReadMedia>,
) -> Result<Outbound, String> {
    let is_kept = |segment: &Segment| segment.media().is_some_and(|media| media.media.is_some());
    if !message.content.segments().is_some_and(|segments| segments.iter().any(is_kept)) {
        return Ok(message);
    }
    let (mut segments, reader) = (message.content.to_segments(), Arc::clone(reader));
    let read = tokio::task::spawn_blocking(move || {
        let mut left = MAX_SENT_BYTES;
        for (_, media) in segments.iter_mut().filter_map(Segment::media_mut) {
            put_bytes(media, &*reader, &mut left)?;
        }
        Ok(segments)
    });
    let segments = read.await.unwrap_or_else(|error| Err(error.to_string()))?;
    Ok(Outbound { content: Content::of(segments), ..message })
}

fn put_bytes(media: &mut Media, reader: &dyn ReadMedia, left: &mut u64) -> Result<(), String> {
    let Some(sha256) = &media.media else { return Ok(()) };
    match reader.read(sha256, *left) {
        Ok(bytes) => {
            *left -= bytes.len() as u64;
            let name = media.name.as_deref().unwrap_or_default();
            media.url = Some(Inline::write(name, &bytes));
            Ok(())
        }
        Err(reason) => {
            // Fetched here, else where it came from, as long as that address still does.
            media.url = reader.address(sha256).or(media.url.take());
            media.url.as_ref().map(drop).ok_or(reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[derive(Debug)]
    struct Two;

    impl ReadMedia for Two {
        fn read(&self, sha256: &str, max_bytes: u64) -> Result<Vec<u8>, String> {
            assert!(max_bytes == MAX_SENT_BYTES || max_bytes == MAX_SENT_BYTES - 2);
            if sha256 == "known" { Ok(b"hi".to_vec()) } else { Err("it is gone".into()) }
        }

        fn address(&self, sha256: &str) -> Option<String> {
            (sha256 == "large").then(|| "http://here".to_owned())
        }
    }

    fn outbound(media: &[(&str, Option<&str>)]) -> Outbound {
        let segment = |&(media, url): &(&str, Option<&str>)| {
            let (media, url) = (Some(media.to_owned()), url.map(str::to_owned));
            Segment::Image(Media { media, url, name: Some("a.png".into()), ..Media::default() })
        };
        Outbound {
            id: Uuid::nil(),
            conversation: "group_1".into(),
            content: Content::of(media.iter().map(segment).collect()),
            reply_to: None,
            created_at: 0,
            original: None,
        }
    }

    async fn urls(media: &[(&str, Option<&str>)]) -> Result<Vec<String>, String> {
        let reader: Arc<dyn ReadMedia> = Arc::new(Two);
        let sent = with_bytes(outbound(media), &reader).await?;
        let segments = sent.content.to_segments();
        Ok(segments.iter().filter_map(|segment| segment.media()?.url.clone()).collect())
    }

    #[tokio::test]
    async fn bytes_go_along_and_an_address_stands_in_for_those_that_are_gone() {
        let data = Inline::write("a.png", b"hi");
        let old = Some("https://old");
        assert_eq!(urls(&[("known", old), ("known", None)]).await.unwrap(), [&*data, &*data]);
        assert_eq!(urls(&[("gone", Some("https://x"))]).await.unwrap(), ["https://x"]);
        assert_eq!(urls(&[("large", old)]).await.unwrap(), ["http://here"]);
        assert_eq!(urls(&[("gone", None)]).await, Err("it is gone".into()));
    }
}
