//! Messages that somebody chooses to do something with all of them.

use super::Stream;
use crate::model::message::Message;
use uuid::Uuid;

/// The most messages that are chosen at once.
pub const MAX_CHOSEN: usize = 100;

impl Stream {
    /// Chooses a message, or no longer; false where too many are.
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

    /// Those chosen, in the order in which they were said.
    pub fn chosen(&self) -> Vec<Message> {
        let mut chosen = self.chosen.clone();
        chosen.sort_by_key(|message| message.created_at);
        chosen
    }

    /// Chooses none; false where none was chosen.
    pub fn choose_none(&mut self) -> bool {
        let had_any = !self.chosen.is_empty();
        self.chosen.clear();
        had_any
    }
}
