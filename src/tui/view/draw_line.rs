//! Drawing of one line.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Writes a line into the row at `y` of an area, if it is there.
pub(super) fn draw_line(frame: &mut Frame, area: Rect, y: u16, line: Line) {
    let row = Rect { y: area.y + y, height: 1, ..area }.intersection(area);
    if !row.is_empty() {
        frame.render_widget(line, row);
    }
}
