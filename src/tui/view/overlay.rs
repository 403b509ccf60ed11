//! Overlay of the stream: everything about one message, or the keys.

use super::theme::Theme;
use crate::tui::model::view::{Line as Content, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

pub(super) fn draw(frame: &mut Frame, view: &View, area: Rect, theme: Theme) {
    let line = |content: &Content| match content {
        Content::Title(text) => Line::styled(text.clone(), theme.title(true)),
        Content::Row { name, text } => {
            Line::from(vec![Span::styled(name.clone(), Theme::quiet()), Span::raw(text.clone())])
        }
    };
    let lines: Vec<_> = view.shown().iter().map(line).collect();
    let foot = match view.below() {
        0 => " q closes ".to_owned(),
        below => format!(" {below} more below · q closes "),
    };
    let block = Block::bordered()
        .title(Span::styled(format!(" {} ", view.title()), theme.title(true)))
        .title_bottom(Span::styled(foot, Theme::quiet()))
        .padding(Padding::horizontal(1));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
