//! Breaking text into rows of a terminal.

use super::{visible, width};
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Rows of a wrapped text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrapped {
    /// No row is wider than requested, and none has characters that control a terminal.
    pub rows: Vec<String>,
    /// The text has more rows than were requested.
    pub is_cut: bool,
}

/// Breaks a text into rows of at most `columns`, between words where that is possible.
pub fn wrap(text: &str, columns: usize, most_rows: usize) -> Wrapped {
    let mut wrapped = Wrapped::default();
    for line in text.split(['\n', '\u{2028}', '\u{2029}']) {
        if wrapped.rows.len() >= most_rows {
            wrapped.is_cut = true;
            break;
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        // A long line is read only as far as it can be shown.
        let line = match line.char_indices().nth(columns.max(1) * (most_rows + 1) * 4) {
            Some((end, _)) => {
                wrapped.is_cut = true;
                &line[..end]
            }
            None => line,
        };
        let line = visible(line);
        let (rows, is_cut) = wrap_line(&line, columns, most_rows - wrapped.rows.len());
        wrapped.rows.extend(rows.into_iter().map(|row| line[row].to_owned()));
        wrapped.is_cut |= is_cut;
    }
    wrapped
}

/// Breaks a line, whose characters are all safe to show, into rows of at most `columns`: returns
/// the range of each row, and whether there are more than `most_rows`.
pub fn wrap_line(line: &str, columns: usize, most_rows: usize) -> (Vec<Range<usize>>, bool) {
    let columns = columns.max(1);
    let mut wrapping =
        Wrapping { line, columns, most_rows, rows: Vec::new(), row: 0..0, width: 0, is_cut: false };
    wrapping.all();
    (wrapping.rows, wrapping.is_cut)
}

struct Wrapping<'a> {
    line: &'a str,
    columns: usize,
    most_rows: usize,
    rows: Vec<Range<usize>>,
    /// The row that is being filled.
    row: Range<usize>,
    width: usize,
    is_cut: bool,
}

impl Wrapping<'_> {
    fn all(&mut self) {
        let mut from = 0;
        for (to, _) in unicode_linebreak::linebreaks(self.line) {
            // An address stays on one row if possible, so that the mouse can select it.
            if self.line[from..to].ends_with('/') && to < self.line.len() {
                continue;
            }
            let word = &self.line[from..to];
            // Spaces at the end of a row take no columns.
            let bare = word.trim_end();
            let taken = width(bare);
            if self.width + taken > self.columns && self.width > 0 && !self.end() {
                return;
            }
            if taken <= self.columns {
                self.push(from + bare.len(), taken);
            } else if !self.long_word(from, bare) {
                return;
            }
            self.push(to, width(&word[bare.len()..]));
            from = to;
        }
        self.end();
    }

    /// A word that is longer than a row is broken between its characters.
    fn long_word(&mut self, at: usize, word: &str) -> bool {
        for (place, grapheme) in word.grapheme_indices(true) {
            let taken = grapheme.width();
            let is_too_wide = taken > self.columns;
            if (self.width + taken > self.columns || is_too_wide) && self.width > 0 && !self.end() {
                return false;
            }
            let end = at + place + grapheme.len();
            if is_too_wide {
                self.row = end..end;
            } else {
                self.push(end, taken);
            }
        }
        true
    }

    fn push(&mut self, end: usize, width: usize) {
        self.row.end = end;
        self.width += width;
    }

    /// Ends a row; false if no further row is allowed.
    fn end(&mut self) -> bool {
        if self.rows.len() >= self.most_rows {
            self.is_cut = true;
            return false;
        }
        let next = self.row.end;
        let length = self.line[self.row.clone()].trim_end().len();
        self.rows.push(self.row.start..self.row.start + length);
        self.row = next..next;
        self.width = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cut, is_harmful};
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str, columns: usize) -> Vec<String> {
        wrap(text, columns, 100).rows
    }

    #[test]
    fn words_stay_whole_where_they_fit() {
        assert_eq!(rows("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(rows("abcdefghijkl", 5), ["abcde", "fghij", "kl"]);
        assert_eq!(rows("see https://a.b/c", 14), ["see", "https://a.b/c"]);
        assert_eq!(rows("  indented\n\nlast", 20), ["  indented", "", "last"]);
        assert_eq!(rows("a\rb\r\nc", 9), ["a␍b", "c"]);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(rows("你好，世界。", 5), ["你", "好，", "世", "界。"]);
        assert_eq!(rows("你好世界", 5), ["你好", "世界"]);
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let wrapped = wrap(&"word ".repeat(100), 10, 3);
        assert_eq!((wrapped.rows.len(), wrapped.is_cut), (3, true));
        assert!(!wrap("a\nb\nc", 10, 3).is_cut);
        assert!(wrap("a\nb\nc\nd", 10, 3).is_cut);
        assert!(wrap(&"x".repeat(1 << 20), 10, 3).is_cut);
    }

    proptest! {
        #[test]
        fn no_row_is_too_wide_and_none_steers(text in any::<String>(), columns in 2..30usize) {
            let wrapped = wrap(&text, columns, 20);
            prop_assert!(wrapped.rows.len() <= 20 && !wrapped.rows.is_empty());
            for row in wrapped.rows {
                prop_assert!(width(&row) <= columns, "{row:?}");
                prop_assert!(!row.chars().any(is_harmful), "{row:?}");
            }
            let one_line = visible(&text);
            prop_assert!(width(&cut(&one_line, columns)) <= columns);
        }
    }
}
