//! The conversations, on the left.

use super::put::put;
use super::theme::Theme;
use crate::text::{cut, visible, width};
use crate::tui::layout::Layout;
use crate::tui::model::conversations::Conversation;
use crate::tui::model::{ConnectionState, Focus, Model};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

/// The most that is counted before people.
const MAX_COUNTED: usize = 999;

pub(super) fn draw(frame: &mut Frame, model: &Model, layout: &Layout, theme: Theme) {
    let has_focus = model.focus() == Focus::List;
    let listed = model.listed();
    let title = match &model.stream().scope().platform {
        Some(platform) => format!(" {} of {} ", listed.len(), visible(platform)),
        None => format!(" {} conversations ", listed.len()),
    };
    put(frame, layout.list_title, 0, Line::styled(title, theme.title(has_focus)));
    for y in 0..layout.line.height {
        put(frame, layout.line, y, Line::styled("│", Theme::quiet()));
    }
    let place = model.list_place();
    let style = |at| match (at == place, has_focus) {
        (true, true) => Theme::chosen(),
        (true, false) => Theme::strong(),
        (false, _) => Style::new(),
    };
    for row in 0..layout.list_rows() {
        let at = model.list_top() + row;
        let y = row as u16 * layout.rows_each;
        let area = Rect { y: layout.list.y + y, height: layout.rows_each, ..layout.list }
            .intersection(layout.list);
        let item = Item { area, style: style(at), is_chosen: at == place, theme };
        match at.checked_sub(1) {
            None => item.everything(frame, model),
            Some(index) => {
                if let Some(conversation) = listed.get(index) {
                    item.conversation(frame, conversation);
                }
            }
        }
    }
    if listed.is_empty() && *model.connection() == ConnectionState::Connected {
        let text = "There are no messages yet. Connect a platform, or try:\n\nrechat send -p loopback \\\n  -r group_1 Hello";
        let area = Rect { y: layout.list.y + 3, ..layout.list }.intersection(layout.list);
        let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), area);
    }
}

struct Item {
    area: Rect,
    style: Style,
    is_chosen: bool,
    theme: Theme,
}

impl Item {
    fn everything(&self, frame: &mut Frame, model: &Model) {
        let unread = model.listed().iter().map(|conversation| conversation.unread).sum();
        self.head(frame, "Everything", unread);
        self.below(frame, "all conversations in one");
    }

    fn conversation(&self, frame: &mut Frame, conversation: &Conversation) {
        self.head(frame, conversation.name(), conversation.unread);
        let said = conversation.last_line.as_deref().unwrap_or_default();
        self.below(frame, &format!("{} · {said}", conversation.key.platform));
    }

    fn head(&self, frame: &mut Frame, name: &str, unread: usize) {
        let columns = usize::from(self.area.width);
        let count = match unread {
            0 => String::new(),
            1..=MAX_COUNTED => format!(" {unread} "),
            _ => format!(" {MAX_COUNTED}+ "),
        };
        let mark = if self.is_chosen { "▌" } else { " " };
        let room = columns.saturating_sub(1 + width(&count));
        let name = visible(name);
        let name = cut(&name, room);
        let gap = " ".repeat(room.saturating_sub(width(&name)));
        let weight = if unread > 0 { self.style.patch(Theme::strong()) } else { self.style };
        let line = Line::from(vec![
            Span::styled(mark, self.style),
            Span::styled(format!("{name}{gap}"), weight),
            Span::styled(count, self.theme.waiting().patch(self.style)),
        ]);
        put(frame, self.area, 0, line);
    }

    fn below(&self, frame: &mut Frame, text: &str) {
        if self.area.height < 2 {
            return;
        }
        let room = usize::from(self.area.width).saturating_sub(2);
        let text = visible(text);
        let text = cut(&text, room);
        let gap = " ".repeat((room + 1).saturating_sub(width(&text)));
        let mark = if self.is_chosen { "▌" } else { " " };
        let line = Line::from(vec![
            Span::styled(mark, self.style),
            Span::styled(format!("{text}{gap}"), Theme::quiet().patch(self.style)),
        ]);
        put(frame, self.area, 1, line);
    }
}
