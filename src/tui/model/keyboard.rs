//! Actions of keys.

use super::scope::{Key, Scope};
use super::view::{Subject, View};
use super::{Effect, Focus, HOLD, Model, Request, draft};
use crate::model::message::{Direction, Message, Status};
use crate::tui::keys::{Action, Mode, action};
use crossterm::event::{KeyEvent, KeyEventKind};

impl Model {
    /// Where keys go now.
    pub fn place(&self) -> Mode {
        if self.question.is_some() {
            return Mode::Question;
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
                if let Some(searching) = &mut self.searching {
                    searching.input(key);
                }
            }
        }
    }

    /// Text that was pasted is typed, and never a key.
    pub(super) fn paste(&mut self, text: &str) {
        if let Some(searching) = &mut self.searching {
            searching.insert_str(draft::pasted(text).replace('\n', " "));
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
        match action {
            Action::Quit => self.effects.push(Effect::Quit),
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Redraw => self.effects.push(Effect::Redraw),
            Action::Help => self.show(Subject::Keys),
            Action::NextPane => self.turn(true),
            Action::PreviousPane => self.turn(false),
            Action::Search => self.searching = Some(draft::editor("")),
            Action::Platform => self.next_platform(),
            Action::Status => self.next_status(),
            Action::Write => self.write(),
            Action::Back => self.back(),
            Action::Send => self.send(),
            Action::NewLine => self.draft.break_line(),
            Action::Older => self.draft.older(),
            Action::Newer => self.draft.newer(),
            Action::Find => self.find(),
            Action::FindEverywhere => self.find_everywhere(),
            Action::NextMatch => self.find_again(true),
            Action::PreviousMatch => self.find_again(false),
            Action::Yes => {
                if let Some(id) = self.question.take() {
                    self.ask(Request::Delete(id));
                }
            }
            Action::Conversation
            | Action::Copy
            | Action::CopyId
            | Action::Cancel
            | Action::Retry
            | Action::Delete => self.on_message(action),
            moving => match place {
                Mode::List => self.move_in_list(moving),
                Mode::View => self.move_in_view(moving),
                _ => self.move_in_stream(moving),
            },
        }
    }

    pub(super) fn show(&mut self, subject: Subject) {
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

    /// Goes to write: to the open conversation, else to the one of the selected message.
    pub(super) fn write(&mut self) {
        if self.stream.scope().conversation.is_none() {
            match self.stream.selected().map(Key::of) {
                Some(key) => self.open_conversation(Some(key)),
                None => return self.say("choose a conversation to write to"),
            }
        }
        self.focus = Focus::Write;
    }

    /// Takes back the last step of narrowing down.
    fn back(&mut self) {
        let scope = self.stream.scope();
        if self.question.take().is_some() || self.view.take().is_some() {
            return;
        }
        if self.searching.take().is_some() {
            return;
        }
        if self.focus == Focus::Write {
            self.focus = Focus::Stream;
        } else if self.stream.selected().is_some() {
            self.newest();
        } else if scope.query.is_some() {
            let scope = Scope { query: None, ..scope.clone() };
            self.search = None;
            self.open(scope);
        } else if self.search.take().is_some() {
        } else if !scope.is_unfiltered() {
            let conversation = scope.conversation.clone();
            self.open(Scope { conversation, ..Scope::default() });
        } else {
            self.focus = Focus::List;
        }
    }

    fn newest(&mut self) {
        if !self.stream.go_to_newest() {
            self.reload();
        }
    }

    // Filters and searches.

    fn next_platform(&mut self) {
        let scope = self.stream.scope().clone();
        let names = self.conversations.platforms();
        let next = match &scope.platform {
            None => names.first(),
            Some(now) => names.iter().find(|name| **name > now.as_str()),
        };
        let platform = next.map(|name| (*name).to_owned());
        let is_there = |key: &Key| platform.as_ref().is_none_or(|name| *name == key.platform);
        let conversation = scope.conversation.filter(is_there);
        self.list_top = 0;
        self.open(Scope { conversation, platform, ..scope });
    }

    fn next_status(&mut self) {
        let scope = self.stream.scope().clone();
        let next = match scope.status {
            None => Some(0),
            Some(now) => Status::ALL.iter().position(|status| *status == now).map(|at| at + 1),
        };
        let status = next.and_then(|at| Status::ALL.get(at).copied());
        self.open(Scope { status, ..scope });
    }

    /// The text that was typed to search for.
    fn searched(&mut self) -> Option<String> {
        let text = self.searching.take()?.lines().join(" ");
        (!text.trim().is_empty()).then_some(text)
    }

    fn find(&mut self) {
        self.search = self.searched();
        self.stream.unselect();
        self.find_again(true);
    }

    fn find_again(&mut self, upwards: bool) {
        let Some(text) = self.search.clone() else { return };
        self.focus = Focus::Stream;
        if self.stream.find(&text, upwards) {
            return;
        }
        self.say(match (self.stream.selected().is_some(), upwards) {
            (true, true) => "no match further up in what is loaded",
            (true, false) => "no match further down",
            (false, _) => "not in what is loaded; / and Tab lets the server find it in everything",
        });
    }

    fn find_everywhere(&mut self) {
        let Some(query) = self.searched() else { return };
        self.search = Some(query.clone());
        self.focus = Focus::Stream;
        let scope = Scope { query: Some(query), ..self.stream.scope().clone() };
        self.open(scope);
    }

    // Moving.

    /// Opens a conversation, or all of them.
    pub(super) fn open_conversation(&mut self, conversation: Option<Key>) {
        let scope = self.stream.scope();
        let is_other =
            |key: &Key| scope.platform.as_ref().is_some_and(|name| *name != key.platform);
        let platform =
            scope.platform.clone().filter(|_| !conversation.as_ref().is_some_and(is_other));
        self.open(Scope { conversation, platform, status: scope.status, query: None });
        self.show_in_list();
    }

    /// Scrolls the list to the open conversation.
    fn show_in_list(&mut self) {
        let (place, rows) = (self.list_place(), self.layout().list_rows());
        self.list_top = self.list_top.clamp((place + 1).saturating_sub(rows), place);
    }

    fn move_in_list(&mut self, action: Action) {
        let (place, last) = (self.list_place(), self.listed().len());
        let page = self.layout().list_rows();
        let place = match action {
            Action::Down => place + 1,
            Action::Up => place.saturating_sub(1),
            Action::PageDown => place + page,
            Action::PageUp => place.saturating_sub(page),
            Action::First => 0,
            Action::Last => last,
            _ => {
                let is_one = self.stream.scope().conversation.is_some();
                self.focus = if is_one { Focus::Write } else { Focus::Stream };
                return;
            }
        };
        self.conversations.hold();
        self.held_until = self.now + HOLD;
        self.go_in_list(place.min(last));
    }

    /// Opens what is at a place of the list.
    pub(super) fn go_in_list(&mut self, place: usize) {
        let key = place.checked_sub(1).map(|index| self.listed().get(index).map(|c| c.key.clone()));
        let key = key.flatten();
        if key != self.stream.scope().conversation {
            self.open_conversation(key);
        }
    }

    fn move_in_stream(&mut self, action: Action) {
        let page = self.stream.page();
        match action {
            Action::Down => self.stream.select_below(),
            Action::Up => self.stream.select_above(),
            Action::PageDown => self.stream.scroll_down(page),
            Action::PageUp => self.stream.scroll_up(page),
            Action::HalfDown => self.stream.scroll_down(page / 2),
            Action::HalfUp => self.stream.scroll_up(page / 2),
            Action::First => self.stream.go_to_oldest(),
            Action::Last => self.newest(),
            Action::Open => match self.stream.selected().cloned() {
                Some(message) => self.show(Subject::Message(Box::new(message))),
                None => self.stream.select_above(),
            },
            _ => {}
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

    // Doing something with a message.

    /// The message of the view, else the selected one.
    fn message_at_hand(&self) -> Option<&Message> {
        match &self.view {
            Some(View { subject: Subject::Message(message), .. }) => Some(message),
            Some(_) => None,
            None => self.stream.selected(),
        }
    }

    fn on_message(&mut self, action: Action) {
        let Some(message) = self.message_at_hand() else {
            return self.say("choose a message first, with ↑ or k");
        };
        let (id, status) = (message.id, message.status);
        let is_inbound = message.direction == Direction::Inbound;
        match action {
            Action::Conversation => {
                let key = Key::of(message);
                self.view = None;
                self.open_conversation(Some(key));
            }
            Action::Copy => {
                let content = message.content.readable().into_owned();
                self.effects.push(Effect::Copy(content));
                self.say("content copied");
            }
            Action::CopyId => {
                self.effects.push(Effect::Copy(id.to_string()));
                self.say("ID copied");
            }
            Action::Delete => self.question = Some(id),
            Action::Cancel | Action::Retry if is_inbound => {
                self.say("a received message cannot be canceled or sent again")
            }
            Action::Cancel => match status {
                Status::Pending | Status::Sending => {
                    self.ask(Request::SetStatus(id, Status::Canceled));
                }
                other => self
                    .say(format!("the message is {other}; only pending messages can be canceled")),
            },
            Action::Retry => match status {
                Status::Failed | Status::Canceled => {
                    self.ask(Request::SetStatus(id, Status::Pending));
                }
                other => self.say(format!(
                    "the message is {other}; only failed and canceled messages can be sent again"
                )),
            },
            _ => {}
        }
    }
}
