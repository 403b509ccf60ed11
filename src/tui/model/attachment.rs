//! Parts of a message that can be opened or saved: its links, files, and places.

use super::content::word;
use super::{content, links};
use crate::model::content::{Content, Segment};
use crate::model::inline::Inline;
use crate::model::message::Message;
use uuid::Uuid;

/// Something of a message that can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaItem {
    /// A short label.
    pub label: String,
    /// The name to save it under, where it is a file.
    pub name: Option<String>,
    pub is_picture: bool,
    pub place: AttachmentPlace,
    /// The message it is of.
    pub message: Uuid,
}

/// Place of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttachmentPlace {
    /// On the web.
    Address(String),
    /// At the server, by its SHA-256.
    Kept(String),
    /// In the content itself.
    Inline(String),
    /// Known by this name to its platform alone, which the server asks.
    Platform(String),
}

/// Purpose of fetching a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetching {
    /// To open it with the desktop's program.
    Open,
    /// To save it for good.
    Save,
    /// To show a picture in the terminal.
    Show,
}

/// Everything of a message that can be opened, in order.
pub fn of(message: &Message) -> Vec<MediaItem> {
    let mut found = FoundAttachment { message: message.id, all: Vec::new() };
    found.collect(&message.content);
    found.all
}

struct FoundAttachment {
    message: Uuid,
    all: Vec<MediaItem>,
}

impl FoundAttachment {
    fn collect(&mut self, content: &Content) {
        for segment in content.to_segments() {
            match &segment {
                Segment::Text { text } => {
                    for link in links::find(text) {
                        let address = text[link].to_owned();
                        self.link(content::one_line(&address), address);
                    }
                }
                Segment::Card { url: Some(url), .. } if links::host(url).is_some() => {
                    self.link(word(&segment), url.clone());
                }
                Segment::Location { latitude, longitude, .. } => {
                    let at =
                        format!("mlat={latitude}&mlon={longitude}#map=16/{latitude}/{longitude}");
                    let address = format!("https://www.openstreetmap.org/?{at}");
                    self.link(word(&segment), address);
                }
                Segment::Forward { items, .. } => {
                    for item in items {
                        self.collect(&Content::of(item.segments.clone()));
                    }
                }
                segment => {
                    let Some(place) = place_of(segment) else { continue };
                    self.add(MediaItem {
                        label: word(segment),
                        name: Some(name_of(segment)),
                        is_picture: matches!(segment, Segment::Image(_)),
                        place,
                        message: self.message,
                    });
                }
            }
        }
    }

    fn link(&mut self, label: String, address: String) {
        let (place, message) = (AttachmentPlace::Address(address), self.message);
        self.add(MediaItem { label, name: None, is_picture: false, place, message });
    }

    fn add(&mut self, attachment: MediaItem) {
        if !self.all.iter().any(|other| other.place == attachment.place) {
            self.all.push(attachment);
        }
    }
}

fn place_of(segment: &Segment) -> Option<AttachmentPlace> {
    let media = segment.media()?;
    if let Some(kept) = &media.media {
        return Some(AttachmentPlace::Kept(kept.clone()));
    }
    let Some(url) = media.url.clone() else {
        return Some(AttachmentPlace::Platform(name_of(segment)));
    };
    if Inline::parse(&url).is_some() {
        return Some(AttachmentPlace::Inline(url));
    }
    links::host(&url).is_some().then_some(AttachmentPlace::Address(url))
}

/// The name to save a file under: one that its author gave, else one by its type.
fn name_of(segment: &Segment) -> String {
    let media = segment.media().cloned().unwrap_or_default();
    let inline = media.url.as_deref().and_then(Inline::parse).and_then(|inline| inline.name);
    let address = media.url.as_deref().and_then(links::file_name).map(str::to_owned);
    let (word, extension) = match segment {
        Segment::Image(_) => ("image", "png"),
        Segment::Audio(_) => ("audio", "ogg"),
        Segment::Video(_) => ("video", "mp4"),
        _ => ("file", "bin"),
    };
    let extension = match media.mime.as_deref() {
        Some("image/jpeg") => "jpg",
        Some("image/gif") => "gif",
        Some("image/webp") => "webp",
        _ => extension,
    };
    let given = [media.name, inline, address].into_iter().flatten();
    let named = given.map(|name| safe(&name)).find(|name| !name.is_empty());
    named.unwrap_or_else(|| format!("{word}.{extension}"))
}

/// A name of others as the name of a file here: no path, nothing hidden, nothing that steers a
/// terminal.
pub fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_bad = |c: char| c.is_control() || matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let name: String = last.chars().map(|c| if is_bad(c) { '_' } else { c }).collect();
    let name = name.trim_matches(|c: char| c == '.' || c.is_whitespace());
    name.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::{Media, every_segment};

    fn of_content(content: Content) -> Vec<MediaItem> {
        of(&Message::new(1, Uuid::nil(), content, "group_1".into(), 0))
    }

    #[test]
    fn links_files_and_places_are_found_once_each() {
        let labels = |content| -> Vec<_> {
            of_content(content).into_iter().map(|attachment| attachment.label).collect()
        };
        let text = "https://a.b and https://a.b, https://c.d";
        assert_eq!(labels(Content::text(text)), ["https://a.b", "https://c.d"]);
        let all = labels(Content::of(every_segment()));
        assert_eq!(all, ["[image] a.png, 0:02, 3 bytes", "[location] t, a"]);
    }

    #[test]
    fn a_file_that_only_its_platform_has_can_be_asked_for() {
        let media = Media { name: Some("q.pdf".into()), ..Media::default() };
        let found = of_content(Content::of(vec![Segment::File(media)]));
        assert_eq!(found[0].place, AttachmentPlace::Platform("q.pdf".into()));
    }

    #[test]
    fn names_of_others_are_made_safe() {
        assert_eq!(safe("../../etc/passwd"), "passwd");
        assert_eq!(safe("C:\\x\\..hidden.png"), "hidden.png");
        assert_eq!(safe("a\u{1b}[2J\n.png"), "a_[2J_.png");
        let media = Media { url: Some("base64://aGk=".into()), ..Media::default() };
        let found = of_content(Content::of(vec![Segment::Image(media)]));
        assert_eq!(found[0].name.as_deref(), Some("image.png"));
    }
}
