//! Positions of a search text in a text, compared in the same way as by the server.

use super::content::Span;
use crate::search::normalise;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// A text that is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle(String);

impl Needle {
    /// `None` where there is nothing to look for.
    pub fn new(text: &str) -> Option<Self> {
        let text = normalise(text).into_owned();
        (!text.trim().is_empty()).then_some(Self(text))
    }

    /// The places in a text that match, in order; none overlaps another.
    pub fn find(&self, text: &str) -> Vec<Range<usize>> {
        // Where each byte of the normalised text comes from.
        let (mut normal, mut from) = (String::with_capacity(text.len()), Vec::new());
        for (place, grapheme) in text.grapheme_indices(true) {
            normal.push_str(&normalise(grapheme));
            from.resize(normal.len(), place..place + grapheme.len());
        }
        let matches = normal.match_indices(&self.0);
        let mut found: Vec<Range<usize>> = Vec::new();
        for (start, _) in matches {
            let range = from[start].start..from[start + self.0.len() - 1].end;
            if found.last().is_none_or(|last| last.end <= range.start) {
                found.push(range);
            }
        }
        found
    }

    /// Marks the places in a line that match.
    pub fn mark(&self, line: &mut Vec<Span>) {
        let whole: String = line.iter().map(|span| span.text.as_str()).collect();
        let found = self.find(&whole);
        if found.is_empty() {
            return;
        }
        let mut marked = Vec::new();
        let mut begin = 0;
        for span in line.drain(..) {
            let end = begin + span.text.len();
            let mut at = begin;
            for hit in found.iter().filter(|hit| hit.end > begin && hit.start < end) {
                let (from, to) = (hit.start.max(begin), hit.end.min(end));
                span.push_part(at - begin..from - begin, false, &mut marked);
                span.push_part(from - begin..to - begin, true, &mut marked);
                at = to;
            }
            span.push_part(at - begin..end - begin, false, &mut marked);
            begin = end;
        }
        *line = marked;
    }
}

impl Span {
    fn push_part(&self, range: Range<usize>, is_hit: bool, to: &mut Vec<Span>) {
        if let Some(text) = self.text.get(range).filter(|text| !text.is_empty()) {
            to.push(Span { text: text.to_owned(), look: self.look, is_hit });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::content::TextLook;
    use super::*;

    fn found<'t>(needle: &str, text: &'t str) -> Vec<&'t str> {
        Needle::new(needle).unwrap().find(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn case_width_and_composition_do_not_matter() {
        assert_eq!(found("abc", "xＡＢＣ abC"), ["ＡＢＣ", "abC"]);
        assert_eq!(found("é", "cafe\u{301} É"), ["e\u{301}", "É"]);
        assert_eq!(found("你好", "你好，你 好"), ["你好"]);
        assert_eq!(found("aa", "aaa"), ["aa"]);
        assert!(Needle::new(" ").is_none());
    }

    #[test]
    fn a_hit_goes_over_pieces_of_different_looks() {
        let mut line =
            vec![Span::new("ask @Ann", TextLook::Me), Span::new(" now", TextLook::Plain)];
        Needle::new("ANN NO").unwrap().mark(&mut line);
        let hits: Vec<_> = line.iter().filter(|span| span.is_hit).map(|s| &*s.text).collect();
        assert_eq!(hits, ["Ann", " no"]);
        let whole: String = line.iter().map(|span| &*span.text).collect();
        assert_eq!(whole, "ask @Ann now");
    }
}
