//! A text with what was searched for in it, cut so that this is in sight.

use crate::search::Needle;
use crate::text::{cut, visible, width};
use std::borrow::Cow;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Stands for what was cut off.
const MARK: &str = "…";

/// A text that is safe for a terminal, and the positions in it that match a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MarkedText {
    pub(crate) text: String,
    /// In order; none overlaps another.
    pub(crate) hits: Vec<Range<usize>>,
}

impl From<&str> for MarkedText {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), hits: Vec::new() }
    }
}

impl From<String> for MarkedText {
    fn from(text: String) -> Self {
        Self { text, hits: Vec::new() }
    }
}

impl From<Cow<'_, str>> for MarkedText {
    fn from(text: Cow<'_, str>) -> Self {
        text.into_owned().into()
    }
}

impl MarkedText {
    /// A text of others, made safe, with its matches.
    pub(crate) fn find(needle: &Needle, text: &str) -> Self {
        let text = visible(text).into_owned();
        Self { hits: needle.find(&text), text }
    }

    /// The same behind a prefix, in which nothing is marked.
    pub(crate) fn behind(mut self, prefix: &str) -> Self {
        if !prefix.is_empty() {
            self.hits = moved(&self.hits, 0, prefix.len(), prefix.len() + self.text.len());
            self.text.insert_str(0, prefix);
        }
        self
    }

    /// As much as fits in so many columns: the beginning, unless the first match lies behind it.
    pub(crate) fn cut(&self, columns: usize) -> Self {
        let start = match self.hits.first() {
            Some(hit) if !fits(&self.text, hit.end, columns) => {
                start_of_part(&self.text, hit, columns)
            }
            _ => 0,
        };
        let begin = if start > 0 && columns > 0 { MARK } else { "" };
        let part = cut(&self.text[start..], columns.saturating_sub(width(begin)));
        let kept = match &part {
            Cow::Borrowed(whole) => whole.len(),
            Cow::Owned(part) => part.strip_suffix(MARK).unwrap_or(part).len(),
        };
        let hits = moved(&self.hits, start, begin.len(), begin.len() + kept);
        Self { text: format!("{begin}{part}"), hits }
    }
}

/// Whether a text is in sight up to `end` where only its beginning has room.
fn fits(text: &str, end: usize, columns: usize) -> bool {
    let before = width(&text[..end]);
    before < columns || before == columns && end == text.len()
}

/// Where the part begins that is shown of a long text: what stands before a match has a third of the
/// room that the match leaves, and more where little follows it.
fn start_of_part(text: &str, hit: &Range<usize>, columns: usize) -> usize {
    // Something is cut off at the beginning, and mostly at the end.
    let room = columns.saturating_sub(2 * width(MARK));
    let spare = room.saturating_sub(width(&text[hit.clone()]));
    let after = width(&text[hit.end..]).min(spare - spare / 3);
    let mut left = spare - after;
    let mut start = hit.start;
    for (place, grapheme) in text[..hit.start].grapheme_indices(true).rev() {
        if grapheme.width() > left {
            break;
        }
        left -= grapheme.width();
        start = place;
    }
    start
}

/// Positions after what stood before `start` was left out and `before` bytes were put there, up to `end`.
fn moved(hits: &[Range<usize>], start: usize, before: usize, end: usize) -> Vec<Range<usize>> {
    let place = |at: usize| (at.max(start) - start + before).min(end);
    let all = hits.iter().map(|hit| place(hit.start)..place(hit.end));
    all.filter(|hit| !hit.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(needle: &str, text: &str) -> MarkedText {
        MarkedText::find(&Needle::new(needle).unwrap(), text)
    }

    fn hits(text: &MarkedText) -> Vec<&str> {
        text.hits.iter().map(|hit| &text.text[hit.clone()]).collect()
    }

    #[test]
    fn a_match_is_in_sight_wherever_it_stands() {
        let text = format!("{}NEEDLE{}", "a b ".repeat(30), " c d".repeat(30));
        for (text, shown) in [
            (found("needle", "the NEEDLE"), "the NEEDLE"),
            (found("needle", &text), "… b a b NEEDLE c d c d c d c …"),
            (found("needle", &text[..126]), "…b a b a b a b a b a b NEEDLE"),
            (found("needle", &text[100..]), "a b a b a b a b a b NEEDLE c …"),
        ] {
            let cut = text.cut(30);
            assert_eq!((&*cut.text, hits(&cut)), (shown, vec!["NEEDLE"]));
        }
    }

    #[test]
    fn a_prefix_is_never_marked() {
        let text = found("ann", "Ann and ann").behind("(to Ann) ");
        assert_eq!(text.text, "(to Ann) Ann and ann");
        assert_eq!(text.hits, [9..12, 17..20]);
    }

    proptest! {
        #[test]
        fn a_part_is_no_wider_than_its_room_and_has_the_match(
            before in "[ab 你😀]{0,60}", after in "[ab 你😀]{0,60}", columns in 8_usize..50,
        ) {
            let text = found("x好", &format!("{before}x好{after}"));
            let cut = text.cut(columns);
            prop_assert!(width(&cut.text) <= columns, "{:?}", cut);
            prop_assert_eq!(hits(&cut), ["x好"]);
            // A cell that shares its row is cut twice.
            prop_assert_eq!(hits(&cut.cut(columns - 1)).len(), 1);
        }

        #[test]
        fn a_part_of_any_text_is_no_wider_than_its_room(
            text in "\\PC{0,40}", needle in "\\PC{1,3}", columns in 0_usize..20,
        ) {
            if let Some(needle) = Needle::new(&needle) {
                let cut = MarkedText::find(&needle, &text).cut(columns);
                prop_assert!(width(&cut.text) <= columns, "{:?}", cut);
                prop_assert!(cut.hits.iter().all(|hit| cut.text.get(hit.clone()).is_some()));
            }
        }
    }
}
