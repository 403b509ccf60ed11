//! Bytes of media for adapters.

use super::message::Outbound;
use crate::health;
use crate::model::content::{Content, Media, Segment};
use crate::model::inline::Inline;
use std::fmt;
use std::sync::Arc;

/// Bytes of all media of a message that are sent along with it, at most. In base64 they are a third
/// more, and the frame holds them in memory.
const MAX_SENT_BYTES: u64 = 32 << 20;

/// Bytes of a file from which on it is rather fetched here, where that is possible.
const FETCHED_BYTES: u64 = 8 << 20;

/// Reads media that are kept here.
pub trait ReadMedia: fmt::Debug + Send + Sync {
    /// The bytes of the media with this SHA-256 (in hex), at most `max_bytes`; the error says why
    /// there are none. Waits for the disk.
    ///
    /// # Errors
    ///
    /// A setting is wrong; the text names it and says what is right.
    fn read(&self, sha256: &str, max_bytes: u64) -> Result<Vec<u8>, String>;

    /// An address at which an implementation can fetch them within an hour, where there is one.
    fn address(&self, _sha256: &str) -> Option<String> {
        None
    }

    /// Their path below the folder of media, where they are here.
    fn path(&self, _sha256: &str) -> Option<String> {
        None
    }
}

/// No media are kept.
impl ReadMedia for () {
    fn read(&self, _: &str, _: u64) -> Result<Vec<u8>, String> {
        Err("this server stores no media".into())
    }
}

/// The ways in which an implementation can receive files, besides bytes inside the message: by URL or
/// by path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileTransfer<'a> {
    /// The folder of media as the implementation sees it.
    pub folder: Option<&'a str>,
    /// It fetches addresses.
    pub fetches: bool,
}

/// The message with its media that are kept here in reach: as a path in the folder that the
/// implementation sees (`file://`), as bytes (`data:`) or as an address. The error says why it cannot
/// be sent.
pub async fn with_media(
    message: Outbound,
    reader: &Arc<dyn ReadMedia>,
    ways: FileTransfer<'_>,
) -> Result<Outbound, String> {
    if !message.content.segments().is_some_and(|segments| segments.iter().any(has_kept)) {
        return Ok(message);
    }
    let (mut segments, reader) = (message.content.to_segments(), Arc::clone(reader));
    let (folder, fetches) = (ways.folder.map(str::to_owned), ways.fetches);
    let read = health::blocking("reading of media", move || {
        let ways = FileTransfer { folder: folder.as_deref(), fetches };
        let mut left = MAX_SENT_BYTES;
        put_all(&mut segments, &*reader, ways, &mut left).map(|()| segments)
    });
    let segments = read.await.unwrap_or_else(|error| Err(error.to_string()))?;
    Ok(Outbound { content: Content::of(segments), ..message })
}

/// Whether a segment has media that are kept here, inside a forward too.
fn has_kept(segment: &Segment) -> bool {
    match segment {
        Segment::Forward { items, .. } => {
            items.iter().any(|item| item.segments.iter().any(has_kept))
        }
        segment => segment.media().is_some_and(|media| media.media.is_some()),
    }
}

fn put_all(
    segments: &mut [Segment],
    reader: &dyn ReadMedia,
    ways: FileTransfer<'_>,
    left: &mut u64,
) -> Result<(), String> {
    for segment in segments {
        if let Some((_, media)) = segment.media_mut() {
            put(media, reader, ways, left)?;
        } else if let Segment::Forward { items, .. } = segment {
            for item in items {
                put_all(&mut item.segments, reader, ways, left)?;
            }
        }
    }
    Ok(())
}

fn put(
    media: &mut Media,
    reader: &dyn ReadMedia,
    ways: FileTransfer<'_>,
    left: &mut u64,
) -> Result<(), String> {
    let Some(sha256) = &media.media else { return Ok(()) };
    if let Some((folder, path)) = ways.folder.zip(reader.path(sha256)) {
        media.url = Some(format!("file://{}/{path}", folder.trim_end_matches('/')));
        return Ok(());
    }
    let address = reader.address(sha256).filter(|_| ways.fetches);
    let max_bytes = if address.is_some() { FETCHED_BYTES.min(*left) } else { *left };
    match reader.read(sha256, max_bytes) {
        Ok(bytes) => {
            *left -= bytes.len() as u64;
            let name = media.name.as_deref().unwrap_or_default();
            media.url = Some(Inline::write(name, &bytes));
            Ok(())
        }
        Err(reason) => {
            // Where it came from, as long as that address still holds; never a path of ours.
            let origin = media.url.take().filter(|url| is_web(url));
            media.url = address.or(origin);
            media.url.as_ref().map(drop).ok_or(reason)
        }
    }
}

fn is_web(url: &str) -> bool {
    let url = url.trim_start().to_ascii_lowercase();
    url.starts_with("http://") || url.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::ForwardItem;
    use crate::model::message::Sender;
    use uuid::Uuid;

    #[derive(Debug)]
    struct Two;

    impl ReadMedia for Two {
        fn read(&self, sha256: &str, max_bytes: u64) -> Result<Vec<u8>, String> {
            let expected = match sha256 {
                "large" => [FETCHED_BYTES; 2],
                _ => [MAX_SENT_BYTES, MAX_SENT_BYTES - 2],
            };
            assert!(expected.contains(&max_bytes), "{sha256}: {max_bytes}");
            if sha256 == "known" { Ok(b"hi".to_vec()) } else { Err("it is gone".into()) }
        }

        fn address(&self, sha256: &str) -> Option<String> {
            (sha256 == "large").then(|| "http://here".to_owned())
        }

        fn path(&self, sha256: &str) -> Option<String> {
            (sha256 != "gone").then(|| format!("ab/{sha256}"))
        }
    }

    fn outbound(media: &[(&str, Option<&str>)]) -> Outbound {
        let segment = |&(media, url): &(&str, Option<&str>)| {
            let (media, url) = (Some(media.to_owned()), url.map(str::to_owned));
            Segment::Image(Media { media, url, name: Some("a.png".into()), ..Media::default() })
        };
        Outbound::new(Uuid::nil(), "group_1", Content::of(media.iter().map(segment).collect()))
    }

    const FETCHING: FileTransfer<'_> = FileTransfer { folder: None, fetches: true };

    async fn urls(
        media: &[(&str, Option<&str>)],
        ways: FileTransfer<'_>,
    ) -> Result<Vec<String>, String> {
        let reader: Arc<dyn ReadMedia> = Arc::new(Two);
        let sent = with_media(outbound(media), &reader, ways).await?;
        let segments = sent.content.to_segments();
        Ok(segments.iter().filter_map(|segment| segment.media()?.url.clone()).collect())
    }

    #[tokio::test]
    async fn bytes_go_along_and_an_address_stands_in_for_those_that_are_gone() {
        let data = Inline::write("a.png", b"hi");
        let old = Some("https://old");
        let known = [("known", old), ("known", None)];
        assert_eq!(urls(&known, FETCHING).await.unwrap(), [&*data, &*data]);
        assert_eq!(urls(&[("gone", Some("https://x"))], FETCHING).await.unwrap(), ["https://x"]);
        assert_eq!(urls(&[("large", old)], FETCHING).await.unwrap(), ["http://here"]);
        assert_eq!(urls(&[("gone", None)], FETCHING).await, Err("it is gone".into()));
        let path = urls(&[("gone", Some("file:///etc/passwd"))], FETCHING).await;
        assert_eq!(path, Err("it is gone".into()));
    }

    #[tokio::test]
    async fn a_folder_that_the_implementation_sees_comes_first() {
        let ways = FileTransfer { folder: Some("/there/"), fetches: true };
        let media = [("large", None), ("gone", Some("https://x"))];
        assert_eq!(urls(&media, ways).await.unwrap(), ["file:///there/ab/large", "https://x"]);
    }

    #[tokio::test]
    async fn media_inside_forwards_go_along() {
        let inner = outbound(&[("known", Some("https://old"))]).content.to_segments();
        let item = ForwardItem { sender: Sender::default(), created_at: 0, segments: inner };
        let forward = Segment::Forward { title: None, items: vec![item], id: None };
        let message = Outbound { content: Content::of(vec![forward]), ..outbound(&[]) };
        let reader: Arc<dyn ReadMedia> = Arc::new(Two);
        let sent = with_media(message, &reader, FileTransfer::default()).await.unwrap();
        let Some([Segment::Forward { items, .. }]) = sent.content.segments() else { panic!() };
        let url = items[0].segments[0].media().unwrap().url.clone();
        assert_eq!(url, Some(Inline::write("a.png", b"hi")));
    }
}
