//! The readable text of segments (contract, items 23 and 24).

use super::segment::Segment;
use std::fmt::Write;

/// Whether a text is an address of the web; anything else, base64 among it, is never shown as one.
pub(super) fn is_address(text: &str) -> bool {
    let is_scheme = |scheme: &str| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    is_scheme("https://") || is_scheme("http://")
}

pub(super) fn address_or_name(segment: &Segment) -> String {
    let Some(media) = segment.media() else { return String::new() };
    let address = media.url.as_deref().filter(|url| is_address(url));
    let words = [address, media.name.as_deref(), media.text.as_deref(), media.summary.as_deref()];
    words.into_iter().flatten().find(|word| is_shown(word)).unwrap_or(segment.label()).to_owned()
}

/// Whether a word is worth showing: not empty, and not the bytes of a file.
fn is_shown(word: &str) -> bool {
    !word.trim().is_empty() && !word.starts_with("base64://") && !word.starts_with("data:")
}

pub(super) fn readable(segments: &[Segment]) -> String {
    let mut text = String::new();
    for segment in segments {
        // A label of something that is not text is separated from the words before it.
        let is_word = !matches!(segment, Segment::Text { .. } | Segment::Emoji { .. });
        if is_word && text.ends_with(|c: char| !c.is_whitespace()) {
            text.push(' ');
        }
        let before = text.len();
        write_word(segment, &mut text);
        let follows_text = matches!(segment, Segment::Mention { .. } | Segment::MentionAll {});
        if follows_text && text.len() > before {
            text.push(' ');
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    text
}

fn write_word(segment: &Segment, text: &mut String) {
    let first = |words: &[Option<&str>]| {
        words.iter().copied().flatten().find(|word| is_shown(word)).map(str::to_owned)
    };
    let found = match segment {
        Segment::Text { text: own } => {
            return text.push_str(own.trim_start_matches(|c| {
                // A space after a name is there already.
                c == ' ' && text.ends_with(' ')
            }));
        }
        Segment::Mention { user, name, .. } => {
            let name = name.as_deref().filter(|name| is_shown(name)).unwrap_or(user);
            Some(format!("@{name}"))
        }
        Segment::MentionAll {} => Some("@all".into()),
        Segment::Emoji { name, .. } => name.as_deref().filter(|name| is_shown(name)).map(emoji),
        Segment::Image(media) | Segment::Video(media) => first(&[media.summary.as_deref()]),
        Segment::Audio(media) => first(&[media.text.as_deref()]),
        Segment::File(media) => first(&[media.name.as_deref()]),
        Segment::Location { latitude, longitude, title, address } => {
            let words: Vec<_> =
                [title, address].into_iter().flatten().map(String::as_str).collect();
            let mut place = words.join(" ");
            if place.is_empty() {
                let _ = write!(place, "{},{}", coordinate(*latitude), coordinate(*longitude));
            }
            Some(place)
        }
        Segment::Forward { title, .. } => first(&[title.as_deref()]),
        Segment::Card { title, text, url, .. } => {
            first(&[title.as_deref(), text.as_deref(), url.as_deref()])
        }
        // The name comes first: a die that shows 6 must not read as if a person wrote 6.
        Segment::Other { name, text } => Some(match first(&[text.as_deref()]) {
            Some(said) => format!("[{name}] {said}"),
            None => format!("[{name}]"),
        }),
    };
    text.push_str(found.as_deref().unwrap_or(segment.label()));
}

/// Degrees with at least 5 decimals, about a metre: platforms write final zeros, which a number loses.
fn coordinate(degrees: f64) -> String {
    let shortest = degrees.to_string();
    let decimals = shortest.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if decimals < 5 { format!("{degrees:.5}") } else { shortest }
}

/// An emoji is shown as itself, and a face of the platform by its name in brackets.
fn emoji(name: &str) -> String {
    if name.chars().any(char::is_alphanumeric) && !name.starts_with('[') {
        format!("[{name}]")
    } else {
        name.to_owned()
    }
}
