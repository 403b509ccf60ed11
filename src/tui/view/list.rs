//! The conversations, on the left.

use super::draw_line::draw_line;
use super::theme::Theme;
use crate::text::{cut, visible, width};
use crate::tui::language::{say, short_day};
use crate::tui::layout::Layout;
use crate::tui::model::conversations::ConversationState;
use crate::tui::model::rows::local;
use crate::tui::model::{ConnectionState, Focus, Model};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

/// The most that is counted before people.
const MAX_COUNTED: u64 = 999;

/// Width of the list from which it shows times.
const WITH_TIME: usize = 24;

pub(super) fn draw(frame: &mut Frame, model: &Model, layout: &Layout, theme: Theme) {
    let has_focus = model.focus() == Focus::List;
    let listed = model.listed();
    let title = match &model.stream().scope().platform {
        Some(platform) => say!(" {} of {} ", listed.len(), visible(platform)),
        None if listed.len() == 1 => say!(" 1 conversation ").into(),
        None => say!(" {} conversations ", listed.len()),
    };
    let columns = usize::from(layout.list_title.width);
    let gap = " ".repeat(columns.saturating_sub(width(&title)));
    draw_line(frame, layout.list_title, 0, Line::styled(title + &gap, theme.title(has_focus)));
    for y in 0..layout.line.height {
        draw_line(frame, layout.line, y, Line::styled("│", Theme::quiet()));
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
        let item = ListItem { area, style: style(at), is_chosen: at == place, theme };
        match at.checked_sub(1) {
            None => item.everything(frame, model),
            Some(index) => {
                if let Some(conversation) = listed.get(index) {
                    item.conversation(frame, model, conversation);
                }
            }
        }
    }
    if listed.is_empty() && *model.connection() == ConnectionState::Connected {
        let text = say!(
            "There are no messages yet. Connect a platform, or try:\n\nrechat send -p loopback \\\n  -r group_1 Hello"
        );
        let area = Rect { y: layout.list.y + 3, ..layout.list }.intersection(layout.list);
        let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), area);
    }
}

struct ListItem {
    area: Rect,
    style: Style,
    is_chosen: bool,
    theme: Theme,
}

impl ListItem {
    fn everything(&self, frame: &mut Frame, model: &Model) {
        let counted = model.listed();
        let counted: Vec<_> = counted.iter().filter(|conversation| !conversation.muted).collect();
        let unread = counted.iter().map(|conversation| conversation.unread).sum();
        let mentions = counted.iter().map(|conversation| conversation.mentions).sum();
        self.head(frame, say!("Everything"), "", &badge(unread, mentions), false);
        self.below(frame, say!("all conversations"));
    }

    fn conversation(&self, frame: &mut Frame, model: &Model, conversation: &ConversationState) {
        let name = conversation.name();
        let name = if conversation.pinned { format!("▲ {name}") } else { name.to_owned() };
        let badge = badge(conversation.unread, conversation.mentions);
        let time = when(conversation.last_at, model);
        self.head(frame, &name, &time, &badge, conversation.muted);
        let said = conversation.last_line.as_deref().unwrap_or_default();
        let mut parts = Vec::new();
        if conversation.muted {
            parts.push(say!("muted"));
        }
        if model.has_platforms() {
            parts.push(&conversation.key.platform);
        }
        if model.has_draft(&conversation.key) {
            parts.push(say!("draft"));
        }
        parts.push(said);
        self.below(frame, &parts.join(" · "));
    }

    /// The name, and on the right when something was said last and how much is unread.
    fn head(&self, frame: &mut Frame, name: &str, time: &str, badge: &str, is_muted: bool) {
        let columns = usize::from(self.area.width);
        let after = if badge.is_empty() { " " } else { "" };
        let has_time = columns >= WITH_TIME && !time.is_empty();
        let time = if has_time { format!(" {time}{after}") } else { String::new() };
        let mark = if self.is_chosen { "▌" } else { " " };
        let room = columns.saturating_sub(1 + width(&time) + width(badge));
        let name = visible(name);
        let name = cut(&name, room);
        let gap = " ".repeat(room.saturating_sub(width(&name)));
        let weight = match (is_muted, badge.is_empty()) {
            (true, _) => self.style.patch(Theme::quiet()),
            (false, false) => self.style.patch(Theme::strong()),
            (false, true) => self.style,
        };
        let colour = if is_muted { Theme::quiet() } else { self.theme.waiting() };
        let line = Line::from(vec![
            Span::styled(mark, self.style),
            Span::styled(format!("{name}{gap}"), weight),
            Span::styled(time, Theme::quiet().patch(self.style)),
            Span::styled(badge.to_owned(), colour.patch(self.style)),
        ]);
        draw_line(frame, self.area, 0, line);
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
        draw_line(frame, self.area, 1, line);
    }
}

/// How much is unread, and whether somebody is mentioned.
fn badge(unread: u64, mentions: u64) -> String {
    let at = if mentions > 0 { "@" } else { "" };
    match unread {
        0 => String::new(),
        1..=MAX_COUNTED => format!(" {at}{unread} "),
        _ => format!(" {at}{MAX_COUNTED}+ "),
    }
}

/// The time of today, else the day.
fn when(at: u64, model: &Model) -> String {
    let (then, now) = (local(at, model.zone()), local(model.now(), model.zone()));
    let format = match (then.date() == now.date(), then.year() == now.year()) {
        (true, _) => "%H:%M",
        (false, true) => short_day(),
        (false, false) => "%Y",
    };
    then.strftime(format).to_string()
}
