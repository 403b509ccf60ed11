//! Read marks: the server is told which messages were seen.

use super::effect::ServerRequest;
use super::scope::ConversationKey;
use super::{Focus, Model};
use crate::model::message::Message;
use crate::protocol::http::{ReadTo, SetConversation};
use crate::tui::language::say;

impl Model {
    /// Tells the server what was read: what is on the screen of a conversation that somebody reads.
    pub(super) fn read_seen(&mut self) {
        let Some(key) = self.read_key() else { return };
        let has_unread = self.conversations.get(&key).is_some_and(|open| open.unread > 0);
        if !has_unread || self.is_reading {
            return;
        }
        let Some(id) = self.stream.seen() else {
            // Something came later than the newest message was said.
            if self.stream.is_seen() {
                self.conversations.read(&key);
                self.ask(ServerRequest::ReadAll(key));
            }
            return;
        };
        self.is_reading = true;
        if self.stream.follows() {
            self.conversations.read(&key);
        }
        self.ask(ServerRequest::Read(key, id));
    }

    /// Counts a message and those after it as unread, and goes to the list, where nothing is read.
    pub(super) fn mark_unread(&mut self, message: &Message) {
        let unread_from = Some(ReadTo::Text(message.id.to_string()));
        let set = SetConversation { unread_from, ..SetConversation::default() };
        self.view = None;
        self.focus = Focus::List;
        self.stream.forget_read();
        self.show_status(say!("unread from there on"));
        self.ask(ServerRequest::SetConversation(ConversationKey::of(message), set));
    }

    /// The conversation that is being read now.
    pub(super) fn read_key(&self) -> Option<ConversationKey> {
        let is_read = self.is_watched && self.focus != Focus::List && self.view.is_none();
        self.stream.scope().whole_conversation().filter(|_| is_read).cloned()
    }

    /// The terminal gets or loses the keyboard.
    pub(super) fn look(&mut self, is_watched: bool) {
        self.is_watched = is_watched;
        if !is_watched {
            self.stream.look_away();
        }
    }
}
