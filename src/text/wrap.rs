//! Breaking text into rows of a terminal.

use super::{visible, width};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Rows of a wrapped text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrapped {
    /// None is wider than what was asked for, and none has characters that steer a terminal.
    pub rows: Vec<String>,
    /// There is more than the rows that were asked for.
    pub is_cut: bool,
}

/// Breaks a text into rows of at most `columns`, between words where that is possible.
pub fn wrap(text: &str, columns: usize, most_rows: usize) -> Wrapped {
    let mut wrapping = Wrapping { columns: columns.max(1), most_rows, wrapped: Wrapped::default() };
    for line in text.split(['\n', '\u{2028}', '\u{2029}']) {
        if wrapping.is_full() {
            wrapping.wrapped.is_cut = true;
            break;
        }
        wrapping.line(line.strip_suffix('\r').unwrap_or(line));
    }
    wrapping.wrapped
}

struct Wrapping {
    columns: usize,
    most_rows: usize,
    wrapped: Wrapped,
}

impl Wrapping {
    fn is_full(&self) -> bool {
        self.wrapped.rows.len() >= self.most_rows
    }

    fn line(&mut self, line: &str) {
        // A long line is looked at no further than it can be shown.
        let line = match line.char_indices().nth(self.columns * (self.most_rows + 1) * 4) {
            Some((end, _)) => {
                self.wrapped.is_cut = true;
                &line[..end]
            }
            None => line,
        };
        let line = visible(line);
        let mut row = Line::default();
        let mut from = 0;
        for (to, _) in unicode_linebreak::linebreaks(&line) {
            // An address stays whole where it can, to be selected with the mouse.
            if line[from..to].ends_with('/') && to < line.len() {
                continue;
            }
            let word = &line[from..to];
            from = to;
            // The spaces at which a row ends need no room.
            let bare = word.trim_end();
            let taken = width(bare);
            if row.width + taken > self.columns && row.width > 0 && !self.end(&mut row) {
                return;
            }
            if taken <= self.columns {
                row.push(bare, taken);
            } else if !self.long_word(bare, &mut row) {
                return;
            }
            let spaces = &word[bare.len()..];
            row.push(spaces, width(spaces));
        }
        self.end(&mut row);
    }

    /// A word that fits no row is broken between its characters.
    fn long_word(&mut self, word: &str, row: &mut Line) -> bool {
        for grapheme in word.graphemes(true) {
            let taken = grapheme.width();
            if row.width + taken > self.columns && row.width > 0 && !self.end(row) {
                return false;
            }
            if taken <= self.columns {
                row.push(grapheme, taken);
            }
        }
        true
    }

    /// Ends a row; false where there may be no further one.
    fn end(&mut self, row: &mut Line) -> bool {
        if self.is_full() {
            self.wrapped.is_cut = true;
            return false;
        }
        let ended = std::mem::take(row);
        self.wrapped.rows.push(ended.text.trim_end().to_owned());
        true
    }
}

#[derive(Default)]
struct Line {
    text: String,
    width: usize,
}

impl Line {
    fn push(&mut self, text: &str, width: usize) {
        self.text.push_str(text);
        self.width += width;
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
