//! Bytes in messages: they are stored as blobs when a message is made, and noted in its segments.

use super::blobs::Blobs;
use super::bounds::BlobRefused;
use super::failure::FetchFailure;
use super::hash::Hash;
use super::stored_file::StoredFile;
use super::upload::Upload;
use crate::model::content::{Content, Media, Segment};
use crate::model::inline::Inline;
use std::fmt;
use std::io;

/// Reason why content is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaRefused {
    /// There is no such blob.
    Unknown(String),
    /// The bytes cannot be read.
    Unreadable(String),
    /// The bytes are not stored.
    Refused(BlobRefused),
}

impl fmt::Display for MediaRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(media) => {
                write!(f, "`media`: there is no `{media}` here; upload it with `POST /api/media`")
            }
            Self::Unreadable(why) => write!(f, "the bytes of the file cannot be read: {why}"),
            Self::Refused(refused) => refused.fmt(f),
        }
    }
}

/// Calls `change` with each medium of a content, including those inside forwards.
pub fn change_media(content: &Content, change: &mut impl FnMut(&mut Media)) -> Content {
    let mut segments = content.to_segments();
    change_segments(&mut segments, change);
    Content::of(segments)
}

fn change_segments(segments: &mut [Segment], change: &mut impl FnMut(&mut Media)) {
    for segment in segments {
        if let Some((_, media)) = segment.media_mut() {
            change(media);
        } else if let Segment::Forward { items, .. } = segment {
            for item in items {
                change_segments(&mut item.segments, change);
            }
        }
    }
}

/// The media of a content, including those inside forwards.
pub fn all_media(content: &Content) -> Vec<&Segment> {
    let mut found = Vec::new();
    gather(content.segments().unwrap_or_default(), &mut found);
    found
}

fn gather<'a>(segments: &'a [Segment], found: &mut Vec<&'a Segment>) {
    for segment in segments {
        if segment.media().is_some() {
            found.push(segment);
        } else if let Segment::Forward { items, .. } = segment {
            for item in items {
                gather(&item.segments, found);
            }
        }
    }
}

/// The blobs that a content names.
pub fn hashes(content: &Content) -> impl Iterator<Item = Hash> {
    let named =
        all_media(content).into_iter().filter_map(|segment| segment.media()?.media.as_deref());
    named.filter_map(|media| media.parse().ok())
}

/// Whether a content contains bytes or names blobs.
pub fn has_bytes(content: &Content) -> bool {
    all_media(content)
        .into_iter()
        .filter_map(Segment::media)
        .any(|media| media.media.is_some() || media.url.as_deref().is_some_and(Inline::is_in))
}

/// The content with its bytes stored as blobs. Blobs that it names must exist, and are held. Waits
/// for the disk.
///
/// # Errors
///
/// The bytes cannot be read or kept.
pub fn keep(blobs: &Blobs, content: &Content) -> Result<Content, MediaRefused> {
    let mut problem = None;
    let kept = change_media(content, &mut |media| {
        if problem.is_none() {
            problem = keep_one(blobs, media).err();
        }
    });
    problem.map_or(Ok(kept), Err)
}

/// Like [`keep`], for content that a bot sends: bytes that cannot be stored stay, for they are to be
/// sent.
pub fn keep_outbound(blobs: &Blobs, content: &Content) -> Content {
    change_media(content, &mut |media| {
        let before = media.clone();
        if let Err(problem) = keep_one(blobs, media) {
            tracing::warn!("the bytes of a file that a bot sends stay in its message: {problem}");
            *media = before;
        }
    })
}

/// Like [`keep`], for inbound content: in place of bytes that cannot be stored, the reason is noted,
/// with the time `at` (Unix seconds).
pub fn keep_inbound(blobs: &Blobs, content: &Content, at: u64) -> Content {
    change_media(content, &mut |media| {
        if let Err(problem) = keep_one(blobs, media) {
            tracing::warn!("the bytes of a file that came in are not kept: {problem}");
            media.url = media.url.take().filter(|address| !Inline::is_in(address));
            media.failure = Some(Box::new(FetchFailure::lasting(problem.to_string()).at(at)));
        }
    })
}

fn keep_one(blobs: &Blobs, media: &mut Media) -> Result<(), MediaRefused> {
    if let Some(name) = &media.media {
        let unknown = || MediaRefused::Unknown(name.clone());
        let hash: Hash = name.parse().map_err(|_| unknown())?;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => unknown(),
            _ => MediaRefused::Refused(error.into()),
        };
        if !blobs.hold(hash).map_err(failed)? {
            return Err(unknown());
        }
        StoredFile::of(blobs, hash).map_err(failed)?.put_into(media);
        return Ok(());
    }
    let Some(decoded) = media.url.as_deref().and_then(Inline::decode) else { return Ok(()) };
    let (name, bytes) = decoded.map_err(MediaRefused::Unreadable)?;
    let (stored, _) = Upload::put(blobs, &bytes).map_err(MediaRefused::Refused)?;
    let kept = StoredFile::of(blobs, stored.hash);
    media.url = None;
    media.name = media.name.take().or(name);
    kept.map_err(|error| MediaRefused::Refused(error.into()))?.put_into(media);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::bounds::BlobBounds;
    use super::*;
    use crate::model::content::ForwardItem;
    use crate::model::message::{MessageType, Sender};

    fn blobs() -> (tempfile::TempDir, Blobs) {
        let folder = tempfile::tempdir().unwrap();
        let blobs =
            Blobs::open(folder.path(), BlobBounds { max_bytes: 9, ..BlobBounds::NONE }).unwrap();
        (folder, blobs)
    }

    fn image(url: &str) -> Segment {
        Segment::Image(Media { url: Some(url.into()), ..Media::default() })
    }

    #[test]
    fn bytes_become_a_blob_wherever_they_are() {
        let (_folder, blobs) = blobs();
        let item = ForwardItem {
            sender: Sender::default(),
            created_at: 1,
            segments: vec![image("data:x/y;name=a%20b.txt;base64,aGk=")],
        };
        let forward = Segment::Forward { title: None, items: vec![item], id: None };
        let content = Content::of(vec![image("base64://aGk="), forward, image("https://a/b")]);
        assert!(has_bytes(&content));
        let kept = keep(&blobs, &content).unwrap();
        let media: Vec<_> = all_media(&kept).into_iter().filter_map(Segment::media).collect();
        let name = blobs.all().unwrap()[0].hash.to_string();
        let expected = Media {
            media: Some(name),
            size: Some(2),
            mime: Some("text/plain".into()),
            ..Media::default()
        };
        assert_eq!(media[0], &expected);
        assert_eq!(media[1], &Media { name: Some("a b.txt".into()), ..expected });
        assert_eq!(media[2].url.as_deref(), Some("https://a/b"));
        assert_eq!(hashes(&kept).count(), 2);
        assert_eq!(keep(&blobs, &kept), Ok(kept));
    }

    #[test]
    fn what_cannot_be_kept_is_refused_or_stays_to_be_sent_or_is_told() {
        let (_folder, blobs) = blobs();
        for (url, part) in [("base64://!", "base64"), ("base64://AAAAAAAAAAAAAAAA", "more than 9")]
        {
            let content = Content::of_type(MessageType::File, url.into());
            assert!(keep(&blobs, &content).unwrap_err().to_string().contains(part));
            assert_eq!(keep_outbound(&blobs, &content), content);
            let kept = keep_inbound(&blobs, &content, 5);
            let [Segment::File(media)] = kept.segments().unwrap() else { panic!("{kept:?}") };
            assert_eq!(media.url, None);
            let failure = media.failure.as_ref().unwrap();
            assert!(failure.reason.contains(part) && failure.at == 5, "{failure:?}");
        }
        let unknown = Media { media: Some("0".repeat(64)), ..Media::default() };
        let content = Content::of(vec![Segment::File(unknown)]);
        assert!(matches!(keep(&blobs, &content), Err(MediaRefused::Unknown(_))));
    }
}
