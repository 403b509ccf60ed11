//! Sizes of the screen, and the mouse.

use super::fixture::{connected, enter, many, on_screen, press, serve};
use crate::tui::model::*;
use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

#[test]
fn messages_have_fifty_columns_from_eighty_on() {
    for width in 80..=240 {
        let mut model = connected(width, 24, &many(1));
        enter(&mut model, &many(1));
        assert!(model.stream().columns().text >= 50, "{width}: {:?}", model.stream().columns());
        press(&mut model, KeyCode::Esc);
        press(&mut model, KeyCode::Esc);
        assert_eq!(model.focus(), Focus::List);
        assert!(!model.layout().is_folded(), "{width}");
    }
}

#[test]
fn the_mouse_chooses_opens_and_scrolls() {
    let mut model = connected(80, 24, &many(100));
    let layout = model.layout();
    let point = |model: &mut Model, kind, column, row| {
        let modifiers = KeyModifiers::NONE;
        model.update(TuiEvent::Mouse(MouseEvent { kind, column, row, modifiers }));
    };
    let click = MouseEventKind::Down(MouseButton::Left);
    point(&mut model, click, layout.list.x + 3, layout.list.y + 3);
    assert_eq!((model.title().as_str(), model.focus()), ("group_1", Focus::Write));
    serve(&mut model, &many(100));
    let layout = model.layout();
    point(&mut model, click, layout.stream.x + 3, layout.stream.bottom() - 2);
    assert_eq!(model.stream().selected().unwrap().content.readable(), "number 99");
    point(&mut model, click, layout.stream.x + 3, layout.stream.bottom() - 2);
    assert!(model.view().is_some());
    press(&mut model, KeyCode::Esc);
    assert!(model.view().is_none());
    point(&mut model, MouseEventKind::ScrollUp, layout.stream.x + 3, layout.stream.y);
    assert_eq!(on_screen(&model).last().unwrap(), "number 97");
    point(&mut model, click, layout.write.x + 3, layout.write.y);
    assert_eq!(model.focus(), Focus::Write);
}
