//! Restores the state of the last start, and gives the state to keep for the next one.

use super::Model;
use super::saved_state::SavedState;
use super::scope::StreamScope;
use crate::tui::language::say;

impl Model {
    /// Goes on from what was kept at the last start. From now on, unfinished texts are not lost at
    /// the end.
    pub fn restore(&mut self, saved: SavedState) {
        self.keeps_drafts = true;
        self.is_starting = true;
        self.left = saved.open;
        self.draft.restore(saved.drafts);
    }

    /// The state to keep for the next start.
    pub fn saved(&self) -> SavedState {
        let open = self.stream.scope().conversation.as_ref();
        // Before the conversations are known, none is open.
        let open = if self.is_starting { self.left.as_ref().or(open) } else { open };
        SavedState { open: open.cloned(), drafts: self.draft.saved() }
    }

    /// Opens the conversation that was open at the last end, else the first one with unread messages,
    /// else the first one. This marks nothing as read, because the keys still go to the list.
    pub(super) fn open_where_left(&mut self) {
        let left = self.left.take();
        let is_starting = std::mem::take(&mut self.is_starting);
        if !is_starting || *self.stream.scope() != StreamScope::default() {
            return;
        }
        let left = left.filter(|key| self.conversations.get(key).is_some());
        let first = || self.listed().first().map(|first| first.key.clone());
        if let Some(key) = left.or_else(|| self.first_unread()).or_else(first) {
            self.open_conversation(Some(key));
        }
    }

    /// Unfinished texts cannot be kept, for this reason.
    pub(super) fn not_saved(&mut self, why: &str) {
        if std::mem::take(&mut self.keeps_drafts) {
            self.show_status(say!("unfinished texts are not kept: {}", why));
        }
    }
}
