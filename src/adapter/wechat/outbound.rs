//! A message as the interface takes it: in parts, each a request of its own.

use super::upload::{File, UploadKind};
use crate::adapter::api::Outbound;
use crate::model::content::{Content, ForwardItem, Media, Segment};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};
use std::mem::take;
use unicode_segmentation::UnicodeSegmentation;

/// Base64 with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OutboundPart {
    Text(String),
    File(File),
}

/// The parts of a message, in their order; the error says why it cannot be sent. What the platform
/// has no form for goes out as its readable text, a quote before all else.
pub(super) fn parts(message: &Outbound, max_text: usize) -> Result<Vec<OutboundPart>, String> {
    let mut parts = Vec::new();
    let mut texts = Vec::new();
    let quoted = message.reply_to.as_ref().and_then(|reply| reply.content.as_ref());
    texts.extend(quoted.map(|quoted| Segment::Text { text: format!("> {quoted}\n") }));
    for segment in message.content.to_segments() {
        if let Some(file) = file(&segment)? {
            add_text(take(&mut texts), max_text, &mut parts);
            parts.push(OutboundPart::File(file));
        } else {
            let more = card_url(&segment).or_else(|| forwarded(&segment));
            texts.push(segment);
            texts.extend(more.map(|more| Segment::Text { text: format!("\n{more}") }));
        }
    }
    add_text(texts, max_text, &mut parts);
    if parts.is_empty() { Err("there is nothing in it".into()) } else { Ok(parts) }
}

fn add_text(texts: Vec<Segment>, max_text: usize, parts: &mut Vec<OutboundPart>) {
    let text = Content::of(texts).readable().into_owned();
    parts.extend(split(&text, max_text).into_iter().map(OutboundPart::Text));
}

/// The address of a card whose readable text does not have it: in a text a person can open it.
fn card_url(segment: &Segment) -> Option<String> {
    let Segment::Card { url: Some(url), .. } = segment else { return None };
    let readable = Content::of(vec![segment.clone()]).readable().into_owned();
    (is_web(url) && !readable.contains(url.as_str())).then(|| url.clone())
}

/// The messages of a forward, each on a line of its own.
fn forwarded(segment: &Segment) -> Option<String> {
    let Segment::Forward { items, .. } = segment else { return None };
    let line = |item: &ForwardItem| {
        format!("{}: {}", item.sender.name, Content::of(item.segments.clone()).readable())
    };
    (!items.is_empty()).then(|| items.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// The file of a segment; `None` where it goes out as text.
fn file(segment: &Segment) -> Result<Option<File>, String> {
    let (kind, media, name) = match segment {
        Segment::Image(media) => (UploadKind::Image, media, "image"),
        Segment::Video(media) => (UploadKind::Video, media, "video"),
        Segment::Audio(media) => (UploadKind::Other, media, "audio"),
        Segment::File(media) => (UploadKind::Other, media, "file"),
        _ => return Ok(None),
    };
    let url = media.url.as_deref().unwrap_or_default();
    if is_web(url) {
        // The platform fetches no address; a person can open it.
        return Ok(None);
    }
    let bytes = bytes(media).ok_or_else(|| {
        format!(
            "the bytes of this {name} are not here; give them in `url` as `base64://…` or \
             `data:…;base64,…`"
        )
    })?;
    if bytes.is_empty() {
        return Err(format!("this {name} has no bytes"));
    }
    let name = media.name.clone().unwrap_or_else(|| name.to_owned());
    Ok(Some(File { kind, name, bytes: bytes.into() }))
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// The bytes that a segment carries. Where a client gives a type and a text, they are in the name.
fn bytes(media: &Media) -> Option<Vec<u8>> {
    let given = media.url.as_deref().or(media.name.as_deref())?;
    let encoded = match given.strip_prefix("base64://") {
        Some(encoded) => encoded,
        None => given.strip_prefix("data:")?.split_once(";base64,")?.1,
    };
    BASE64.decode(encoded.trim()).ok()
}

/// The item of a text.
pub(super) fn text_item(text: &str) -> Value {
    json!({"type": 1, "text_item": {"text": text}})
}

/// Splits a text into pieces of at most so many characters: between lines, else between words, and
/// never within what is one character to a reader.
fn split(text: &str, most: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.chars().nth(most).is_some() {
        let end = end_of_piece(rest, most);
        let (piece, behind) = rest.split_at(end);
        pieces.push(piece.trim_end().to_owned());
        rest = next_piece(behind, piece.ends_with('\n'));
    }
    pieces.push(rest.to_owned());
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// The text behind a piece, without the blanks between the two; a line keeps its indentation.
fn next_piece(behind: &str, begins_line: bool) -> &str {
    let rest = behind.trim_start();
    let blanks = &behind[..behind.len() - rest.len()];
    match blanks.rfind('\n') {
        Some(end) => &behind[end + 1..],
        None if begins_line => behind,
        None => rest,
    }
}

/// Bytes of the first piece.
fn end_of_piece(text: &str, most: usize) -> usize {
    let limit = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    let half = text.char_indices().nth(most / 2).map_or(0, |(at, _)| at);
    // A piece that ends early would spend the quota.
    let after = |found: Option<usize>| found.filter(|end| *end > half);
    let head = &text[..limit];
    let line = after(head.rfind('\n').map(|at| at + 1));
    let word = || after(head.rfind(char::is_whitespace));
    let cluster = || {
        let ends = text.grapheme_indices(true).map(|(at, cluster)| at + cluster.len());
        ends.take_while(|end| *end <= limit).last()
    };
    line.or_else(word).or_else(cluster).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{MessageType, ReplyTo};
    use uuid::Uuid;

    fn outbound(content: Content) -> Outbound {
        Outbound::new(Uuid::from_u128(1), "private_u", content)
    }

    fn text(text: &str) -> OutboundPart {
        OutboundPart::Text(text.into())
    }

    fn image(url: &str) -> Segment {
        Segment::Image(Media { url: Some(url.into()), ..Media::default() })
    }

    #[test]
    fn a_forward_goes_with_its_words() {
        let item = |name: &str, said: &str| ForwardItem {
            sender: crate::model::message::Sender { id: "1".into(), name: name.into() },
            created_at: 0,
            segments: vec![Segment::Text { text: said.into() }],
        };
        let items = vec![item("Ann", "when?"), item("Bo", "now")];
        let forward = Segment::Forward { title: None, items, id: None };
        let parts = parts(&outbound(Content::of(vec![forward])), 2_000).unwrap();
        assert_eq!(parts, [text("[forward]\nAnn: when?\nBo: now")]);
    }

    #[test]
    fn text_and_files_are_parts_in_their_order() {
        let content = Content::of(vec![
            Segment::Mention { user: "u".into(), name: Some("Ann".into()), me: false },
            Segment::Text { text: "look:".into() },
            image("base64://aGk"),
            Segment::Text { text: "and".into() },
            Segment::File(Media {
                name: Some("a.txt".into()),
                url: Some("data:text/plain;base64,aG8=".into()),
                ..Media::default()
            }),
            Segment::Location { latitude: 1.0, longitude: 2.0, title: None, address: None },
        ]);
        let (hi, ho) = (b"hi".as_slice().into(), b"ho".as_slice().into());
        let picture = File { kind: UploadKind::Image, name: "image".into(), bytes: hi };
        let file = File { kind: UploadKind::Other, name: "a.txt".into(), bytes: ho };
        let wanted = [
            text("@Ann look:"),
            OutboundPart::File(picture),
            text("and"),
            OutboundPart::File(file),
            text("1.00000,2.00000"),
        ];
        assert_eq!(parts(&outbound(content), 100).unwrap(), wanted);
    }

    #[test]
    fn a_type_and_a_text_may_carry_a_file() {
        let content = Content::of_type(MessageType::Image, "base64://aGk=".into());
        let parts = parts(&outbound(content), 100).unwrap();
        assert!(
            matches!(&parts[..], [OutboundPart::File(File { kind: UploadKind::Image, bytes, .. })] if **bytes == *b"hi")
        );
    }

    #[test]
    fn an_address_goes_out_as_text_and_what_is_not_here_does_not() {
        let address = Content::of(vec![image("https://h/a.png")]);
        assert_eq!(parts(&outbound(address), 100).unwrap(), [text("https://h/a.png")]);
        for url in ["/etc/passwd", "file:///etc/passwd", "base64://", "base64://!", "data:x"] {
            assert!(parts(&outbound(Content::of(vec![image(url)])), 100).is_err(), "{url}");
        }
        assert!(parts(&outbound(Content::text("")), 100).is_err());
    }

    #[test]
    fn a_card_goes_out_with_its_address() {
        let card = |title: Option<&str>| Segment::Card {
            title: title.map(str::to_owned),
            text: None,
            url: Some("https://h/a".into()),
            image: None,
        };
        for (title, wanted) in [(Some("Plan"), "Plan\nhttps://h/a"), (None, "https://h/a")] {
            let content = Content::of(vec![card(title)]);
            assert_eq!(parts(&outbound(content), 100).unwrap(), [text(wanted)]);
        }
    }

    #[test]
    fn a_quote_goes_out_as_its_words() {
        let reply = ReplyTo { content: Some("when?".into()), ..ReplyTo::default() };
        let message =
            Outbound { reply_to: Some(Box::new(reply)), ..outbound(Content::text("now")) };
        assert_eq!(parts(&message, 100).unwrap(), [text("> when?\nnow")]);
    }

    #[test]
    fn a_text_is_split_between_lines_then_words_then_characters() {
        assert_eq!(split("short", 5), ["short"]);
        assert_eq!(split("one two\nthree four", 11), ["one two", "three four"]);
        assert_eq!(split("one two three", 8), ["one two", "three"]);
        assert_eq!(split("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(split("我👨‍👩‍👧你", 5), ["我", "👨‍👩‍👧", "你"]);
    }

    #[test]
    fn a_line_keeps_its_indentation_where_a_text_is_split() {
        assert_eq!(split("if a:\n    b\n", 8), ["if a:", "    b\n"]);
        assert_eq!(split("if a:\n\n\n  b()", 9), ["if a:", "  b()"]);
        assert_eq!(split("if abc:  \n  b()", 9), ["if abc:", "  b()"]);
        assert_eq!(split("one   two", 5), ["one", "two"]);
    }

    #[test]
    fn every_character_is_in_a_piece() {
        let text = "字".repeat(4_500);
        let pieces = split(&text, 2_000);
        assert_eq!(pieces.concat(), text);
        assert_eq!(pieces.len(), 3);
    }
}
