//! Overlay of the stream: everything about one message, or the keys.

use super::theme::Theme;
use crate::tui::model::content::Span as Piece;
use crate::tui::model::view::{ScrollView, ViewLine as Content};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

pub(super) fn draw(frame: &mut Frame, view: &ScrollView, area: Rect, theme: Theme) {
    let line = |content: &Content| match content {
        Content::Title(text) => Line::styled(text.clone(), theme.heading()),
        Content::Row { name, text } => {
            Line::from(vec![Span::styled(name.clone(), Theme::quiet()), Span::raw(text.clone())])
        }
        Content::Text(spans) => {
            let span = |span: &Piece| Span::styled(span.text.clone(), theme.look(span.look));
            Line::from(spans.iter().map(span).collect::<Vec<_>>())
        }
    };
    let lines: Vec<_> = view.shown().iter().map(line).collect();
    let foot = match view.below() {
        0 => " q closes ".to_owned(),
        below => format!(" {below} more below · q closes "),
    };
    let block = Block::bordered()
        .title(Span::styled(format!(" {} ", view.title()), theme.heading()))
        .title_bottom(Span::styled(foot, Theme::quiet()))
        .padding(Padding::horizontal(1));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
