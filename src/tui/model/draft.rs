//! The draft, and the drafts before it.

use super::scope::Key;
use crossterm::event::KeyEvent;
use ratatui_textarea::{CursorMove, TextArea, WrapMode};
use std::collections::HashMap;

/// The most answers that are remembered.
const MAX_SENT: usize = 100;

/// The most unfinished answers that are kept.
const MAX_KEPT: usize = 200;

/// A text that is being written.
pub fn editor(text: &str) -> TextArea<'static> {
    let mut editor = TextArea::new(text.split('\n').map(str::to_owned).collect());
    editor.set_wrap_mode(WrapMode::WordOrGlyph);
    editor.set_cursor_line_style(ratatui::style::Style::new());
    editor.move_cursor(CursorMove::Bottom);
    editor.move_cursor(CursorMove::End);
    editor
}

/// Text of a paste: lines, and no other control characters.
pub fn pasted(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|&c| matches!(c, '\n' | '\t') || !c.is_control()).collect()
}

/// The answer that is being written, one for each conversation.
#[derive(Clone, Debug)]
pub struct Draft {
    editor: TextArea<'static>,
    /// Whose answer it is.
    to: Option<Key>,
    kept: HashMap<Key, String>,
    /// The oldest first.
    sent: Vec<String>,
    /// Which of them is shown, while one goes through them.
    recalled: Option<usize>,
    /// The draft from before.
    unfinished: String,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            editor: editor(""),
            to: None,
            kept: HashMap::new(),
            sent: Vec::new(),
            recalled: None,
            unfinished: String::new(),
        }
    }
}

impl Draft {
    /// As it is edited.
    pub fn editor(&self) -> &TextArea<'static> {
        &self.editor
    }

    /// The text so far.
    pub fn text(&self) -> String {
        self.editor.lines().join("\n")
    }

    /// Goes on with the answer to another conversation.
    pub fn turn_to(&mut self, to: Option<&Key>) {
        if self.to.as_ref() == to {
            return;
        }
        let text = self.text();
        if let Some(before) = self.to.take() {
            self.kept.remove(&before);
            if !text.is_empty() && self.kept.len() < MAX_KEPT {
                self.kept.insert(before, text);
            }
        }
        let kept = to.and_then(|to| self.kept.get(to)).cloned().unwrap_or_default();
        self.to = to.cloned();
        self.set(&kept);
        self.recalled = None;
    }

    /// A key that is text, or moves the cursor.
    pub fn press(&mut self, key: KeyEvent) {
        self.editor.input(key);
    }

    /// Text that was pasted.
    pub fn paste(&mut self, text: &str) {
        self.editor.insert_str(pasted(text));
    }

    /// Begins a new line.
    pub fn break_line(&mut self) {
        self.editor.insert_newline();
    }

    /// Takes the text to be sent; `None` where there is none.
    pub fn take(&mut self) -> Option<String> {
        let text = self.text();
        if text.trim().is_empty() {
            return None;
        }
        if self.sent.last() != Some(&text) {
            self.sent.push(text.clone());
        }
        if self.sent.len() > MAX_SENT {
            self.sent.remove(0);
        }
        self.recalled = None;
        self.set("");
        Some(text)
    }

    /// A line up; above the first one, what was sent before.
    pub fn older(&mut self) {
        if self.editor.cursor().0 > 0 {
            self.editor.move_cursor(CursorMove::Up);
            return;
        }
        let next = self.recalled.unwrap_or(self.sent.len()).checked_sub(1);
        let Some(next) = next else { return };
        if self.recalled.is_none() {
            self.unfinished = self.text();
        }
        self.recalled = Some(next);
        self.set(&self.sent[next].clone());
    }

    /// A line down; below the last one, what was sent after.
    pub fn newer(&mut self) {
        if self.editor.cursor().0 + 1 < self.editor.lines().len() {
            self.editor.move_cursor(CursorMove::Down);
            return;
        }
        let Some(next) = self.recalled.map(|recalled| recalled + 1) else { return };
        if let Some(sent) = self.sent.get(next).cloned() {
            self.recalled = Some(next);
            self.set(&sent);
        } else {
            self.recalled = None;
            let unfinished = std::mem::take(&mut self.unfinished);
            self.set(&unfinished);
        }
    }

    fn set(&mut self, text: &str) {
        self.editor = editor(text);
    }
}
