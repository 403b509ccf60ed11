//! Overlay of the stream: everything about one message, or the keys.

use super::theme::Theme;
use crate::text::visible;
use crate::tui::language::say;
use crate::tui::model::Picture;
use crate::tui::model::content::Span as StyledText;
use crate::tui::model::view::{ScrollView, ViewLine as Content, ViewSubject};
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};
use ratatui_image::Image;

pub(super) fn draw(frame: &mut Frame, view: &ScrollView, area: Rect, theme: Theme) {
    let line = |content: &Content| match content {
        Content::Title(text) => Line::styled(text.clone(), theme.heading()),
        Content::Row { name, text } => {
            Line::from(vec![Span::styled(name.clone(), Theme::quiet()), Span::raw(text.clone())])
        }
        Content::Text(spans) => {
            let span = |span: &StyledText| Span::styled(span.text.clone(), theme.look(span.look));
            Line::from(spans.iter().map(span).collect::<Vec<_>>())
        }
    };
    if let ViewSubject::Picture(picture) = &view.subject {
        return draw_picture(frame, picture, area, theme);
    }
    let lines: Vec<_> = view.shown().iter().map(line).collect();
    let foot = match view.below() {
        0 => say!(" q closes ").to_owned(),
        below => say!(" {} more below · q closes ", below),
    };
    let block = Block::bordered()
        .title(Span::styled(format!(" {} ", view.title()), theme.heading()))
        .title_bottom(Span::styled(foot, Theme::quiet()))
        .padding(Padding::horizontal(1));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// A picture in the middle; one that was made for a larger screen is left out until it is there anew.
fn draw_picture(frame: &mut Frame, picture: &Picture, area: Rect, theme: Theme) {
    let name = picture.attachment.name.as_deref().unwrap_or(say!("Picture"));
    let block = Block::bordered()
        .title(Span::styled(format!(" {} ", visible(name)), theme.heading()))
        .title_bottom(Span::styled(say!(" o opens · s saves · q closes "), Theme::quiet()))
        .padding(Padding::horizontal(1));
    let room = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    let size = picture.shown().size();
    let at = room.centered(Constraint::Length(size.width), Constraint::Length(size.height));
    frame.render_widget(Image::new(picture.shown()), at);
}
