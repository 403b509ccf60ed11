//! Drawing: the model as it is, and nothing else.

mod draw_line;
mod list;
mod overlay;
mod picker;
mod status;
mod stream;
mod theme;
mod write;

#[cfg(test)]
mod tests;

pub use theme::Theme;

use super::model::Model;
use ratatui::Frame;

/// Draws the whole screen.
pub fn draw(frame: &mut Frame, model: &Model, theme: Theme) {
    let layout = model.layout();
    if layout.status.is_empty() {
        frame.render_widget("too small", frame.area());
        return;
    }
    list::draw(frame, model, &layout, theme);
    stream::draw(frame, model, &layout, theme);
    write::draw(frame, model, &layout, theme);
    status::draw(frame, model, &layout, theme);
    if let Some(view) = model.view() {
        overlay::draw(frame, view, layout.view(), theme);
    }
    if let Some(picker) = model.picker() {
        picker::draw(frame, picker, layout.picker(), theme);
    }
}
