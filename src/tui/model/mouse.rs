//! Actions of the mouse.

use super::view::ViewSubject;
use super::{Focus, Model};
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

/// Rows that a turn of the wheel moves.
const WHEEL_ROWS: usize = 3;

impl Model {
    pub(super) fn point(&mut self, mouse: MouseEvent) {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollUp => self.wheel(at, true),
            MouseEventKind::ScrollDown => self.wheel(at, false),
            MouseEventKind::Down(MouseButton::Left) => self.click(at),
            _ => {}
        }
    }

    fn wheel(&mut self, at: Position, up: bool) {
        let layout = self.layout();
        if let Some(picker) = &mut self.picker {
            picker.go(if up { -1 } else { 1 });
        } else if let Some(view) = &mut self.view {
            let rows = WHEEL_ROWS.cast_signed();
            view.scroll(if up { -rows } else { rows });
        } else if layout.list.contains(at) {
            let most = (self.listed().len() + 1).saturating_sub(layout.list_rows());
            self.list_top = if up {
                self.list_top.saturating_sub(WHEEL_ROWS)
            } else {
                (self.list_top + WHEEL_ROWS).min(most)
            };
        } else if up {
            self.stream.scroll_up(WHEEL_ROWS);
        } else {
            self.stream.scroll_down(WHEEL_ROWS);
        }
    }

    fn click(&mut self, at: Position) {
        let layout = self.layout();
        if let Some(picker) = &mut self.picker {
            let area = layout.picker();
            // Below the frame and the text that narrows it down.
            let row = at.y.checked_sub(area.y + 2).map(usize::from);
            match row.filter(|_| area.contains(at) && at.y + 1 < area.bottom()) {
                Some(row) => {
                    let rows = usize::from(area.height.saturating_sub(3));
                    let top = (picker.at() + 1).saturating_sub(rows);
                    if top + row < picker.found().len() {
                        picker.go_to(top + row);
                        self.take_choice();
                    }
                }
                None if !area.contains(at) => self.picker = None,
                None => {}
            }
            return;
        }
        if self.view.is_some() {
            if !layout.view().contains(at) {
                self.view = None;
            }
            return;
        }
        if self.question.take().is_some() || self.searching.is_some() {
            return;
        }
        if layout.list.contains(at) {
            let row = usize::from((at.y - layout.list.y) / layout.rows_each);
            let place = self.list_top + row;
            if place <= self.listed().len() {
                self.go_in_list(place);
                let is_one = self.stream.scope().conversation.is_some();
                self.focus = if is_one { Focus::Write } else { Focus::List };
            }
        } else if layout.stream.contains(at) {
            self.focus = Focus::Stream;
            self.click_message(layout.stream.bottom() - 1 - at.y);
        } else if layout.write.contains(at) || layout.write_title.contains(at) {
            self.write();
        }
    }

    /// Selects the message so many rows above the lower edge; the second click shows all of it.
    fn click_message(&mut self, rows_up: u16) {
        let mut left = usize::from(rows_up);
        for shown in self.stream.visible().iter().rev() {
            if left < shown.rows.len() {
                let is_second = self.stream.selected_position() == Some(shown.position);
                self.stream.select(shown.position);
                if is_second && let Some(message) = self.stream.selected().cloned() {
                    self.show(ViewSubject::Message(Box::new(message)));
                }
                return;
            }
            left -= shown.rows.len();
        }
    }
}
