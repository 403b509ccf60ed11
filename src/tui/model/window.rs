//! A bounded part of the journal in memory, the oldest first.
//!
//! A message keeps its position as long as it is here, however much is loaded before it or let go.

use crate::model::message::Message;
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// The most messages that are kept.
pub const MAX_MESSAGES: usize = 2_000;

/// The most bytes of content that are kept.
const MAX_BYTES: usize = 32 << 20;

/// Messages one after the other.
#[derive(Clone, Debug, Default)]
pub struct MessageWindow {
    messages: VecDeque<Message>,
    /// The position of the first one.
    first: i64,
    positions: HashMap<Uuid, i64>,
    bytes: usize,
}

impl MessageWindow {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether some have to go.
    pub fn is_over_full(&self) -> bool {
        self.messages.len() > 1 && (self.messages.len() > MAX_MESSAGES || self.bytes > MAX_BYTES)
    }

    /// The position of the oldest one.
    pub fn first(&self) -> i64 {
        self.first
    }

    /// The position of the newest one; before the first where there is none.
    pub fn last(&self) -> i64 {
        self.first + self.messages.len().cast_signed() as i64 - 1
    }

    /// The message at a position.
    pub fn at(&self, position: i64) -> Option<&Message> {
        self.messages.get(usize::try_from(position - self.first).ok()?)
    }

    /// Where the one with an ID is.
    pub fn position(&self, id: Uuid) -> Option<i64> {
        self.positions.get(&id).copied()
    }

    /// The one with an ID.
    pub fn by_id(&self, id: Uuid) -> Option<&Message> {
        self.at(*self.positions.get(&id)?)
    }

    /// Every message, to be changed; not its ID, nor its content.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Message> {
        self.messages.iter_mut()
    }

    /// The one with an ID, to be changed; not its ID, nor its content.
    pub fn by_id_mut(&mut self, id: Uuid) -> Option<&mut Message> {
        let index = usize::try_from(self.positions.get(&id)? - self.first).ok()?;
        self.messages.get_mut(index)
    }

    /// Puts a message in the place of the one with its ID, where it came; false where there is none.
    pub fn replace(&mut self, message: &Message) -> bool {
        let Some(known) = self.by_id_mut(message.id) else { return false };
        let before = known.content.bytes();
        *known = Message { seq: known.seq, ..message.clone() };
        self.bytes = self.bytes - before + message.content.bytes();
        true
    }

    /// Every message, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter()
    }

    /// Puts a newer message behind the others; false where it is here already.
    pub fn push(&mut self, message: Message) -> bool {
        self.insert(message, VecDeque::push_back, self.last() + 1)
    }

    /// Puts an older message before the others; false where it is here already.
    pub fn push_front(&mut self, message: Message) -> bool {
        let is_new = self.insert(message, VecDeque::push_front, self.first - 1);
        self.first -= i64::from(is_new);
        is_new
    }

    /// Puts a message where it was said, behind others of that time, and gives its position; those
    /// behind it move by one. `None` where it is here already.
    pub fn put(&mut self, message: Message) -> Option<i64> {
        let is_later = |known: &&Message| known.created_at > message.created_at;
        let later = self.messages.iter().rev().take_while(is_later).count();
        let index = self.messages.len() - later;
        let position = self.last() + 1 - later.cast_signed() as i64;
        let put = |messages: &mut VecDeque<Message>, message| messages.insert(index, message);
        if self.positions.contains_key(&message.id) {
            return None;
        }
        if later > 0 {
            for known in self.positions.values_mut().filter(|known| **known >= position) {
                *known += 1;
            }
        }
        self.insert(message, put, position).then_some(position)
    }

    fn insert(
        &mut self,
        message: Message,
        put: impl Fn(&mut VecDeque<Message>, Message),
        position: i64,
    ) -> bool {
        if self.positions.contains_key(&message.id) {
            return false;
        }
        self.bytes += message.content.bytes();
        self.positions.insert(message.id, position);
        put(&mut self.messages, message);
        true
    }

    /// Lets the oldest go.
    pub fn pop_front(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.first += 1;
        self.forget(&message);
        Some(message)
    }

    /// Lets the newest go.
    pub fn pop_back(&mut self) -> Option<Message> {
        let message = self.messages.pop_back()?;
        self.forget(&message);
        Some(message)
    }

    /// Takes one out that was deleted, and tells where it was.
    pub fn remove(&mut self, id: Uuid) -> Option<i64> {
        let position = *self.positions.get(&id)?;
        let message = self.messages.remove(usize::try_from(position - self.first).ok()?)?;
        self.forget(&message);
        for later in self.positions.values_mut().filter(|later| **later > position) {
            *later -= 1;
        }
        Some(position)
    }

    fn forget(&mut self, message: &Message) {
        self.positions.remove(&message.id);
        self.bytes -= message.content.bytes();
    }
}
