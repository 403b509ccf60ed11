//! The messages, on the right.

use super::put::put;
use super::theme::{Theme, mark};
use crate::model::message::{Direction, Message};
use crate::text::{cut, visible, width};
use crate::tui::layout::Layout;
use crate::tui::model::rows::{Columns, Row, local};
use crate::tui::model::stream::Shown;
use crate::tui::model::{ConnectionState, Focus, Model};
use ratatui::Frame;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

pub(super) fn draw(frame: &mut Frame, model: &Model, layout: &Layout, theme: Theme) {
    title(frame, model, layout, theme);
    let visible = model.stream().visible();
    if visible.is_empty() {
        return nothing(frame, model, layout);
    }
    let rows: usize = visible.iter().map(|shown| shown.rows.len()).sum();
    let mut y = layout.stream.height.saturating_sub(rows as u16);
    if y > 0 && model.stream().is_loading() {
        put(frame, layout.stream, 0, Line::styled(" loading…", Theme::quiet()));
    }
    for shown in &visible {
        let Some(message) = model.stream().window().at(shown.position) else { continue };
        for line in lines(model, message, shown, layout.stream.width, theme) {
            put(frame, layout.stream, y, line);
            y += 1;
        }
    }
}

fn title(frame: &mut Frame, model: &Model, layout: &Layout, theme: Theme) {
    let scope = model.stream().scope();
    let name = model.title();
    let mut words = vec![cut(&visible(&name), 40).into_owned()];
    let platform = scope.conversation.as_ref().map(|key| &key.platform);
    words.extend(platform.or(scope.platform.as_ref()).map(|name| visible(name).into_owned()));
    words.extend(scope.status.map(|status| format!("only {status}")));
    words.extend(scope.query.as_ref().map(|query| format!("with “{}”", visible(query))));
    let title = format!(" {}", words.join(" · "));
    let has_focus = model.focus() == Focus::Stream;
    put(frame, layout.stream_title, 0, Line::styled(title, theme.title(has_focus)));
}

/// Text where there are no messages.
fn nothing(frame: &mut Frame, model: &Model, layout: &Layout) {
    let scope = model.stream().scope();
    let text = match model.connection() {
        ConnectionState::Lost(why) => format!(
            "{}\n\nIt is asked for again and again. `rechat serve` starts a server on this host.",
            why.lines().map(visible).collect::<Vec<_>>().join("\n")
        ),
        ConnectionState::Connecting => "connecting…".to_owned(),
        ConnectionState::Connected if !model.stream().is_whole() => "loading…".to_owned(),
        ConnectionState::Connected if scope.is_unfiltered() => "no messages yet".to_owned(),
        ConnectionState::Connected => "no message is like that; Esc shows all again".to_owned(),
    };
    let style = if matches!(model.connection(), ConnectionState::Lost(_)) {
        Style::new()
    } else {
        Theme::quiet()
    };
    let mut area = layout.stream;
    area.x += 1;
    area.width = area.width.saturating_sub(2);
    let skip = area.height / 3;
    area.y += skip;
    area.height -= skip;
    frame.render_widget(Paragraph::new(text).style(style).wrap(Wrap { trim: true }), area);
}

fn lines<'a>(
    model: &Model,
    message: &Message,
    shown: &'a Shown,
    columns: u16,
    theme: Theme,
) -> Vec<Line<'a>> {
    let stream = model.stream();
    let is_selected = stream.selected_position() == Some(shown.position);
    let margin = if is_selected { "▌" } else { " " };
    let before = usize::from(stream.columns().before_text());
    let style = if is_selected { Theme::strong() } else { Style::new() };
    let beside = |text: &'a str, style| {
        let space = format!("{margin}{}", " ".repeat(before - 1));
        Line::from(vec![Span::raw(space), Span::styled(text, style)])
    };
    let line = |row: &'a Row| match row {
        Row::Day(date) => {
            let name = format!(" {} ", date.strftime("%A, %-d %B %Y"));
            let sides = usize::from(columns).saturating_sub(width(&name)) / 2;
            let rule = "─".repeat(sides);
            Line::styled(format!("{rule}{name}{rule}"), Theme::quiet())
        }
        Row::Text { text, is_first } => {
            let mut spans = if *is_first {
                head(model, message, margin, theme)
            } else {
                vec![Span::raw(format!("{margin}{}", " ".repeat(before - 1)))]
            };
            spans.extend(highlight(text, model.highlighted(), style));
            Line::from(spans)
        }
        Row::Error(text) => beside(text, theme.wrong()),
        Row::More => beside("… there is more; Enter shows all of it", Theme::quiet()),
    };
    shown.rows.iter().map(line).collect()
}

/// Time, conversation, sender and status.
fn head(model: &Model, message: &Message, margin: &str, theme: Theme) -> Vec<Span<'static>> {
    let columns: Columns = model.stream().columns();
    let mut spans = vec![Span::raw(margin.to_owned())];
    let mut column = |text: &str, width: u16, style| {
        if width > 0 {
            spans.push(Span::styled(filled(text, width.into()), style));
            spans.push(Span::raw(" "));
        }
    };
    let time = local(message.created_at, model.zone()).strftime("%H:%M").to_string();
    column(&time, columns.time, Theme::quiet());
    let name = message.conversation_name.as_deref().unwrap_or(&message.recipient);
    column(name, columns.tag, Theme::quiet());
    if message.direction == Direction::Inbound {
        let sender = message.sender.clone().unwrap_or_default();
        column(&sender.name, columns.sender, theme.sender(&sender.id));
        column("", Columns::MARK, Style::new());
    } else {
        column("you", columns.sender, theme.own());
        column(mark(message.status), Columns::MARK, theme.status(message.status));
    }
    spans
}

/// A text that takes just so many columns.
fn filled(text: &str, columns: usize) -> String {
    let text = visible(text);
    let text = cut(&text, columns);
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(&text))))
}

/// A text with what was searched for standing out.
fn highlight<'a>(text: &'a str, searched: Option<&str>, style: Style) -> Vec<Span<'a>> {
    let whole = vec![Span::styled(text, style)];
    let Some(searched) = searched.map(str::to_lowercase) else { return whole };
    let lower = text.to_lowercase();
    // Where lower case takes other bytes, places in it are not places in the text.
    if lower.len() != text.len() {
        return whole;
    }
    let mut spans = Vec::new();
    let mut end = 0;
    for (from, found) in lower.match_indices(&searched) {
        let to = from + found.len();
        let (Some(before), Some(found)) = (text.get(end..from), text.get(from..to)) else {
            return whole;
        };
        spans.push(Span::styled(before, style));
        spans.push(Span::styled(found, Theme::found()));
        end = to;
    }
    spans.push(Span::styled(&text[end..], style));
    spans
}
