//! Whether a platform may report content in this form that was sent in another one.

use super::{Content, Segment};

/// Kind of a segment that cannot be told as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AttachmentKind {
    Image,
    Audio,
    Video,
    File,
    /// A forward, which some report as a card.
    Forward,
}

impl Content {
    /// Whether a platform may report content that was sent in this form. Texts come back unchanged, and files
    /// and forwards in their order; addresses and names may come back in another form, and an emoji as an image.
    pub fn is_told_of(&self, sent: &Self) -> bool {
        let has_its_attachments = |emoji| sent.attachments(emoji).eq(self.attachments(None));
        sent.texts().eq(self.texts())
            && [None, Some(AttachmentKind::Image)].into_iter().any(has_its_attachments)
    }

    /// This content without the addresses of media, which may be their bytes. [`Self::is_told_of`] does not need
    /// them.
    #[must_use]
    pub fn without_addresses(&self) -> Self {
        let mut segments = self.to_segments();
        remove_addresses(&mut segments);
        Self::of(segments)
    }

    /// The files and forwards, in order. `emoji` is what an emoji with a picture counts as.
    fn attachments(&self, emoji: Option<AttachmentKind>) -> impl Iterator<Item = AttachmentKind> {
        self.segments().unwrap_or_default().iter().filter_map(move |segment| match segment {
            Segment::Image(_) => Some(AttachmentKind::Image),
            Segment::Audio(_) => Some(AttachmentKind::Audio),
            Segment::Video(_) => Some(AttachmentKind::Video),
            Segment::File(_) => Some(AttachmentKind::File),
            Segment::Forward { .. } | Segment::Card { .. } => Some(AttachmentKind::Forward),
            Segment::Emoji { url: Some(_), .. } => emoji,
            Segment::Text { .. }
            | Segment::Mention { .. }
            | Segment::MentionAll {}
            | Segment::Emoji { url: None, .. }
            | Segment::Location { .. }
            | Segment::Other { .. } => None,
        })
    }
}

fn remove_addresses(segments: &mut [Segment]) {
    for segment in segments {
        if let Segment::Forward { items, .. } = segment {
            for item in items {
                remove_addresses(&mut item.segments);
            }
        } else if let Some((_, media)) = segment.media_mut() {
            media.url = None;
        }
    }
}
