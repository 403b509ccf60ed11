//! Going from one conversation to another, filters, and searches.

use super::scope::{ConversationKey, StreamScope};
use super::view::ViewSubject;
use super::{Focus, Model, Needle, ORDER_HOLD_SECONDS, ServerRequest};
use crate::model::message::Status;
use crate::protocol::http::SetConversation;
use crate::tui::keys::KeyAction;
use crate::tui::language::say;

impl Model {
    /// Ends a search or a filter; else goes to the list.
    pub(super) fn widen(&mut self) {
        let scope = self.stream.scope();
        if scope.query.is_some() {
            let scope = StreamScope { query: None, ..scope.clone() };
            self.search = None;
            self.open(scope);
        } else if self.search.take().is_some() {
            self.stream.mark(None);
        } else if !scope.is_unfiltered() {
            let conversation = scope.conversation.clone();
            self.open(StreamScope { conversation, ..StreamScope::default() });
        } else {
            self.focus = Focus::List;
        }
    }

    pub(super) fn newest_message(&mut self) {
        if !self.stream.go_to_newest() {
            self.reload();
        }
    }

    // Filters and searches.

    pub(super) fn next_platform(&mut self) {
        let scope = self.stream.scope().clone();
        let names = self.conversations.platforms();
        let next = match &scope.platform {
            None => names.first(),
            Some(now) => names.iter().find(|name| **name > now.as_str()),
        };
        let platform = next.map(|name| (*name).to_owned());
        let is_there =
            |key: &ConversationKey| platform.as_ref().is_none_or(|name| *name == key.platform);
        let conversation = scope.conversation.filter(is_there);
        self.list_top = 0;
        self.open(StreamScope { conversation, platform, ..scope });
    }

    pub(super) fn next_status(&mut self) {
        let scope = self.stream.scope().clone();
        let next = match scope.status {
            None => Some(0),
            Some(now) => Status::ALL.iter().position(|status| *status == now).map(|at| at + 1),
        };
        let status = next.and_then(|at| Status::ALL.get(at).copied());
        self.open(StreamScope { status, ..scope });
    }

    /// The text that was typed to search for.
    fn searched(&mut self) -> Option<String> {
        let text = self.searching.take()?.lines().join(" ");
        (!text.trim().is_empty()).then_some(text)
    }

    /// Searches upwards in what is loaded, else the whole history of what is shown.
    pub(super) fn find(&mut self) {
        self.search = self.searched();
        self.stream.mark(self.search.as_deref().and_then(Needle::new));
        self.stream.unselect();
        let Some(text) = self.search.clone() else { return };
        self.focus = Focus::Stream;
        if !self.stream.find(&text, true) {
            let scope = StreamScope { query: Some(text), ..self.stream.scope().clone() };
            self.open(scope);
        }
    }

    pub(super) fn find_again(&mut self, upwards: bool) {
        let Some(text) = self.search.clone() else { return };
        self.focus = Focus::Stream;
        if self.stream.find(&text, upwards) {
            return;
        }
        self.show_status(if upwards {
            say!("no match further up in what is loaded; / and Tab searches everything")
        } else {
            say!("no match further down")
        });
    }

    /// Searches the whole history of every conversation.
    pub(super) fn find_everywhere(&mut self) {
        let Some(query) = self.searched() else { return };
        self.search = Some(query.clone());
        self.focus = Focus::Stream;
        let platform = self.stream.scope().platform.clone();
        self.open(StreamScope { query: Some(query), platform, ..StreamScope::default() });
    }

    // Conversations.

    /// Opens a conversation, or all of them.
    pub(super) fn open_conversation(&mut self, conversation: Option<ConversationKey>) {
        let scope = self.stream.scope();
        let is_other = |key: &ConversationKey| {
            scope.platform.as_ref().is_some_and(|name| *name != key.platform)
        };
        let platform =
            scope.platform.clone().filter(|_| !conversation.as_ref().is_some_and(is_other));
        let status = scope.status;
        self.results = None;
        self.open(StreamScope { conversation, platform, status, query: None });
        self.show_in_list();
    }

    /// Scrolls the list to the open conversation.
    pub(super) fn show_in_list(&mut self) {
        let (place, rows) = (self.list_place(), self.layout().list_rows());
        self.list_top = self.list_top.clamp((place + 1).saturating_sub(rows), place);
    }

    pub(super) fn move_in_list(&mut self, action: KeyAction) {
        let (place, last) = (self.list_place(), self.listed().len());
        let page = self.layout().list_rows();
        let place = match action {
            KeyAction::Down => place + 1,
            KeyAction::Up => place.saturating_sub(1),
            KeyAction::PageDown => place + page,
            KeyAction::PageUp => place.saturating_sub(page),
            KeyAction::First => 0,
            KeyAction::Last => last,
            _ => return self.enter(),
        };
        self.hold_list();
        self.go_in_list(place.min(last));
    }

    /// Goes to write to the open conversation, or to read all of them.
    fn enter(&mut self) {
        let is_one = self.stream.scope().conversation.is_some();
        self.focus = if is_one { Focus::Write } else { Focus::Stream };
    }

    /// Keeps the order of the list for a while.
    fn hold_list(&mut self) {
        self.conversations.hold();
        self.held_until = self.now + ORDER_HOLD_SECONDS;
    }

    /// Opens what is at a place of the list.
    pub(super) fn go_in_list(&mut self, place: usize) {
        let key = place.checked_sub(1).map(|index| self.listed().get(index).map(|c| c.key.clone()));
        let key = key.flatten();
        if key != self.stream.scope().conversation || self.results.is_some() {
            self.open_conversation(key);
        }
    }

    /// The conversation below or above the open one in the list.
    pub(super) fn neighbour(&mut self, below: bool) {
        let (place, last) = (self.list_place(), self.listed().len());
        let next = if below { place + 1 } else { place.saturating_sub(1) };
        self.hold_list();
        self.go_in_list(next.clamp(1.min(last), last));
        self.follow_to_conversation();
    }

    /// The next conversation with unread messages: those that mention the account first.
    pub(super) fn next_unread(&mut self) {
        match self.first_unread() {
            Some(key) => self.go_to_conversation(key),
            None => self.show_status(say!("nothing is unread elsewhere")),
        }
    }

    /// The first conversation but the open one with unread messages: those that mention the account
    /// first.
    pub(super) fn first_unread(&self) -> Option<ConversationKey> {
        let open = self.stream.scope().conversation.as_ref();
        let listed = self.listed();
        let mut unread = listed.iter().filter(|c| c.unread > 0 && !c.muted && Some(&c.key) != open);
        let first = unread.clone().next();
        unread.find(|c| c.mentions > 0).or(first).map(|next| next.key.clone())
    }

    /// Opens a conversation, and goes there to write.
    pub(super) fn go_to_conversation(&mut self, key: ConversationKey) {
        self.view = None;
        self.open_conversation(Some(key));
        self.focus = Focus::Write;
    }

    /// Keys that went to the list or to messages stay there; others follow to the new conversation.
    fn follow_to_conversation(&mut self) {
        self.view = None;
        if self.focus == Focus::Write && self.stream.scope().conversation.is_none() {
            self.focus = Focus::Stream;
        }
    }

    /// Marks the open conversation as read, mutes or pins it.
    pub(super) fn set_conversation(&mut self, action: KeyAction) {
        let open = self.stream.scope().conversation.as_ref();
        let Some(known) = open.and_then(|key| self.conversations.get(key)) else {
            return self.show_status(say!("choose a conversation first"));
        };
        let (key, name) = (known.key.clone(), known.name().to_owned());
        let mut set = SetConversation::default();
        let done = match action {
            KeyAction::Mute => {
                set.muted = Some(!known.muted);
                if known.muted {
                    say!("{} is no longer muted", name)
                } else {
                    say!("{} is muted", name)
                }
            }
            KeyAction::Pin => {
                set.pinned = Some(!known.pinned);
                if known.pinned {
                    say!("{} is no longer pinned", name)
                } else {
                    say!("{} is pinned", name)
                }
            }
            _ => {
                self.conversations.read(&key);
                return self.ask(ServerRequest::ReadAll(key));
            }
        };
        self.show_status(done);
        self.ask(ServerRequest::SetConversation(key, set));
    }

    pub(super) fn move_in_stream(&mut self, action: KeyAction) {
        let page = self.stream.page();
        match action {
            KeyAction::Down => self.stream.select_below(),
            KeyAction::Up => self.stream.select_above(),
            KeyAction::PageDown => self.stream.scroll_down(page),
            KeyAction::PageUp => self.stream.scroll_up(page),
            KeyAction::HalfDown => self.stream.scroll_down(page / 2),
            KeyAction::HalfUp => self.stream.scroll_up(page / 2),
            KeyAction::First => self.stream.go_to_oldest(),
            KeyAction::Last => self.newest_message(),
            KeyAction::Open => match self.stream.selected().cloned() {
                // A hit of a search is shown with what was said around it.
                Some(message) if self.stream.scope().query.is_some() => {
                    self.show_in_conversation(&message);
                }
                Some(message) => self.show(ViewSubject::Message(Box::new(message))),
                None => self.stream.select_above(),
            },
            _ => {}
        }
    }
}
