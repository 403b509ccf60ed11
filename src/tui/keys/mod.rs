//! The keys: one table, from which keys are understood and the help is made.

mod action;
mod mode;
mod press;
mod table;

pub use action::KeyAction;
pub use mode::Mode;
pub use table::TABLE;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The action of a key in a mode; `None` where it means nothing, or is text.
pub fn action(mode: Mode, event: &KeyEvent) -> Option<KeyAction> {
    let find = |mode| {
        TABLE
            .iter()
            .find(|binding| binding.mode == mode && binding.keys.iter().any(|key| key.is(event)))
    };
    if let Some(binding) = find(mode) {
        return Some(binding.action);
    }
    if mode == Mode::Question {
        return Some(KeyAction::Back);
    }
    if mode == Mode::View {
        let on_message = find(Mode::Stream).map(|binding| binding.action);
        if let Some(action) = on_message.filter(|action| action.is_on_message()) {
            return Some(action);
        }
    }
    if mode.takes_text() {
        let editing = find(Mode::Write).map(|binding| binding.action);
        if let Some(action) = editing.filter(|action| action.is_editing()) {
            return Some(action);
        }
    }
    let is_text = matches!(event.code, KeyCode::Char(_))
        && event.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    if mode.takes_text() && is_text {
        return None;
    }
    find(Mode::Anywhere).map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for (index, binding) in TABLE.iter().enumerate() {
            for other in &TABLE[index + 1..] {
                let is_shared = binding.keys.iter().any(|key| other.keys.contains(key));
                assert!(binding.mode != other.mode || !is_shared, "{binding:?} {other:?}");
            }
        }
    }

    #[test]
    fn letters_are_text_while_writing() {
        let q = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(action(Mode::List, &q), Some(KeyAction::Quit));
        assert_eq!(action(Mode::Write, &q), None);
        assert_eq!(action(Mode::Question, &q), Some(KeyAction::Back));
        let c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        for mode in [Mode::Write, Mode::Question] {
            assert_eq!(action(mode, &c), Some(KeyAction::Interrupt));
        }
        let u = KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL);
        for mode in [Mode::Write, Mode::Search, Mode::Pick] {
            assert_eq!(action(mode, &u), Some(KeyAction::DeleteToStart));
        }
    }
}
