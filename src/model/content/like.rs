//! Whether content may be what was sent, although it is in no form in which a platform is known to report that. It
//! proves nothing, and yet what was sent may not count as absent then.

use super::{Content, Segment};

impl Content {
    /// Whether a platform might report content that was sent in this form: with files of the same kinds, whatever
    /// their names, and with the same words. Spaces are not compared, nor what stands for mentions and faces.
    pub fn is_like(&self, sent: &Self) -> bool {
        self.is_like_form(sent) || sent.text_forms().any(|form| self.is_like_form(&form))
    }

    /// Whether it has a file, a picture or the like, whose upload may take long.
    pub fn has_attachments(&self) -> bool {
        !self.attachments(true).is_empty()
    }

    fn is_like_form(&self, sent: &Self) -> bool {
        let told = self.attachments(false);
        let has_kinds_of = |stickers_are_images| {
            let sent = sent.attachments(stickers_are_images);
            told.len() == sent.len()
                && told.iter().zip(sent).all(|(told, sent)| is_like_segment(told, sent))
        };
        [false, true].into_iter().any(has_kinds_of) && self.has_words_of(sent)
    }

    fn has_words_of(&self, sent: &Self) -> bool {
        if sent.mentions_and_faces(false).next().is_none() {
            return letters(self.texts()).eq(letters(sent.texts()));
        }
        // Their place may be taken by any words.
        let told: String = letters(std::iter::once(&*self.readable())).collect();
        let mut rest = &*told;
        sent.texts().all(|text| {
            let text: String = letters(std::iter::once(text)).collect();
            let behind = rest.find(&text).map(|at| &rest[at + text.len()..]);
            rest = behind.unwrap_or_default();
            behind.is_some()
        })
    }
}

/// Whether both are of one kind. A file may be told as what it contains, and that as a file.
fn is_like_segment(told: &Segment, sent: &Segment) -> bool {
    match (told, sent) {
        (Segment::Image(_), Segment::Image(_) | Segment::Emoji { .. })
        | (Segment::Audio(_), Segment::Audio(_))
        | (Segment::Video(_), Segment::Video(_))
        | (
            Segment::Forward { .. } | Segment::Card { .. },
            Segment::Forward { .. } | Segment::Card { .. },
        ) => true,
        (Segment::File(_), other) | (other, Segment::File(_)) => other.media().is_some(),
        _ => false,
    }
}

/// All characters but spaces and the ends of lines.
fn letters<'a>(texts: impl Iterator<Item = &'a str>) -> impl Iterator<Item = char> {
    texts.flat_map(str::chars).filter(|letter| !letter.is_whitespace())
}
