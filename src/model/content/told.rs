//! Whether a platform may report content in this form that was sent in another one.

use super::readable::is_address;
use super::{Content, ForwardItem, Media, Segment};
use crate::model::inline::Inline;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Hexadecimal digits from which on a word may be a hash or an ID, and no name that a person gave.
const HASH_DIGITS: usize = 16;

/// The numbers of digits between the hyphens of a UUID.
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// Stands for an address, or for bytes.
const NO_BYTES: &str = "base64://";

/// The form in which an adapter sends what not every platform has a form for.
#[derive(Clone, Copy)]
struct TextForm {
    mentions_are_text: bool,
    stickers_are_text: bool,
}

impl Content {
    /// Whether a platform may report content that was sent in this form: as it is, or with text for what the
    /// platform has no form for (contract, item 24). Texts come back unchanged but for the ends of lines, people
    /// that are mentioned and faces by their IDs, and files and forwards in their order; addresses change. A file
    /// keeps its name, unless an ID stands there; then its size is compared.
    pub fn is_told_of(&self, sent: &Self) -> bool {
        self.is_form_of(sent) || self.is_text_form_of(sent)
    }

    /// The same, of an answer to a message of `author`: some implementations mention the author before it.
    pub fn is_told_of_answer(&self, sent: &Self, author: Option<&str>) -> bool {
        self.is_told_of(sent)
            || author
                .and_then(|author| self.behind_mention_of(author))
                .is_some_and(|rest| rest.is_told_of(sent))
    }

    /// The content behind a mention of this person at its beginning; `None` if there is none.
    fn behind_mention_of(&self, person: &str) -> Option<Self> {
        match self.segments()? {
            [Segment::Mention { user, .. }, rest @ ..] if user == person => {
                Some(Self::of(rest.to_vec()))
            }
            _ => None,
        }
    }

    /// This content behind the quote of the message that it answers, as it goes out if the platform does not know
    /// that message.
    #[must_use]
    pub fn behind_quote(&self, quote: String) -> Self {
        let head = Segment::Text { text: quote };
        Self::of(std::iter::once(head).chain(self.to_segments()).collect())
    }

    /// Whether this is the same plain text but for the ends of its lines, which platforms change.
    pub fn is_same_text(&self, other: &Self) -> bool {
        let is_plain = self.segments().is_none() && other.segments().is_none();
        is_plain && with_plain_ends(&self.readable()) == with_plain_ends(&other.readable())
    }

    /// Whether it has a file, a picture or the like, whose upload may take long.
    pub fn has_attachments(&self) -> bool {
        !self.attachments(true).is_empty()
    }

    /// This content without the addresses of media, which may be their bytes. [`Self::is_told_of`] does not need
    /// them, nor what is inside forwards.
    #[must_use]
    pub fn without_addresses(&self) -> Self {
        let mut segments = self.to_segments();
        for segment in &mut segments {
            if let Segment::File(file) = segment {
                file.name = file.sent_name().map(Cow::into_owned);
            }
            if let Segment::Forward { items, .. } = segment {
                // One that is open stays so.
                items.truncate(1);
                items.fill(ForwardItem::default());
            } else if let Some((_, media)) = segment.media_mut() {
                media.url = media.url.take().map(|_| NO_BYTES.to_owned());
            }
        }
        Self::of(segments)
    }

    /// Whether it is one of the forms in which an adapter may send what was to be sent; plain text has no other.
    fn is_text_form_of(&self, sent: &Self) -> bool {
        const FORMS: [(bool, bool); 4] =
            [(false, false), (true, false), (false, true), (true, true)];
        let Some(segments) = sent.segments() else { return false };
        FORMS.into_iter().any(|(mentions_are_text, stickers_are_text)| {
            let form = TextForm { mentions_are_text, stickers_are_text };
            self.is_form_of(&Self::of(segments.iter().map(|one| form.of(one)).collect()))
        })
    }

    fn is_form_of(&self, sent: &Self) -> bool {
        let has_all_of = |stickers_are_images| {
            let (told, attached) = (self.attachments(false), sent.attachments(stickers_are_images));
            told.len() == attached.len()
                && told.iter().zip(attached).all(|(told, sent)| may_be(told, sent))
                && self.mentions_and_faces(false).eq(sent.mentions_and_faces(stickers_are_images))
        };
        self.says_the_words_of(sent) && [false, true].into_iter().any(has_all_of)
    }

    /// Whether the texts are equal but for the spaces around them and the ends of their lines.
    fn says_the_words_of(&self, sent: &Self) -> bool {
        self.texts().map(with_plain_ends).eq(sent.texts().map(with_plain_ends))
    }

    /// The segments that are neither text nor attached, in order: the kind of each, and whom or what it means.
    fn mentions_and_faces(&self, stickers_are_images: bool) -> impl Iterator<Item = (&str, &str)> {
        let is_one = move |segment: &&Segment| {
            !(stickers_are_images && matches!(segment, Segment::Emoji { url: Some(_), .. }))
        };
        self.segments().unwrap_or_default().iter().filter(is_one).filter_map(mention_or_face)
    }

    /// The files and forwards, in order.
    fn attachments(&self, stickers_are_images: bool) -> Vec<&Segment> {
        let is_one = |segment: &&Segment| match segment {
            Segment::Image(_)
            | Segment::Audio(_)
            | Segment::Video(_)
            | Segment::File(_)
            | Segment::Forward { .. }
            | Segment::Card { .. } => true,
            Segment::Emoji { url: Some(_), .. } => stickers_are_images,
            Segment::Text { .. }
            | Segment::Mention { .. }
            | Segment::MentionAll {}
            | Segment::Emoji { url: None, .. }
            | Segment::Location { .. }
            | Segment::Other { .. } => false,
        };
        self.segments().unwrap_or_default().iter().filter(is_one).collect()
    }
}

impl TextForm {
    fn of(self, segment: &Segment) -> Segment {
        let text = || Segment::Text { text: segment.full_text() };
        match segment {
            Segment::Mention { .. } | Segment::MentionAll {} if self.mentions_are_text => text(),
            Segment::Emoji { id: Some(id), name, .. } if is_number(id) => {
                Segment::Emoji { id: Some(id.clone()), name: name.clone(), url: None }
            }
            Segment::Emoji { url: Some(url), .. } if !self.stickers_are_text && is_source(url) => {
                Segment::Image(Media::default())
            }
            Segment::Emoji { .. }
            | Segment::Location { .. }
            | Segment::Card { .. }
            | Segment::Other { .. } => text(),
            Segment::Forward { items, .. } if items.is_empty() => text(),
            segment if segment.media().is_some_and(Media::has_no_bytes) => text(),
            segment => segment.clone(),
        }
    }
}

impl Media {
    /// The name that a file goes out with, if its content tells it.
    fn sent_name(&self) -> Option<Cow<'_, str>> {
        if let Some(name) = &self.name {
            return Some(name.into());
        }
        // The address of bytes that are stored here says nothing.
        let url = self.url.as_deref().filter(|_| self.media.is_none())?;
        let name = match Inline::parse(url) {
            Some(inline) => inline.name.map(Cow::Owned),
            None => name_in_url(url),
        };
        name.filter(|name| !name.trim().is_empty())
    }

    fn has_no_bytes(&self) -> bool {
        self.url.is_none() && self.media.is_none()
    }

    /// Whether the file that was sent may be reported as this one.
    fn may_be_file(&self, sent: &Self) -> bool {
        let sizes = self.size.zip(sent.size);
        match self.name.as_deref().zip(sent.sent_name()) {
            Some((told, sent)) if letters(told).eq(letters(&sent)) => true,
            Some((told, _)) if is_hash(told) => sizes.is_none_or(|(told, sent)| told == sent),
            // A person may have named a file by a date and a number.
            Some((told, _)) if is_hexadecimal(told) => {
                sizes.is_some_and(|(told, sent)| told == sent)
            }
            Some(_) => false,
            None => sizes.is_none_or(|(told, sent)| told == sent),
        }
    }
}

/// The last part of a URL's path, decoded.
pub fn name_in_url(url: &str) -> Option<Cow<'_, str>> {
    let (_, path) = url.trim().split(['?', '#']).next()?.split_once("://")?;
    let (_, name) = path.rsplit_once('/').filter(|_| is_address(url.trim()))?;
    Some(percent_decode_str(name).decode_utf8_lossy())
}

/// Whether what was sent may be reported as this.
fn may_be(told: &Segment, sent: &Segment) -> bool {
    match (told, sent) {
        (Segment::Image(_), Segment::Image(_) | Segment::Emoji { .. })
        | (Segment::Audio(_), Segment::Audio(_))
        | (Segment::Video(_), Segment::Video(_))
        // Some report a forward as a card.
        | (Segment::Forward { .. } | Segment::Card { .. }, Segment::Forward { .. }) => true,
        (Segment::File(told), Segment::File(sent)) => told.may_be_file(sent),
        (Segment::Card { title: told, .. }, Segment::Card { title: sent, .. }) => told == sent,
        _ => false,
    }
}

/// The kind of a segment that is neither text nor attached, and whom or what it means. The name that is shown may
/// change.
fn mention_or_face(segment: &Segment) -> Option<(&str, &str)> {
    match segment {
        Segment::Mention { user, .. } => Some(("mention", user)),
        Segment::MentionAll {} => Some(("mention_all", "")),
        Segment::Emoji { id, .. } => Some(("emoji", id.as_deref().unwrap_or_default())),
        Segment::Location { .. } => Some(("location", "")),
        Segment::Other { name, .. } => Some(("other", name)),
        Segment::Text { .. }
        | Segment::Image(_)
        | Segment::Audio(_)
        | Segment::Video(_)
        | Segment::File(_)
        | Segment::Forward { .. }
        | Segment::Card { .. } => None,
    }
}

/// A text whose lines end as on Unix.
fn with_plain_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    }
}

fn is_number(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether an address is one of the web, or has the bytes themselves.
fn is_source(url: &str) -> bool {
    is_address(url.trim()) || Inline::is_in(url)
}

/// The letters and digits of a name, in lower case: platforms replace some of the other characters.
fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// The name of a file without its extension.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Whether a hash or an ID stands in the place of a file's name, for certain.
fn is_hash(name: &str) -> bool {
    let stem = stem(name);
    let groups = stem.trim_matches(['{', '}', '/']).split('-').map(str::len);
    let has_letter = stem.chars().any(|letter| letter.is_ascii_alphabetic());
    is_hexadecimal(name) && (has_letter || groups.eq(UUID_GROUPS))
}

/// Whether a long hexadecimal number stands in the place of a file's name.
fn is_hexadecimal(name: &str) -> bool {
    let stem = stem(name);
    let is_mark = |letter: char| matches!(letter, '-' | '{' | '}' | '/');
    let digits = stem.chars().filter(char::is_ascii_hexdigit).count();
    digits >= HASH_DIGITS
        && stem.chars().all(|letter| letter.is_ascii_hexdigit() || is_mark(letter))
}
