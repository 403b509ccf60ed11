//! The conversations: what they are called, what is unread, what was said last.

use super::scope::Key;
use crate::model::message::{Direction, Message};
use crate::protocol::http;
use crate::text::readable;
use std::collections::HashMap;

/// The most conversations that are kept; the ones that are quiet for longest are let go.
pub const MOST: usize = 5_000;

/// The most characters of a last line; no list is wider.
const LINE: usize = 200;

/// One conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Conversation {
    pub key: Key,
    pub name: Option<String>,
    pub unread: usize,
    /// Author and content of the last message; none while unknown.
    pub last_line: Option<String>,
    /// The `seq` of its newest message.
    pub last_seq: u64,
    /// Unix seconds of its newest message.
    pub last_at: u64,
}

impl Conversation {
    /// Its name for people.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.key.conversation)
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Conversations {
    all: HashMap<Key, Conversation>,
    /// The places in the list that are kept for a while.
    held: HashMap<Key, usize>,
}

impl Conversations {
    /// One of them.
    pub fn get(&self, key: &Key) -> Option<&Conversation> {
        self.all.get(key)
    }

    /// Those of a platform or of all, the latest first.
    pub fn ordered(&self, platform: Option<&str>) -> Vec<&Conversation> {
        let is_wanted = |c: &&Conversation| platform.is_none_or(|name| name == c.key.platform);
        let mut ordered: Vec<_> = self.all.values().filter(is_wanted).collect();
        ordered.sort_by(|a, b| b.last_seq.cmp(&a.last_seq).then_with(|| a.key.cmp(&b.key)));
        if !self.held.is_empty() {
            ordered.sort_by_key(|c| self.held.get(&c.key).copied().unwrap_or(usize::MAX));
        }
        ordered
    }

    /// Keeps the order of the list while somebody goes through it.
    pub fn hold(&mut self) {
        let keys: Vec<_> = self.ordered(None).into_iter().map(|c| c.key.clone()).collect();
        self.held = keys.into_iter().zip(0..).collect();
    }

    /// Lets the list be in order again.
    pub fn release(&mut self) {
        self.held.clear();
    }

    /// The platforms that have any, by name.
    pub fn platforms(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.all.keys().map(|key| key.platform.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Forgets everything, for the store is another.
    pub fn clear(&mut self) {
        self.all.clear();
    }

    /// Replaces all conversations by those of the server.
    pub fn replace(&mut self, listed: Vec<http::Conversation>) {
        let mut before = std::mem::take(&mut self.all);
        for known in listed.into_iter().take(MOST) {
            let key = Key { platform: known.platform, conversation: known.conversation };
            let kept = before.remove(&key);
            let (unread, last_line) =
                kept.as_ref().map_or((0, None), |kept| (kept.unread, kept.last_line.clone()));
            // Messages that arrived since the request are newer than its answer.
            let newer = kept.filter(|kept| kept.last_seq > known.last_seq);
            let conversation = Conversation {
                key: key.clone(),
                name: newer.as_ref().and_then(|kept| kept.name.clone()).or(known.name),
                unread,
                last_line,
                last_seq: newer.as_ref().map_or(known.last_seq, |kept| kept.last_seq),
                last_at: newer.as_ref().map_or(known.last_at, |kept| kept.last_at),
            };
            self.all.insert(key, conversation);
        }
        let newest = self.all.values().map(|c| c.last_seq).max().unwrap_or_default();
        self.all.extend(before.into_iter().filter(|(_, kept)| kept.last_seq > newest));
    }

    /// One of them changed; a message that is newer than that stays known.
    pub fn update(&mut self, known: http::Conversation) {
        let key = Key { platform: known.platform, conversation: known.conversation };
        if let Some(conversation) = self.all.get_mut(&key) {
            conversation.name = known.name.or(conversation.name.take());
            if known.last_seq > conversation.last_seq {
                (conversation.last_seq, conversation.last_at) = (known.last_seq, known.last_at);
            }
        }
    }

    /// Takes in a new message; `is_read` says whether it is seen at once. Returns whether the
    /// conversation has another name now.
    pub fn receive(&mut self, message: &Message, is_read: bool) -> bool {
        let key = Key::of(message);
        if !self.all.contains_key(&key) && self.all.len() >= MOST {
            let quietest = self.all.values().min_by_key(|c| c.last_seq).map(|c| c.key.clone());
            quietest.and_then(|quietest| self.all.remove(&quietest));
        }
        let conversation = self.all.entry(key.clone()).or_insert_with(|| Conversation {
            key,
            name: None,
            unread: 0,
            last_line: None,
            last_seq: 0,
            last_at: 0,
        });
        let is_renamed =
            message.conversation_name.is_some() && message.conversation_name != conversation.name;
        if is_renamed {
            conversation.name.clone_from(&message.conversation_name);
        }
        conversation.last_seq = message.seq.max(conversation.last_seq);
        conversation.last_at = message.created_at;
        conversation.last_line = Some(last_line(message));
        if message.direction == Direction::Inbound && !is_read {
            conversation.unread += 1;
        }
        is_renamed
    }

    /// Takes last line and name from an older message, if nothing newer is known.
    pub fn learn(&mut self, message: &Message) {
        let Some(conversation) = self.all.get_mut(&Key::of(message)) else { return };
        if conversation.last_line.is_none() {
            conversation.last_line = Some(last_line(message));
        }
        if conversation.name.is_none() {
            conversation.name.clone_from(&message.conversation_name);
        }
    }

    /// Gives a message the name that its conversation has now: messages of one's own bring none,
    /// older ones may bring an older one.
    pub fn name(&self, message: &mut Message) {
        let known = self.all.get(&Key::of(message)).and_then(|known| known.name.clone());
        message.conversation_name = known.or(message.conversation_name.take());
    }

    /// Marks a conversation as read.
    pub fn read(&mut self, key: &Key) {
        if let Some(conversation) = self.all.get_mut(key) {
            conversation.unread = 0;
        }
    }
}

fn last_line(message: &Message) -> String {
    let who = match (&message.sender, message.direction) {
        (Some(sender), Direction::Inbound) => format!("{}: ", sender.name),
        (_, Direction::Outbound) => "→ ".to_owned(),
        (None, Direction::Inbound) => String::new(),
    };
    who.chars().chain(readable(message).chars()).take(LINE).collect()
}
