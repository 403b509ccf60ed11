//! A list to choose from, over everything else.

use super::theme::Theme;
use super::write::edit;
use crate::text::{cut, visible, width};
use crate::tui::language::say;
use crate::tui::model::picker::{Item, Picker};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear};

pub(super) fn draw(frame: &mut Frame, picker: &Picker, area: Rect, theme: Theme) {
    let foot = say!(" {} found · Enter: take it · Esc: close ", picker.found().len());
    let block = Block::bordered()
        .title(Span::styled(format!(" {} ", picker.title()), theme.heading()))
        .title_bottom(Span::styled(foot, Theme::quiet()));
    let inside = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    edit(frame, picker.editor(), Rect { height: inside.height.min(1), ..inside }, "> ", true);
    let rows = usize::from(inside.height.saturating_sub(1));
    let top = (picker.at() + 1).saturating_sub(rows);
    for (row, item) in picker.found().iter().skip(top).take(rows).enumerate() {
        let area = Rect { y: inside.y + 1 + row as u16, height: 1, ..inside };
        let style = if top + row == picker.at() { Theme::chosen() } else { Style::new() };
        frame.render_widget(line(item, usize::from(inside.width), style), area);
    }
}

fn line(item: &Item, columns: usize, style: Style) -> Line<'static> {
    let label = visible(&item.label);
    let label = cut(&label, columns.saturating_sub(2)).into_owned();
    let room = columns.saturating_sub(width(&label) + 4);
    let detail = visible(&item.detail);
    let detail = cut(&detail, room).into_owned();
    let gap = " ".repeat(columns.saturating_sub(width(&label) + width(&detail) + 2));
    Line::from(vec![
        Span::styled(format!(" {label}{gap}"), style),
        Span::styled(format!("{detail} "), Theme::quiet().patch(style)),
    ])
}
