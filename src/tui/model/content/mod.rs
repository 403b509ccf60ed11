//! A message's content as lines of styled text: what people read of each segment, never the bytes of
//! a file, and no address where a name will do.

mod faces;
mod lines;
mod one_line;
mod span;

pub use faces::shown_reaction;
pub use one_line::{last_line, line, one_line};
pub use span::{Span, TextLook};

use super::links;
use crate::model::content::{Content, ForwardItem, Media, Segment};
use crate::model::inline::Inline;
use crate::text;
use crate::tui::language::{self, say};
use lines::Lines;
use std::time::Duration;

/// Messages of a forward that are shown with it; its view shows all of them.
const FORWARD_LINES: usize = 3;

/// The lines of a content, of at most so many characters in all.
pub fn lines(content: &Content, most: usize) -> Vec<Vec<Span>> {
    let mut lines = Lines { left: most, ..Lines::default() };
    match content.segments() {
        None => lines.put_text(&content.readable()),
        Some(segments) => {
            for (index, segment) in segments.iter().enumerate() {
                let is_behind_name = index > 0 && is_mention(&segments[index - 1]);
                put(&mut lines, segment, is_behind_name);
            }
        }
    }
    lines.finish()
}

fn is_mention(segment: &Segment) -> bool {
    matches!(segment, Segment::Mention { .. } | Segment::MentionAll {})
}

/// A person who is mentioned; the account itself is `you` where it has no name.
fn mention(user: &str, name: Option<&str>, is_me: bool) -> String {
    let id = if is_me { say!("you") } else { user };
    format!("@{}", name.filter(|name| !name.is_empty()).unwrap_or(id))
}

/// Everybody of a group, who are mentioned.
pub fn everybody() -> String {
    format!("@{}", say!("all"))
}

fn put(lines: &mut Lines, segment: &Segment, is_behind_name: bool) {
    match segment {
        Segment::Text { text } => {
            if is_behind_name && !text.starts_with(char::is_whitespace) {
                lines.put(" ", TextLook::Plain);
            }
            lines.put_text(text);
        }
        Segment::Mention { user, name, me } => {
            let look = if *me { TextLook::Me } else { TextLook::Mention };
            lines.put_word(&mention(user, name.as_deref(), *me), look);
        }
        Segment::MentionAll {} => lines.put_word(&everybody(), TextLook::Me),
        Segment::Emoji { .. } => lines.put(&emoji(segment), TextLook::Plain),
        Segment::Other { .. } => lines.put_word(&word(segment), TextLook::Quiet),
        Segment::Forward { items, .. } => {
            lines.begin_line();
            lines.put(&word(segment), TextLook::Media);
            for item in items.iter().take(FORWARD_LINES) {
                lines.begin_line();
                lines.put(&format!("  {}", line_of_item(item)), TextLook::Quiet);
            }
            if items.len() > FORWARD_LINES {
                lines.begin_line();
                lines.put(&say!("  … {} more", items.len() - FORWARD_LINES), TextLook::Quiet);
            }
            lines.begin_line();
        }
        Segment::Image(_)
        | Segment::Audio(_)
        | Segment::Video(_)
        | Segment::File(_)
        | Segment::Location { .. }
        | Segment::Card { .. } => {
            lines.begin_line();
            lines.put(&word(segment), TextLook::Media);
            if let Some(said) = segment.media().and_then(|media| media.text.as_deref()) {
                lines.put(&format!(" “{said}”"), TextLook::Plain);
            }
            if let Some(failure) = segment.media().and_then(|media| media.failure.as_deref()) {
                let reason = language::reason(&failure.reason);
                let reason = one_line(reason.trim_end_matches('。'));
                lines.put(&say!(" — not here: {} (s fetches it again)", reason), TextLook::Quiet);
            }
            lines.begin_line();
        }
    }
}

/// One message of a forward on one line.
fn line_of_item(item: &ForwardItem) -> String {
    let name = if item.sender.name.is_empty() { &item.sender.id } else { &item.sender.name };
    format!("{name}: {}", line(&Content::of(item.segments.clone())))
}

/// Every message of the forwards in a content, with its author's name before it.
pub fn forwarded(content: &Content, most: usize) -> Vec<Vec<Span>> {
    let mut lines = Lines { left: most, ..Lines::default() };
    put_forwarded(&mut lines, content.segments().unwrap_or_default(), 1);
    if lines.done.is_empty() && lines.line.is_empty() { Vec::new() } else { lines.finish() }
}

fn put_forwarded(lines: &mut Lines, segments: &[Segment], depth: usize) {
    for segment in segments {
        let Segment::Forward { items, .. } = segment else { continue };
        for item in items {
            lines.begin_line();
            lines.put(&format!("{}{}", "  ".repeat(depth), line_of_item(item)), TextLook::Plain);
            put_forwarded(lines, &item.segments, depth + 1);
        }
    }
    lines.begin_line();
}

/// A segment that is no text in a few words, such as `[image] cat.png, 12 kB`.
pub fn word(segment: &Segment) -> String {
    let labelled = |label: &str, words: &[Option<&str>]| {
        let words = words.iter().copied().flatten().find(|word| is_shown(word));
        match words {
            Some(words) => format!("[{label}] {}", one_line(words)),
            None => format!("[{label}]"),
        }
    };
    match segment {
        Segment::Text { text } => text.clone(),
        Segment::Mention { user, name, me } => mention(user, name.as_deref(), *me),
        Segment::MentionAll {} => everybody(),
        Segment::Emoji { .. } => emoji(segment),
        Segment::Image(media) => medium(say!("image"), media),
        Segment::Audio(media) => medium(say!("audio"), media),
        Segment::Video(media) => medium(say!("video"), media),
        Segment::File(media) => medium(say!("file"), media),
        Segment::Location { latitude, longitude, title, address } => {
            let at = format!("{latitude:.5}, {longitude:.5}");
            let names: Vec<_> = [title, address].into_iter().flatten().cloned().collect();
            labelled(say!("location"), &[Some(&names.join(", ")), Some(&at)])
        }
        Segment::Forward { title, items, .. } => {
            let count = match items.len() {
                0 => String::new(),
                1 => say!(" (1 message)").into(),
                count => say!(" ({} messages)", count),
            };
            labelled(say!("forward"), &[title.as_deref()]) + &count
        }
        Segment::Card { title, text, url, .. } => {
            let host = url.as_deref().and_then(links::host);
            let text = text.as_deref().filter(|_| title.is_some());
            let more: Vec<_> = [text, host].into_iter().flatten().map(one_line).collect();
            let head = labelled(say!("card"), &[title.as_deref(), text]);
            if more.is_empty() { head } else { format!("{head} — {}", more.join(" · ")) }
        }
        Segment::Other { name, text } => labelled(name, &[text.as_deref()]),
    }
}

fn medium(label: &str, media: &Media) -> String {
    let inline = media.url.as_deref().and_then(Inline::parse);
    let address = media.url.as_deref().filter(|_| inline.is_none());
    let from_address = address.and_then(|url| links::file_name(url).or_else(|| links::host(url)));
    let names = [media.name.as_deref(), media.summary.as_deref(), from_address];
    let name = names.into_iter().flatten().find(|name| is_shown(name)).map(bare);
    let length = media.duration.map(|seconds| {
        let seconds = Duration::try_from_secs_f64(seconds.round()).unwrap_or_default().as_secs();
        format!("{}:{:02}", seconds / 60, seconds % 60)
    });
    let size = media.size.or(inline.map(|inline| inline.size as u64)).map(text::in_units);
    let facts: Vec<_> = [name, length, size].into_iter().flatten().collect();
    if facts.is_empty() { format!("[{label}]") } else { format!("[{label}] {}", facts.join(", ")) }
}

/// The name of a sticker without the brackets that some platforms put around it.
fn bare(name: &str) -> String {
    let inside = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    one_line(inside.unwrap_or(name))
}

/// Whether a word says something, and is not the bytes of a file.
fn is_shown(word: &str) -> bool {
    !word.is_empty() && Inline::parse(word).is_none()
}

/// An emoji stands for itself; a face is shown as an emoji, else by its name in brackets.
fn emoji(segment: &Segment) -> String {
    let Segment::Emoji { name, id, .. } = segment else { return String::new() };
    if let Some(face) = id.as_deref().and_then(faces::face) {
        return face.to_owned();
    }
    match name.as_deref().filter(|name| is_shown(name)) {
        Some(name) if name.starts_with('[') || !name.chars().any(char::is_alphanumeric) => {
            name.to_owned()
        }
        Some(name) => format!("[{name}]"),
        None => format!("[{}]", say!("emoji")),
    }
}

/// Breaks lines into rows of at most `columns`; tells whether there is more than `most_rows`.
pub fn wrap(lines: &[Vec<Span>], columns: usize, most_rows: usize) -> (Vec<Vec<Span>>, bool) {
    let mut rows = Vec::new();
    for line in lines {
        if rows.len() >= most_rows {
            return (rows, true);
        }
        let whole: String = line.iter().map(|span| span.text.as_str()).collect();
        let (ranges, is_cut) = text::wrap_line(&whole, columns, most_rows - rows.len());
        rows.extend(ranges.into_iter().map(|range| part(line, &range)));
        if is_cut {
            return (rows, true);
        }
    }
    (rows, false)
}

/// The spans of a part of a line.
fn part(line: &[Span], range: &std::ops::Range<usize>) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut begin = 0;
    for span in line {
        let end = begin + span.text.len();
        let (from, to) = (range.start.max(begin), range.end.min(end));
        if from < to
            && let Some(text) = span.text.get(from - begin..to - begin)
        {
            spans.push(Span { text: text.to_owned(), ..*span });
        }
        begin = end;
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::{MediaFailure, every_segment};
    use crate::model::message::MessageType;
    use crate::tui::language::tests::in_chinese;

    fn shown(content: &Content) -> Vec<String> {
        let join = |line: &Vec<Span>| line.iter().map(|span| span.text.as_str()).collect();
        lines(content, 10_000).iter().map(join).collect()
    }

    fn text(text: &str) -> Segment {
        Segment::Text { text: text.into() }
    }

    #[test]
    fn every_segment_has_words() {
        let all = Content::of(every_segment());
        let wanted = [
            "a @Ann @all🙂",
            "[image] a.png, 0:02, 3 bytes “t” — not here: gone (s fetches it again)",
            "[audio] a.png, 0:02, 3 bytes “t” — not here: gone (s fetches it again)",
            "[video] a.png, 0:02, 3 bytes “t” — not here: gone (s fetches it again)",
            "[file] a.png, 0:02, 3 bytes “t” — not here: gone (s fetches it again)",
            "[location] t, a",
            "[forward] t (1 message)",
            "  B: x",
            "[card] t — x",
            "[poke] x",
        ];
        assert_eq!(shown(&all), wanted);
        assert!(line(&all).starts_with("a @Ann @all"), "{}", line(&all));
    }

    #[test]
    fn the_account_itself_is_you_where_it_has_no_name() {
        let me = Segment::Mention { user: "10001000".into(), name: None, me: true };
        assert_eq!(shown(&Content::of(vec![me, text(" hi")])), ["@you hi"]);
    }

    #[test]
    fn neither_bytes_nor_addresses_are_shown_where_a_name_will_do() {
        let of = |content: &str| shown(&Content::of_type(MessageType::Image, content.into()));
        let data = "QUJD".repeat(4_000);
        assert_eq!(of(&format!("base64://{data}")), ["[image] 12 kB"]);
        assert_eq!(of(&Inline::write("月.png", b"abc")), ["[image] 月.png, 3 bytes"]);
        assert_eq!(of("https://example.com/a/chart.png?x=1"), ["[image] chart.png"]);
        assert_eq!(of("https://example.com/"), ["[image] example.com"]);
    }

    #[test]
    fn why_a_file_is_not_here_is_told_in_the_readers_language() {
        let reason = "the platform tells no address of it".into();
        let failure = Some(Box::new(MediaFailure { reason, retryable: false, at: 5 }));
        let image = Content::of(vec![Segment::Image(Media { failure, ..Media::default() })]);
        let wanted = ["[图片] — 未能获取：平台没有给出它的地址（按 s 重新获取）"];
        in_chinese(|| assert_eq!(shown(&image), wanted));
    }

    #[test]
    fn lines_break_and_links_stand_out() {
        let content = Content::text("see https://a.b/c, and\r\nmore");
        let found = lines(&content, 1000);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0][1], Span::new("https://a.b/c", TextLook::Link));
        let (rows, is_cut) = wrap(&found, 8, 3);
        assert_eq!(rows[1], [Span::new("https://", TextLook::Link)]);
        assert!(is_cut);
    }

    #[test]
    fn mentions_stand_apart_from_the_words_beside_them() {
        let ann = Segment::Mention { user: "7".into(), name: Some("Ann".into()), me: true };
        let content = Content::of(vec![text("hi"), ann, text("come")]);
        assert_eq!(shown(&content), ["hi @Ann come"]);
        assert_eq!(lines(&content, 100)[0][2].look, TextLook::Me);
    }

    #[test]
    fn a_long_text_is_looked_at_no_further_than_it_is_shown() {
        let content = Content::text("x".repeat(1 << 20));
        assert_eq!(lines(&content, 100)[0][0].text.len(), 100);
    }
}
