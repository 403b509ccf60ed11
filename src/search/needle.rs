//! Where a text has what was searched for.

use super::normalise::{normalise, stays_in_place};
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// A text that is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle(String);

impl Needle {
    /// `None` if there is nothing to look for.
    pub fn new(text: &str) -> Option<Self> {
        let text = normalise(text).into_owned();
        (!text.trim().is_empty()).then_some(Self(text))
    }

    /// The positions in a text that match, in order; none overlaps another. They are compared as a
    /// search compares, and consist of whole characters as people see them.
    pub fn find(&self, text: &str) -> Vec<Range<usize>> {
        if stays_in_place(text) {
            let normal = normalise(text);
            let matches = normal.match_indices(&self.0);
            return matches.map(|(start, found)| start..start + found.len()).collect();
        }
        // Where each byte of the normalised text comes from.
        let (mut normal, mut from) = (String::with_capacity(text.len()), Vec::new());
        for (position, grapheme) in text.grapheme_indices(true) {
            normal.push_str(&normalise(grapheme));
            from.resize(normal.len(), position..position + grapheme.len());
        }
        let mut found: Vec<Range<usize>> = Vec::new();
        for (start, _) in normal.match_indices(&self.0) {
            let range = from[start].start..from[start + self.0.len() - 1].end;
            if found.last().is_none_or(|last| last.end <= range.start) {
                found.push(range);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'t>(needle: &str, text: &'t str) -> Vec<&'t str> {
        Needle::new(needle).unwrap().find(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn case_width_and_composition_do_not_matter() {
        assert_eq!(found("abc", "xＡＢＣ abC"), ["ＡＢＣ", "abC"]);
        assert_eq!(found("abc", "Abc, 你好 aBC"), ["Abc", "aBC"]);
        assert_eq!(found("é", "cafe\u{301} É"), ["e\u{301}", "É"]);
        assert_eq!(found("你好", "你好，你 好"), ["你好"]);
        assert_eq!(found("aa", "aaa"), ["aa"]);
        assert!(Needle::new(" ").is_none());
    }
}
