//! Messages that the user has chosen, to act on all of them at once.

use super::Stream;
use crate::model::message::Message;
use uuid::Uuid;

/// The most messages that are chosen at once.
pub const MAX_CHOSEN: usize = 100;

impl Stream {
    /// Chooses a message, or takes the choice back. Returns false if too many are chosen.
    pub fn choose(&mut self, message: &Message) -> bool {
        if self.is_chosen(message.id) {
            self.chosen.retain(|known| known.id != message.id);
            return true;
        }
        let has_room = self.chosen.len() < MAX_CHOSEN;
        if has_room {
            self.chosen.push(message.clone());
        }
        has_room
    }

    /// Whether a message is chosen.
    pub fn is_chosen(&self, id: Uuid) -> bool {
        self.chosen.iter().any(|message| message.id == id)
    }

    /// The chosen messages, in the order in which they were written.
    pub fn chosen(&self) -> Vec<Message> {
        let mut chosen = self.chosen.clone();
        chosen.sort_by_key(|message| message.created_at);
        chosen
    }

    /// Takes back every choice. Returns false if there was none.
    pub fn choose_none(&mut self) -> bool {
        let had_any = !self.chosen.is_empty();
        self.chosen.clear();
        had_any
    }
}
