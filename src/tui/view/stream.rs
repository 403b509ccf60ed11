//! The messages, on the right.

use super::draw_line::draw_line;
use super::theme::{Theme, mark};
use crate::model::message::{Direction, Message};
use crate::text::{cut, visible, width};
use crate::tui::language::{self, say};
use crate::tui::layout::Layout;
use crate::tui::model::content::{Span as StyledText, TextLook};
use crate::tui::model::rows::{Columns, ScreenRow, author, local};
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
        draw_line(frame, layout.stream, 0, Line::styled(say!(" loading…"), Theme::quiet()));
    }
    for shown in &visible {
        let Some(message) = model.stream().window().at(shown.position) else { continue };
        for line in lines(model, message, shown, layout.stream.width, theme) {
            draw_line(frame, layout.stream, y, line);
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
    words.extend(scope.status.map(|status| say!("only {}", language::status(status))));
    words.extend(scope.query.as_ref().map(|query| say!("with “{}”", visible(query))));
    let title = format!(" {}", words.join(" · "));
    // Without the list, this is the place to tell of other conversations.
    let unread = model.unread_elsewhere();
    let beside = match (layout.is_folded(), unread) {
        (true, 1..) => say!(" {} unread elsewhere ", unread),
        _ => String::new(),
    };
    let room = usize::from(layout.stream_title.width).saturating_sub(width(&beside));
    let style = theme.title(model.focus() == Focus::Stream);
    let line =
        vec![Span::styled(padded(&title, room), style), Span::styled(beside, theme.waiting())];
    draw_line(frame, layout.stream_title, 0, Line::from(line));
}

/// Text where there are no messages.
fn nothing(frame: &mut Frame, model: &Model, layout: &Layout) {
    let scope = model.stream().scope();
    let text = match model.connection() {
        ConnectionState::Lost(why) => say!(
            "{}\n\nIt is asked for again and again. `rechat serve` starts a server on this host.",
            why.lines().map(visible).collect::<Vec<_>>().join("\n")
        ),
        ConnectionState::Connecting => say!("connecting…").to_owned(),
        ConnectionState::Connected if !model.stream().is_begun() => say!("loading…").to_owned(),
        ConnectionState::Connected if scope.is_unfiltered() => say!("no messages yet").to_owned(),
        ConnectionState::Connected => {
            say!("no message is like that; Esc shows all again").to_owned()
        }
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
    let margin = match (is_selected, stream.is_chosen(message.id)) {
        (true, false) => "▌",
        (true, true) => "▶",
        (false, true) => "•",
        (false, false) => " ",
    };
    let before = usize::from(stream.columns().before_text());
    let weight = if is_selected { Theme::strong() } else { Style::new() };
    let space = || Span::raw(format!("{margin}{}", " ".repeat(before - 1)));
    let line = |row: &'a ScreenRow| match row {
        ScreenRow::Day(date) => rule(&language::day(*date), columns, Theme::quiet()),
        ScreenRow::Unread => rule(say!("new"), columns, theme.wrong()),
        ScreenRow::Text { spans, is_first } => {
            let mut line =
                if *is_first { head(model, message, margin, theme) } else { vec![space()] };
            line.extend(spans.iter().map(|piece| span(piece, weight, theme)));
            Line::from(line)
        }
        ScreenRow::Notice(spans) => {
            let mut line =
                vec![Span::raw(" ".repeat(before - 2)), Span::styled("· ", Theme::quiet())];
            line.extend(spans.iter().map(|piece| span(piece, Style::new(), theme)));
            Line::from(line)
        }
    };
    shown.rows.iter().map(line).collect()
}

/// A piece of a message; what was searched for stands out.
fn span(piece: &StyledText, weight: Style, theme: Theme) -> Span<'_> {
    let style = theme.look(piece.look).patch(weight);
    Span::styled(&*piece.text, if piece.is_hit { style.patch(Theme::found()) } else { style })
}

/// A line with a few words in the middle.
fn rule(words: &str, columns: u16, style: Style) -> Line<'static> {
    let name = format!(" {words} ");
    let sides = usize::from(columns).saturating_sub(width(&name)) / 2;
    let rule = "─".repeat(sides);
    Line::styled(format!("{rule}{name}{rule}"), style)
}

/// Time, conversation, sender and mark of a message.
fn head(
    model: &Model,
    message: &Message,
    margin: &'static str,
    theme: Theme,
) -> Vec<Span<'static>> {
    let columns = model.stream().columns();
    let mut spans = vec![Span::styled(margin, theme.own())];
    let mut column = |text: &str, width: u16, style: Style| {
        if width == 0 {
            return;
        }
        let text = filled(text, width.into());
        let mut line = vec![StyledText::new(&text, TextLook::Plain)];
        if let Some(needle) = model.stream().needle() {
            needle.mark(&mut line);
        }
        for piece in line {
            let style = if piece.is_hit { style.patch(Theme::found()) } else { style };
            spans.push(Span::styled(piece.text, style));
        }
        spans.push(Span::raw(" "));
    };
    let time = local(message.created_at, model.zone()).strftime("%H:%M").to_string();
    column(&time, columns.time, Theme::quiet());
    let name = message.conversation_name.as_deref().unwrap_or(&message.recipient);
    column(name, columns.tag, Theme::quiet());
    if message.direction == Direction::Inbound {
        let sender = message.sender.as_ref().map_or("", |sender| &sender.id);
        column(author(message), columns.sender, theme.sender(sender));
        column("", Columns::MARK, Style::new());
    } else {
        column(say!("you"), columns.sender, theme.own());
        column(mark(message.status), Columns::MARK, theme.status(message.status));
    }
    spans
}

/// A text that takes just so many columns.
fn filled(text: &str, columns: usize) -> String {
    padded(&visible(text), columns)
}

/// The same for a text that is safe to show.
fn padded(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(&text))))
}
