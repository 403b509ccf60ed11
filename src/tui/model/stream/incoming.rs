//! Messages that come in, and what is let go for them.

use super::{Anchor, Goal, KEPT_ABOVE, MAX_EARLY, Stream};
use crate::client::PageStart;
use crate::model::message::{Direction, Message};
use uuid::Uuid;

impl Stream {
    /// A new message.
    pub fn add_message(&mut self, message: Message) {
        if !self.scope.has(&message) {
            return;
        }
        if let Some(Goal::Unread(unread)) = &mut self.goal
            && message.direction == Direction::Inbound
        {
            *unread += 1;
        }
        if self.newer.is_some() {
            self.below += 1;
            if self.loading.is_some_and(|loading| loading.is_newer) {
                self.keep_early(message);
            }
            return;
        }
        if self.take_in(message) && !self.follows() {
            self.below += 1;
        }
        self.shrink();
    }

    /// Takes in a message: in a conversation where it was said, else behind all others. False where it
    /// is here already, or was said before all that is loaded: then it comes with what is older.
    pub(super) fn take_in(&mut self, message: Message) -> bool {
        if self.scope.conversation.is_none() {
            return self.window.push(message);
        }
        let oldest = self.window.at(self.window.first());
        let is_older = oldest.is_some_and(|oldest| message.created_at < oldest.created_at);
        if is_older && self.older.is_some() {
            return false;
        }
        self.put(message)
    }

    /// Puts a message where it was said; what is on the screen stays there.
    pub(super) fn put(&mut self, message: Message) -> bool {
        let Some(position) = self.window.put(message) else { return false };
        if position < self.window.last() {
            let moved = |known: i64| if known >= position { known + 1 } else { known };
            self.selected = self.selected.map(moved);
            self.read_to = self.read_to.map(moved);
            if let Anchor::At { position, hidden } = self.anchor {
                self.anchor = Anchor::At { position: moved(position), hidden };
            }
        }
        true
    }

    fn keep_early(&mut self, message: Message) {
        if self.early.len() >= MAX_EARLY {
            self.early.clear();
            self.is_early_lost = true;
        }
        if !self.is_early_lost {
            self.early.push(message);
        }
    }

    /// Something that is no message happened after the newest one.
    pub fn add_notice(&mut self, after: Uuid, text: String) {
        self.notices.entry(after).or_default().push(text);
    }

    /// Lets go what is too much: what lies far above the screen, else far below it.
    pub(super) fn shrink(&mut self) {
        while self.window.is_over_full() {
            let kept_from = match self.anchor {
                Anchor::Newest => i64::MAX,
                Anchor::At { position, .. } => position - KEPT_ABOVE,
            };
            if self.window.first() >= kept_from {
                self.window.pop_back();
                let last = self.window.at(self.window.last());
                self.newer = last.map(|last| PageStart::Message(last.id.to_string()));
                continue;
            }
            self.window.pop_front();
            if let Some(oldest) = self.window.at(self.window.first()) {
                self.older = Some(oldest.id.to_string());
            }
        }
    }
}
