//! A message as the interface takes it: in parts, each a request of its own.

use super::upload::File;
use crate::adapter::api::Outbound;
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    File(File),
}

/// The parts of a message, in their order; the error says why it cannot be sent.
pub(super) fn parts(message: &Outbound, max_text: usize) -> Result<Vec<Part>, String> {
    Ok(split(&message.content, max_text).into_iter().map(Part::Text).collect())
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
        rest = behind.trim_start();
    }
    pieces.push(rest.to_owned());
    pieces.retain(|piece| !piece.is_empty());
    pieces
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

    #[test]
    fn a_text_is_split_between_lines_then_words_then_characters() {
        assert_eq!(split("short", 5), ["short"]);
        assert_eq!(split("one two\nthree four", 11), ["one two", "three four"]);
        assert_eq!(split("one two three", 8), ["one two", "three"]);
        assert_eq!(split("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(split("我👨‍👩‍👧你", 5), ["我", "👨‍👩‍👧", "你"]);
    }

    #[test]
    fn every_character_is_in_a_piece() {
        let text = "字".repeat(4_500);
        let pieces = split(&text, 2_000);
        assert_eq!(pieces.concat(), text);
        assert_eq!(pieces.len(), 3);
    }
}
