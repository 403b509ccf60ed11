//! Changes of messages that are shown.

use super::{Anchor, Stream};
use crate::client::PageStart;
use crate::client::watch::StatusChange;
use crate::model::message::Message;
use crate::tui::model::recent::set_status;
use uuid::Uuid;

impl Stream {
    /// A message's status changed. Tells whether it is shown here.
    pub fn change(&mut self, change: &StatusChange) -> bool {
        let Some(message) = self.window.by_id_mut(change.id) else { return false };
        set_status(message, change);
        self.keep_if_wanted(change.id);
        true
    }

    /// A message as it now is.
    pub fn update(&mut self, message: &Message) {
        if let Some(early) = self.early.iter_mut().find(|early| early.id == message.id) {
            *early = Message { seq: early.seq, ..message.clone() };
        }
        if let Some(chosen) = self.chosen.iter_mut().find(|chosen| chosen.id == message.id) {
            *chosen = message.clone();
        }
        if self.window.replace(message) {
            self.keep_if_wanted(message.id);
        }
    }

    fn keep_if_wanted(&mut self, id: Uuid) {
        if self.window.by_id(id).is_some_and(|message| !self.scope.has(message)) {
            self.remove(id);
        }
    }

    /// A message is no more.
    pub fn remove(&mut self, id: Uuid) {
        self.early.retain(|message| message.id != id);
        self.chosen.retain(|message| message.id != id);
        let Some(removed) = self.window.remove(id) else { return };
        let last = self.window.last();
        let moved = |position: i64| if position > removed { position - 1 } else { position };
        self.selected = self.selected.map(moved).filter(|_| last >= self.window.first());
        self.selected = self.selected.map(|position| position.min(last));
        self.read_to = self.read_to.map(|read| if read >= removed { read - 1 } else { read });
        if let Anchor::At { position, hidden } = self.anchor {
            let hidden = if position == removed { 0 } else { hidden };
            self.anchor = Anchor::At { position: moved(position).min(last), hidden };
        }
        if self.window.is_empty() {
            self.anchor = Anchor::Newest;
        }
        self.forget_place(id);
    }

    /// Asks for what lies around another message, where this one was to be asked by.
    fn forget_place(&mut self, id: Uuid) {
        let id = id.to_string();
        if self.older.as_deref() == Some(&id) {
            let oldest = self.window.at(self.window.first());
            let place = oldest.map_or_else(|| u64::MAX.to_string(), |oldest| oldest.id.to_string());
            self.older = Some(place);
        }
        if self.newer == Some(PageStart::Message(id)) {
            let newest = self.window.at(self.window.last());
            self.newer = newest.map(|newest| PageStart::Message(newest.id.to_string()));
        }
    }
}
