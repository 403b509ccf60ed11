//! Editing a text with the keys of a shell's line.

use crate::tui::keys::KeyAction;
use ratatui_textarea::{CursorMove, TextArea, WrapMode};

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

/// Does what a key of editing asks; false where the action is none.
pub fn act(editor: &mut TextArea<'static>, action: KeyAction) -> bool {
    match action {
        KeyAction::LineStart => editor.move_cursor(CursorMove::Head),
        KeyAction::LineEnd => editor.move_cursor(CursorMove::End),
        KeyAction::WordLeft => editor.move_cursor(CursorMove::WordBack),
        KeyAction::WordRight => editor.move_cursor(CursorMove::WordEnd),
        KeyAction::DeleteToStart => {
            editor.delete_line_by_head();
        }
        KeyAction::DeleteToEnd => {
            editor.delete_line_by_end();
        }
        KeyAction::DeleteWord => {
            delete_word(editor);
        }
        KeyAction::DeleteNextWord => {
            editor.delete_next_word();
        }
        KeyAction::DeleteNext => {
            editor.delete_next_char();
        }
        KeyAction::Yank => {
            editor.paste();
        }
        KeyAction::Undo => {
            editor.undo();
        }
        _ => return false,
    }
    true
}

/// Deletes back to a space, as a shell does.
fn delete_word(editor: &mut TextArea<'static>) -> bool {
    let cursor = editor.cursor();
    let line = editor.lines().get(cursor.0).map(String::as_str).unwrap_or_default();
    let before: Vec<char> = line.chars().take(cursor.1).collect();
    let spaces = before.iter().rev().take_while(|c| c.is_whitespace()).count();
    let word = before.iter().rev().skip(spaces).take_while(|c| !c.is_whitespace()).count();
    let count = spaces + word;
    if count == 0 {
        return editor.delete_newline();
    }
    for _ in 0..count {
        editor.move_cursor(CursorMove::Back);
    }
    editor.delete_str(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, actions: &[KeyAction]) -> String {
        let mut editor = editor(text);
        for action in actions {
            assert!(act(&mut editor, *action));
        }
        editor.insert_char('|');
        editor.lines().join("\n")
    }

    #[test]
    fn the_keys_do_what_a_shell_does() {
        assert_eq!(after("one two", &[KeyAction::LineStart]), "|one two");
        assert_eq!(after("one two", &[KeyAction::DeleteWord]), "one |");
        assert_eq!(after("see /a/b.png ", &[KeyAction::DeleteWord]), "see |");
        assert_eq!(after("one two", &[KeyAction::DeleteToStart]), "|");
        assert_eq!(after("one two", &[KeyAction::DeleteWord, KeyAction::Yank]), "one two|");
        assert_eq!(after("one two", &[KeyAction::WordLeft, KeyAction::DeleteToEnd]), "one |");
        assert_eq!(after("one\n", &[KeyAction::DeleteWord]), "one|");
        assert_eq!(after("你好 世界", &[KeyAction::DeleteWord]), "你好 |");
        assert_eq!(
            after("one", &[KeyAction::DeleteToStart, KeyAction::Undo]).replace('|', ""),
            "one"
        );
    }
}
