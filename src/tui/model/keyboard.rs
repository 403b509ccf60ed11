//! Actions of keys.

use super::view::{Subject, View};
use super::{Effect, Focus, Model, Question, Request, edit};
use crate::tui::keys::{Action, Mode, action};
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

    /// Text that was pasted is typed, and never a key.
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

    fn act(&mut self, place: Mode, action: Action) {
        if self.edits(place, action) {
            return;
        }
        match action {
            Action::Quit => self.quit(),
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Redraw => self.effects.push(Effect::Redraw),
            Action::Help => self.show(Subject::Keys),
            Action::NextPane => self.turn(true),
            Action::PreviousPane => self.turn(false),
            Action::Jump => self.pick_conversation(),
            Action::NextConversation => self.neighbour(true),
            Action::PreviousConversation => self.neighbour(false),
            Action::NextUnread => self.next_unread(),
            Action::Notifications => self.turn_notifications(),
            Action::Requests => self.pick_request(),
            Action::Search => {
                self.picker = None;
                self.searching = Some(edit::editor(""));
            }
            Action::Platform => self.next_platform(),
            Action::Status => self.next_status(),
            Action::Write => self.write(),
            Action::Back => self.back(),
            Action::Send => self.send(),
            Action::NewLine => self.draft.editor_mut().insert_newline(),
            Action::Complete => self.complete(),
            Action::Older => self.draft.older(),
            Action::Newer => self.draft.newer(),
            Action::Find => self.find(),
            Action::FindEverywhere => self.find_everywhere(),
            Action::NextMatch => self.find_again(true),
            Action::PreviousMatch => self.find_again(false),
            Action::Yes => self.answer(true),
            Action::No => self.answer(false),
            Action::Return => self.return_from_jump(),
            Action::MarkRead | Action::Mute | Action::Pin => self.set_conversation(action),
            Action::Reply
            | Action::Edit
            | Action::Recall
            | Action::React
            | Action::Answered
            | Action::OpenLink
            | Action::Save
            | Action::Conversation
            | Action::Copy
            | Action::CopyId
            | Action::Cancel
            | Action::Retry
            | Action::Delete => self.on_message(action),
            moving => match place {
                Mode::List => self.move_in_list(moving),
                Mode::View => self.move_in_view(moving),
                Mode::Pick => self.move_in_picker(moving),
                _ => self.move_in_stream(moving),
            },
        }
    }

    /// Edits the text that has the cursor; false where the action is another one.
    fn edits(&mut self, place: Mode, action: Action) -> bool {
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
        if self.draft.has_any() && self.question != Some(Question::Quit) {
            self.question = Some(Question::Quit);
            return;
        }
        self.effects.push(Effect::Quit);
    }

    fn answer(&mut self, is_yes: bool) {
        match (self.question.take(), is_yes) {
            (Some(Question::Delete(id)), true) => self.ask(Request::Delete(id)),
            (Some(Question::Recall(id)), true) => self.ask(Request::Recall(id)),
            (Some(Question::Request(id, _)), approves) => {
                self.ask(Request::Answer(id, approves));
            }
            (Some(Question::Quit), true) => self.effects.push(Effect::Quit),
            _ => {}
        }
    }

    fn turn_notifications(&mut self) {
        let level = self.notifier.turn();
        self.say(format!("notifications: {}", level.name()));
    }

    pub(super) fn show(&mut self, subject: Subject) {
        self.picker = None;
        self.view = Some(View::new(subject, self.view_size(), &self.zone));
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

    fn move_in_view(&mut self, action: Action) {
        let Some(view) = &mut self.view else { return };
        match action {
            Action::Down => view.scroll(1),
            Action::Up => view.scroll(-1),
            Action::PageDown => view.scroll(view.page()),
            Action::PageUp => view.scroll(-view.page()),
            Action::First => view.scroll(isize::MIN),
            Action::Last => view.scroll(isize::MAX),
            _ => {}
        }
    }
}
