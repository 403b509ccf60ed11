//! Lines of styled text that are being made.

use super::span::{Span, TextLook};
use crate::tui::model::links;

/// Lines that are being made.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) done: Vec<Vec<Span>>,
    pub(super) line: Vec<Span>,
    /// Characters that may still be put.
    pub(super) left: usize,
}

impl Lines {
    /// Puts text behind what is there; its line breaks begin new lines.
    pub(super) fn put(&mut self, text: &str, look: TextLook) {
        let text = match text.char_indices().nth(self.left) {
            Some((end, _)) => &text[..end],
            None => text,
        };
        self.left -= text.chars().count();
        for (index, line) in text.split(['\n', '\u{2028}', '\u{2029}']).enumerate() {
            if index > 0 {
                self.done.push(std::mem::take(&mut self.line));
            }
            let line = line.strip_suffix('\r').unwrap_or(line);
            if !line.is_empty() {
                self.line.push(Span::new(line, look));
            }
        }
    }

    /// Plain text, the addresses in it standing out.
    pub(super) fn put_text(&mut self, text: &str) {
        let mut end = 0;
        for link in links::find(text) {
            self.put(&text[end..link.start], TextLook::Plain);
            self.put(&text[link.clone()], TextLook::Link);
            end = link.end;
        }
        self.put(&text[end..], TextLook::Plain);
    }

    /// A word that does not touch the words beside it.
    pub(super) fn put_word(&mut self, word: &str, look: TextLook) {
        if self.line.last().is_some_and(|span| !span.text.ends_with(char::is_whitespace)) {
            self.put(" ", TextLook::Plain);
        }
        self.put(word, look);
    }

    /// Begins a new line unless one has just begun.
    pub(super) fn begin_line(&mut self) {
        if !self.line.is_empty() {
            self.done.push(std::mem::take(&mut self.line));
        }
    }

    pub(super) fn finish(mut self) -> Vec<Vec<Span>> {
        if !self.line.is_empty() || self.done.is_empty() {
            self.done.push(self.line);
        }
        self.done
    }
}
