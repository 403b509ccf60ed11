//! The lowest row of the screen: the connection, the accounts and the counts.

use super::draw_line::draw_line;
use super::theme::{Theme, mark_of_state};
use crate::protocol::http::AdapterStatus;
use crate::protocol::platform::PlatformState;
use crate::text::{cut, visible, width};
use crate::tui::language::say;
use crate::tui::layout::Layout;
use crate::tui::model::{ConnectionState, Model, Question};
use ratatui::Frame;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

pub(super) fn draw(frame: &mut Frame, model: &Model, layout: &Layout, theme: Theme) {
    let columns = usize::from(layout.status.width);
    if let Some(question) = model.question() {
        let text = cut(&words(question), columns).into_owned();
        return draw_line(frame, layout.status, 0, Line::styled(text, theme.waiting()));
    }
    if let Some(notice) = model.notice() {
        let text = format!(" {}", visible(notice));
        let line = Line::styled(cut(&text, columns).into_owned(), theme.waiting());
        return draw_line(frame, layout.status, 0, line);
    }
    let mut parts = Vec::new();
    parts.push(connection(model, theme));
    let chosen = model.stream().chosen().len();
    if chosen > 0 {
        parts.push((say!("{} chosen: F, y, d", chosen), theme.waiting()));
    }
    // In a narrow pane there is no other place for it.
    if layout.write_title.is_empty() && model.stream().below() > 0 {
        parts.push((say!("↓ {} new", model.stream().below()), theme.waiting()));
    }
    if matches!(model.connection(), ConnectionState::Connected) {
        if model.waiting_requests() > 0 {
            parts.push((say!("{} asking: w", model.waiting_requests()), theme.waiting()));
        }
        parts.extend(counts(model, theme));
        parts.extend(adapters(model, theme));
        parts.push((say!("{}/min", model.per_minute()), Style::new()));
    }
    parts.push((say!("? keys").into(), Theme::quiet()));
    draw_line(frame, layout.status, 0, joined(parts, columns));
}

/// A question, and the keys that answer it.
fn words(question: &Question) -> String {
    match question {
        Question::Delete(ids) => {
            let what = match ids.len() {
                1 => say!("this message").to_owned(),
                count => say!("these {} messages", count),
            };
            say!(" Delete {} here for good? y: yes, any other key: no", what)
        }
        Question::Recall(_) => {
            say!(" Take this message back for everybody? y: yes, any other key: no").into()
        }
        Question::Request(_, words) => {
            say!(" y: approve, n: refuse, any other key: later — {}", visible(words))
        }
        Question::Quit => say!(" Quit? Ctrl-C or y: yes, any other key: no").into(),
    }
}

fn connection(model: &Model, theme: Theme) -> (String, Style) {
    let server = visible(model.server());
    match model.connection() {
        ConnectionState::Connected => (format!("● {server}"), theme.well()),
        ConnectionState::Connecting => (format!("◌ {server}"), Theme::quiet()),
        ConnectionState::Lost(why) => {
            let why = why.lines().map(visible).collect::<Vec<_>>().join(" — ");
            (say!("✗ away: {}", why), theme.wrong())
        }
    }
}

fn counts(model: &Model, theme: Theme) -> Vec<(String, Style)> {
    let Some(stats) = model.stats() else { return Vec::new() };
    let waiting = stats.pending + stats.sending;
    let pending = if waiting > 0 { theme.waiting() } else { Theme::quiet() };
    let failed = if stats.failed > 0 { theme.wrong() } else { Theme::quiet() };
    vec![(say!("{} pending", waiting), pending), (say!("{} failed", stats.failed), failed)]
}

fn adapters(model: &Model, theme: Theme) -> Vec<(String, Style)> {
    let all = model.adapters();
    let text = |adapter: &AdapterStatus| {
        let is_alike = |other: &&AdapterStatus| other.platform == adapter.platform;
        let is_one_of_several = all.iter().filter(is_alike).nth(1).is_some();
        let account = adapter.account.as_deref().filter(|_| is_one_of_several);
        let account = account.map(|account| format!("/{}", visible(account))).unwrap_or_default();
        let name = visible(&adapter.platform);
        (format!("{} {name}{account}", mark_of_state(adapter.state)), theme.state(adapter.state))
    };
    let away = model.away_platforms().into_iter().map(|name| {
        let state = PlatformState::Disconnected;
        (format!("{} {}", mark_of_state(state), visible(name)), theme.state(state))
    });
    all.iter().map(text).chain(away).collect()
}

/// As many parts as there is room for, the first ones first.
fn joined(parts: Vec<(String, Style)>, columns: usize) -> Line<'static> {
    let mut spans = Vec::new();
    let mut left = columns;
    for (text, style) in parts {
        let gap = if spans.is_empty() { " " } else { "  " };
        let room = left.saturating_sub(gap.len());
        // A part that does not fit is left out; the first one is cut.
        if width(&text) > room && !spans.is_empty() {
            continue;
        }
        let text = cut(&text, room).into_owned();
        left = room.saturating_sub(width(&text));
        spans.push(Span::raw(gap));
        spans.push(Span::styled(text, style));
    }
    Line::from(spans)
}
