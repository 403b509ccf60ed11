//! Choosing the content of the stream: a conversation, a message in it, or all.

use super::Model;
use super::hits::Needle;
use super::scope::{ConversationKey, StreamScope};
use super::stream::Stream;
use uuid::Uuid;

impl Model {
    /// Shows another scope: from the first unread message of a conversation on, else the newest.
    pub(super) fn open(&mut self, scope: StreamScope) {
        let key = scope.whole_conversation();
        let unread = key.and_then(|key| self.conversations.get(key)).map_or(0, |open| open.unread);
        let stream = Stream::new(scope, self.cursor, self.zone.clone()).at_unread(unread);
        self.turn_to(stream);
    }

    /// Shows a message in its conversation.
    pub(super) fn open_around(&mut self, key: ConversationKey, id: Uuid) {
        let scope = StreamScope { conversation: Some(key), ..StreamScope::default() };
        let stream = Stream::new(scope, self.cursor, self.zone.clone()).at_message(id);
        self.turn_to(stream);
    }

    pub(super) fn turn_to(&mut self, stream: Stream) {
        let key = stream.scope().conversation.clone();
        self.draft.turn_to(key.as_ref());
        self.stream = stream.marking(self.search.as_deref().and_then(Needle::new));
        for (after, text) in key.iter().flat_map(|key| self.notices.of(key)) {
            self.stream.add_notice(after, text);
        }
        self.is_reading = false;
        self.jumped_from = None;
        self.fit();
    }

    /// Shows the same again, with what is new in it.
    pub(super) fn reload(&mut self) {
        let scope = self.stream.scope().clone();
        let stream = Stream::new(scope, self.cursor, self.zone.clone());
        self.turn_to(stream);
    }
}
