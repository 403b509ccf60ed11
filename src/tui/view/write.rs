//! The line to write an answer, or what to search for.

use super::draw_line::draw_line;
use super::theme::Theme;
use crate::text::{cut, visible, width};
use crate::tui::language::say;
use crate::tui::layout::Layout;
use crate::tui::model::{Focus, Model};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui_textarea::TextArea;

pub(super) fn draw(frame: &mut Frame, model: &Model, layout: &Layout, theme: Theme) {
    title(frame, model, layout, theme);
    if let Some(searching) = model.searching() {
        return edit(frame, searching, layout.write, "/ ", true);
    }
    let has_focus = model.focus() == Focus::Write && model.view().is_none();
    if model.stream().scope().conversation.is_none() {
        let text = Line::styled(say!(" choose a conversation to write to it"), Theme::quiet());
        return draw_line(frame, layout.write, 0, text);
    }
    if !has_focus && model.draft().text().is_empty() {
        let text = Line::styled(say!(" press i to write"), Theme::quiet());
        return draw_line(frame, layout.write, 0, text);
    }
    edit(frame, model.draft().editor(), layout.write, "> ", has_focus);
}

fn title(frame: &mut Frame, model: &Model, layout: &Layout, theme: Theme) {
    let columns = usize::from(layout.write_title.width);
    let below = match model.stream().below() {
        0 if model.stream().follows() => String::new(),
        0 => " ↓ G ".to_owned(),
        count => say!(" ↓ {} new ", count),
    };
    let has_focus = model.focus() == Focus::Write || model.searching().is_some();
    let words = match (model.searching(), model.focus()) {
        (Some(searching), _) => {
            let count = model.stream().count(&searching.lines().join(" "));
            say!(" {} loaded · Enter: search here · Tab: everywhere ", count)
        }
        (None, focus) => match (model.purpose(), focus) {
            (Some(purpose), _) => format!(" {} ", visible(&purpose)),
            (None, Focus::Write) => {
                let name = model.title();
                say!(" to {} · Enter: send · Alt-Enter: new line ", visible(&name))
            }
            _ => String::new(),
        },
    };
    let room = columns.saturating_sub(width(&below) + 2);
    let words = cut(&words, room);
    let rule = "─".repeat(room.saturating_sub(width(&words)));
    let line = Line::from(vec![
        Span::styled("─", Theme::quiet()),
        Span::styled(words, theme.title(has_focus)),
        Span::styled(rule, Theme::quiet()),
        Span::styled(below, theme.waiting().patch(Theme::chosen())),
        Span::styled("─", Theme::quiet()),
    ]);
    draw_line(frame, layout.write_title, 0, line);
}

/// Shows an editor, with the terminal's own cursor in it, where input methods look for it.
pub(super) fn edit(
    frame: &mut Frame,
    editor: &TextArea,
    area: Rect,
    prompt: &str,
    has_focus: bool,
) {
    if area.is_empty() {
        return;
    }
    draw_line(frame, area, 0, Line::raw(prompt.to_owned()));
    let indent = (prompt.len() as u16).min(area.width - 1);
    let inside = Rect { x: area.x + indent, width: area.width - indent, ..area };
    frame.render_widget(editor, inside);
    if has_focus {
        let (cursor, (top, left)) = (editor.screen_cursor(), editor.scroll_offset());
        let at = Position {
            x: inside.x + (cursor.col as u16).saturating_sub(left),
            y: inside.y + (cursor.row as u16).saturating_sub(top),
        };
        if inside.contains(at) {
            frame.set_cursor_position(at);
        }
    }
}
