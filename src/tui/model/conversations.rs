//! The conversations: what they are called, what is unread, what was said last.

use super::content::last_line;
use super::scope::ConversationKey;
use crate::client::is_fallback_platform;
use crate::model::message::{Direction, LOCAL, Message};
use crate::protocol::http::{self, ConversationKind};
use std::collections::HashMap;
use uuid::Uuid;

/// The most conversations that are kept; the ones that are quiet for longest are let go.
pub const MAX_CONVERSATIONS: usize = 5_000;

/// Mark of the last line of one's own.
const OWN: &str = "→ ";

/// One conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationState {
    pub key: ConversationKey,
    pub kind: ConversationKind,
    /// The name that the platform gave it; `None` while it is unknown.
    pub name: Option<String>,
    /// Inbound messages after the read mark.
    pub unread: u64,
    /// Those of them that mention the account.
    pub mentions: u64,
    pub muted: bool,
    pub pinned: bool,
    /// Author and content of the last message; `None` while they are unknown.
    pub last_line: Option<String>,
    /// The ID of the message in `last_line`; `None` while it is unknown.
    pub last_id: Option<Uuid>,
    /// The `seq` of its newest message.
    pub last_seq: u64,
    /// Unix seconds of its newest message.
    pub last_at: u64,
    /// The number of the event that told of it last.
    told: u64,
}

impl ConversationState {
    fn new(key: ConversationKey) -> Self {
        Self {
            kind: ConversationKind::of(&key.conversation),
            key,
            name: None,
            unread: 0,
            mentions: 0,
            muted: false,
            pinned: false,
            last_line: None,
            last_id: None,
            last_seq: 0,
            last_at: 0,
            told: 0,
        }
    }

    /// Its name for people.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.key.conversation)
    }

    fn set_last(&mut self, message: &Message) {
        // In a private conversation only one person can have written it.
        let has_name = self.kind != ConversationKind::Private;
        self.last_line = Some(last_line(message, OWN, has_name));
        self.last_id = Some(message.id);
    }

    /// Takes new data from the server.
    fn learn(&mut self, known: http::Conversation) {
        (self.kind, self.muted, self.pinned) = (known.kind, known.muted, known.pinned);
        (self.unread, self.mentions) = (known.unread, known.mentions);
        self.name = known.name.or(self.name.take());
        (self.last_seq, self.last_at) = (known.last_seq, known.last_at);
        if let Some(message) = &known.last_message {
            self.set_last(message);
        }
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct ConversationList {
    all: HashMap<ConversationKey, ConversationState>,
    /// The places in the list that are kept for a while.
    held: HashMap<ConversationKey, usize>,
}

impl ConversationList {
    /// One of them.
    pub fn get(&self, key: &ConversationKey) -> Option<&ConversationState> {
        self.all.get(key)
    }

    /// Those of a platform or of all: the pinned ones first, then the latest first.
    pub fn ordered(&self, platform: Option<&str>) -> Vec<&ConversationState> {
        let is_wanted = |c: &&ConversationState| platform.is_none_or(|name| name == c.key.platform);
        let mut ordered: Vec<_> = self.all.values().filter(is_wanted).collect();
        ordered.sort_by(|a, b| {
            let place = |c: &ConversationState| (!c.pinned, u64::MAX - c.last_seq);
            place(a).cmp(&place(b)).then_with(|| a.key.cmp(&b.key))
        });
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

    /// Lets the list be sorted again.
    pub fn release(&mut self) {
        self.held.clear();
    }

    /// The platforms that had a message since a time, by name, without the server's own.
    pub fn platforms_since(&self, since: u64) -> Vec<&str> {
        let recent = self.all.values().filter(|known| known.last_at > since);
        let mut names: Vec<_> = recent.map(|known| known.key.platform.as_str()).collect();
        names.retain(|name| *name != LOCAL && !is_fallback_platform(name));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The platforms that have any, by name.
    pub fn platforms(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.all.keys().map(|key| key.platform.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Unread messages of all but one, without those that are muted.
    pub fn unread_elsewhere(&self, open: Option<&ConversationKey>) -> u64 {
        let counts = |c: &&ConversationState| !c.muted && Some(&c.key) != open;
        self.all.values().filter(counts).map(|c| c.unread).sum()
    }

    /// Forgets everything, for the store is another.
    pub fn clear(&mut self) {
        self.all.clear();
    }

    /// Replaces all conversations by those of the server, but for those that an event told of since
    /// the server was asked.
    pub fn replace(&mut self, listed: Vec<http::Conversation>, asked: u64) {
        let mut before = std::mem::take(&mut self.all);
        for known in listed.into_iter().take(MAX_CONVERSATIONS) {
            let key = key_of(&known);
            let kept = before.remove(&key);
            let mut conversation = kept.unwrap_or_else(|| ConversationState::new(key.clone()));
            if conversation.told <= asked {
                conversation.learn(known);
            }
            self.all.insert(key, conversation);
        }
        self.all.extend(before.into_iter().filter(|(_, kept)| kept.told > asked));
    }

    /// An answer about one of them, unless an event told of it since the server was asked.
    pub fn answer(&mut self, known: http::Conversation, asked: u64) {
        if self.all.get(&key_of(&known)).is_none_or(|before| before.told <= asked) {
            self.put(known);
        }
    }

    /// The event with the number `told` says how one of them is now.
    pub fn update(&mut self, known: http::Conversation, told: u64) {
        self.put(known).told = told;
    }

    fn put(&mut self, known: http::Conversation) -> &mut ConversationState {
        let key = key_of(&known);
        self.make_room(&key);
        let conversation =
            self.all.entry(key.clone()).or_insert_with(|| ConversationState::new(key));
        conversation.learn(known);
        conversation
    }

    fn make_room(&mut self, key: &ConversationKey) {
        if !self.all.contains_key(key) && self.all.len() >= MAX_CONVERSATIONS {
            let quietest = self.all.values().min_by_key(|c| c.last_seq).map(|c| c.key.clone());
            quietest.and_then(|quietest| self.all.remove(&quietest));
        }
    }

    /// Takes in a new message, told by the event with the number `told`. Returns whether the
    /// conversation has another name now.
    pub fn receive(&mut self, message: &Message, told: u64) -> bool {
        let key = ConversationKey::of(message);
        self.make_room(&key);
        let conversation =
            self.all.entry(key.clone()).or_insert_with(|| ConversationState::new(key.clone()));
        conversation.told = told;
        let is_renamed =
            message.conversation_name.is_some() && message.conversation_name != conversation.name;
        if is_renamed {
            conversation.name.clone_from(&message.conversation_name);
        }
        // The server may have counted it already.
        let is_counted = message.seq <= conversation.last_seq;
        conversation.last_seq = message.seq.max(conversation.last_seq);
        conversation.last_at = message.created_at.max(conversation.last_at);
        conversation.set_last(message);
        match message.direction {
            Direction::Inbound if !is_counted => {
                conversation.unread += 1;
                conversation.mentions += u64::from(message.content.mentions_me());
            }
            // Sending to a conversation reads it.
            Direction::Outbound if !is_counted => self.read(&key),
            _ => {}
        }
        is_renamed
    }

    /// Takes last line and name from an older message, if nothing newer is known.
    pub fn learn(&mut self, message: &Message) {
        let Some(conversation) = self.all.get_mut(&ConversationKey::of(message)) else { return };
        if conversation.last_line.is_none() {
            conversation.set_last(message);
        }
        if conversation.name.is_none() {
            conversation.name.clone_from(&message.conversation_name);
        }
    }

    /// The message that a last line is of changed.
    pub fn change(&mut self, message: &Message) {
        let conversation = self.all.get_mut(&ConversationKey::of(message));
        if let Some(conversation) = conversation.filter(|c| c.last_id == Some(message.id)) {
            conversation.set_last(message);
        }
    }

    /// Gives a message the name that its conversation has now: messages of one's own bring none,
    /// older ones may bring an older one.
    pub fn name(&self, message: &mut Message) {
        let known =
            self.all.get(&ConversationKey::of(message)).and_then(|known| known.name.clone());
        message.conversation_name = known.or(message.conversation_name.take());
    }

    /// Shows a conversation as read; the server is told beside this.
    pub fn read(&mut self, key: &ConversationKey) {
        if let Some(conversation) = self.all.get_mut(key) {
            (conversation.unread, conversation.mentions) = (0, 0);
        }
    }
}

fn key_of(known: &http::Conversation) -> ConversationKey {
    ConversationKey { platform: known.platform.clone(), conversation: known.conversation.clone() }
}
