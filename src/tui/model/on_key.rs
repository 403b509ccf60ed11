//! Carries out the action of each key.

use super::draft::Purpose;
use super::view::{ScrollView, ViewSubject};
use super::{Effect, Focus, Model, Question, ServerRequest, edit};
use crate::tui::keys::{KeyAction, Mode, action};
use crate::tui::language::{say, text};
use crossterm::event::{KeyEvent, KeyEventKind};

impl Model {
    /// Where keys go now.
    pub fn place(&self) -> Mode {
        if self.question.is_some() {
            return Mode::Question;
        }
        if self.picker.is_some() {
            return Mode::Pick;
        }
        if self.view.is_some() {
            return Mode::View;
        }
        if self.searching.is_some() {
            return Mode::Search;
        }
        match self.focus {
            Focus::List => Mode::List,
            Focus::Stream => Mode::Stream,
            Focus::Write => Mode::Write,
        }
    }

    pub(super) fn press(&mut self, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        let place = self.place();
        match action(place, &key) {
            Some(action) => self.act(place, action),
            None if place == Mode::Write => self.draft.press(key),
            None => {
                if let Some(picker) = &mut self.picker {
                    picker.edit(|editor| {
                        editor.input(key);
                    });
                } else if let Some(searching) = &mut self.searching {
                    searching.input(key);
                }
            }
        }
    }

    /// Pasted text is always typed, and never taken as keys.
    pub(super) fn paste(&mut self, text: &str) {
        let line = edit::pasted(text).replace('\n', " ");
        if let Some(picker) = &mut self.picker {
            picker.edit(|editor| {
                editor.insert_str(line);
            });
            return;
        }
        if let Some(searching) = &mut self.searching {
            searching.insert_str(line);
            return;
        }
        if self.view.is_some() || self.question.is_some() {
            return;
        }
        self.write();
        if self.focus == Focus::Write {
            self.draft.paste(text);
        }
    }

    fn act(&mut self, place: Mode, action: KeyAction) {
        if self.edits(place, action) {
            return;
        }
        match action {
            KeyAction::Quit => self.quit(),
            KeyAction::Interrupt => self.interrupt(),
            KeyAction::Suspend => self.effects.push(Effect::Suspend),
            KeyAction::Redraw => self.effects.push(Effect::Redraw),
            KeyAction::Help => self.show(ViewSubject::Keys),
            KeyAction::NextPane => self.turn(true),
            KeyAction::PreviousPane => self.turn(false),
            KeyAction::Jump => self.pick_conversation(),
            KeyAction::NextConversation => self.neighbour(true),
            KeyAction::PreviousConversation => self.neighbour(false),
            KeyAction::NextUnread => self.next_unread(),
            KeyAction::Notifications => self.turn_notifications(),
            KeyAction::Requests => self.pick_request(),
            KeyAction::People => self.pick_person(),
            KeyAction::Search => {
                self.picker = None;
                self.searching = Some(edit::editor(""));
            }
            KeyAction::Platform => self.next_platform(),
            KeyAction::Status => self.next_status(),
            KeyAction::Write => self.write(),
            KeyAction::Back => self.back(),
            KeyAction::Send => self.send(),
            KeyAction::NewLine => self.draft.editor_mut().insert_newline(),
            KeyAction::Complete => self.complete(),
            KeyAction::Older => self.draft.older(),
            KeyAction::Newer => self.draft.newer(),
            KeyAction::Find => self.find(),
            KeyAction::FindEverywhere => self.find_everywhere(),
            KeyAction::NextMatch => self.find_again(true),
            KeyAction::PreviousMatch => self.find_again(false),
            KeyAction::Yes => self.answer(true),
            KeyAction::No => self.answer(false),
            KeyAction::Return => self.return_from_jump(),
            KeyAction::MarkRead | KeyAction::Mute | KeyAction::Pin => self.set_conversation(action),
            action if action.is_on_message() => self.on_message(action),
            moving => match place {
                Mode::List => self.move_in_list(moving),
                Mode::View => self.move_in_view(moving),
                Mode::Pick => self.move_in_picker(moving),
                _ => self.move_in_stream(moving),
            },
        }
    }

    /// Edits the text with the cursor. Returns false if the action edits no text.
    fn edits(&mut self, place: Mode, action: KeyAction) -> bool {
        match place {
            Mode::Write => edit::act(self.draft.editor_mut(), action),
            Mode::Search => {
                self.searching.as_mut().is_some_and(|searching| edit::act(searching, action))
            }
            Mode::Pick => self.picker.as_mut().is_some_and(|picker| {
                let mut is_done = false;
                picker.edit(|editor| is_done = edit::act(editor, action));
                is_done
            }),
            _ => false,
        }
    }

    /// Quits; asks first where an unfinished text would be lost.
    fn quit(&mut self) {
        let is_edit = matches!(self.draft.purpose(), Purpose::Edit(_));
        if is_edit || (self.draft.has_any() && !self.keeps_drafts) {
            self.question = Some(Question::Quit);
            return;
        }
        self.effects.push(Effect::Quit);
    }

    /// Asks before it quits, because the key may be meant for an unfinished line. The second time it quits.
    fn interrupt(&mut self) {
        match self.question.replace(Question::Quit) {
            Some(Question::Quit) => self.effects.push(Effect::Quit),
            // To a question, it says no.
            Some(_) => self.question = None,
            None => {}
        }
    }

    fn answer(&mut self, is_yes: bool) {
        match (self.question.take(), is_yes) {
            (Some(Question::Delete(ids)), true) => {
                self.stream.choose_none();
                for id in ids {
                    self.ask(ServerRequest::Delete(id));
                }
            }
            (Some(Question::Recall(id)), true) => self.ask(ServerRequest::Recall(id)),
            (Some(Question::Request(id, _)), approves) => {
                self.ask(ServerRequest::Answer(id, approves));
            }
            (Some(Question::Quit), true) => self.effects.push(Effect::Quit),
            _ => {}
        }
    }

    fn turn_notifications(&mut self) {
        let level = self.notifier.turn();
        self.show_status(say!("notifications: {}", text(level.name())));
    }

    pub(super) fn show(&mut self, subject: ViewSubject) {
        self.picker = None;
        self.view = Some(ScrollView::new(subject, self.view_size(), &self.zone));
    }

    fn turn(&mut self, forth: bool) {
        let mut panes = vec![Focus::List, Focus::Stream];
        if self.stream.scope().conversation.is_some() {
            panes.push(Focus::Write);
        }
        let here = panes.iter().position(|pane| *pane == self.focus).unwrap_or_default();
        let step = if forth { 1 } else { panes.len() - 1 };
        self.focus = panes[(here + step) % panes.len()];
    }

    fn complete(&mut self) {
        if !self.complete_name() && !self.complete_path() {
            self.turn(true);
        }
    }

    /// Takes back the last step of narrowing down.
    fn back(&mut self) {
        if self.question.take().is_some() || self.picker.take().is_some() {
            return;
        }
        if self.view.take().is_some() || self.searching.take().is_some() {
            return;
        }
        if self.focus == Focus::Stream && self.stream.choose_none() {
            return;
        }
        if self.focus == Focus::Write {
            if !self.draft.end_purpose() {
                self.focus = Focus::Stream;
            }
        } else if let Some(results) = self.results.take() {
            self.open(results);
        } else if self.stream.selected().is_some() {
            self.newest_message();
        } else {
            self.widen();
        }
    }

    fn move_in_view(&mut self, action: KeyAction) {
        let Some(view) = &mut self.view else { return };
        match action {
            KeyAction::Down => view.scroll(1),
            KeyAction::Up => view.scroll(-1),
            KeyAction::PageDown => view.scroll(view.page()),
            KeyAction::PageUp => view.scroll(-view.page()),
            KeyAction::First => view.scroll(isize::MIN),
            KeyAction::Last => view.scroll(isize::MAX),
            _ => {}
        }
    }
}
