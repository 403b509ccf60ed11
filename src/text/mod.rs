//! Text of other people, made safe for a terminal: it cannot control the terminal, and its width is
//! the width that the terminal shows.

mod address;
mod content;
mod reason;
mod serde_error;
mod wrap;

pub use address::without_secrets;
pub use content::{counted, in_units, readable};
pub use reason::{reason, without_field};
pub use serde_error::{error_of_json, error_of_line, without_type_names};
pub use wrap::{Wrapped, wrap, wrap_line};

use std::borrow::Cow;
use std::fmt::Write;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The columns of a tab, at any position.
const TAB: &str = "    ";

/// Replaces a control of Unicode's bidirectional algorithm, which could reorder a line.
const BIDI: char = '⇄';

/// Replaces a control character that has no symbol of its own.
const UNKNOWN: char = '\u{fffd}';

/// The text on one line, with a symbol for each character that could control a terminal, and
/// without characters whose width differs between terminals.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_harmful(c) || is_modifier(c) || is_joiner(c) || is_flag(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if is_modifier(c) && !shown.is_empty() => {}
            c if is_joiner(c) && shown.chars().next_back().is_some_and(is_emoji) => {}
            c if is_flag(c) => shown.push(letter_of(c)),
            '\t' => shown.push_str(TAB),
            '\n' | '\u{2028}' | '\u{2029}' => shown.push('⏎'),
            c if is_bidi(c) => shown.push(BIDI),
            c if c.is_control() => shown.push(picture(c)),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// The text on one line, with an escape such as `\n` or `\u{1b}` for each character that could
/// control a terminal; the original can be restored from it.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            '\\' => shown.push_str("\\\\"),
            c if is_harmful(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// JSON text with an escape for each character that could control a terminal; its value stays the
/// same.
///
/// JSON itself escapes only the control characters below U+0020.
pub fn json_for_terminal(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_harmful) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        // All of them are below U+10000, so one escape is enough.
        if is_harmful(c) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn is_harmful(c: char) -> bool {
    c.is_control() || is_bidi(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Modifiers of an emoji (variation selectors, skin tones, tags). Terminals disagree on their
/// width, so they are left out.
fn is_modifier(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

/// ZERO WIDTH JOINER: not every terminal joins the emoji on both sides of it into one.
fn is_joiner(c: char) -> bool {
    c == '\u{200d}'
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// The letters of flags, whose width differs between terminals, too; they are shown as plain
/// letters.
fn is_flag(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

fn letter_of(flag: char) -> char {
    char::from(b'A' + (u32::from(flag) - 0x1_f1e6) as u8)
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Unicode's symbol for a control character.
fn picture(c: char) -> char {
    match u32::from(c) {
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(UNKNOWN),
        0x7f => '␡',
        _ => UNKNOWN,
    }
}

/// Columns on the screen.
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The text cut to a width, with a `…` if something was cut.
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    let mut left = columns.saturating_sub(1);
    let mut end = 0;
    let mut graphemes = text.graphemes(true);
    for grapheme in graphemes.by_ref() {
        let taken = grapheme.width();
        if taken > left {
            // The last column is for the `…`, unless the text ends here.
            let fits = taken == left + 1 && columns > 0;
            if fits && graphemes.next().is_none() {
                return Cow::Borrowed(text);
            }
            let mark = if columns == 0 { "" } else { "…" };
            return Cow::Owned(format!("{}{mark}", &text[..end]));
        }
        left -= taken;
        end += grapheme.len();
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_becomes_a_symbol() {
        assert_eq!(visible("\u{1b}]0;owned\u{7}"), "␛]0;owned␇");
        assert_eq!(visible("a\u{9b}31mb\u{7f}"), "a\u{fffd}31mb␡");
        assert_eq!(visible("user\u{202e}gnp.exe"), "user⇄gnp.exe");
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(escaped("a\u{1b}[2J\u{202e}\n\\"), "a\\u{1b}[2J\\u{202e}\\n\\\\");
        let value = serde_json::json!({"a": "\u{9b}31m\u{202e}\u{7f}\u{2028}\u{1b}你好"});
        let shown = json_for_terminal(&value.to_string()).into_owned();
        assert!(!shown.chars().any(is_harmful), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn what_terminals_disagree_on_is_left_out() {
        assert_eq!(visible("🇩🇪!"), "DE!");
        assert_eq!(width(&visible("❤\u{fe0f}👍🏽1\u{fe0f}\u{20e3}")), 4);
        assert_eq!(visible("👨\u{200d}👩\u{200d}👧\u{200d}👦"), "👨👩👧👦");
        assert_eq!(visible("🏳\u{fe0f}\u{200d}🌈"), "🏳🌈");
        assert_eq!(visible("🏴\u{e0067}\u{e0062}\u{e007f}"), "🏴");
        // A joiner between letters changes how they are written, not how wide they are.
        assert_eq!(visible("ක\u{dca}\u{200d}ර"), "ක\u{dca}\u{200d}ර");
    }

    #[test]
    fn texts_are_cut_at_a_width() {
        assert_eq!(width("你好"), 4);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(cut("你好世界", 5), "你好…");
        assert_eq!(cut("你好世界", 6), "你好…");
        assert_eq!(cut("你好世界", 8), "你好世界");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("ab", 0), "");
    }
}
