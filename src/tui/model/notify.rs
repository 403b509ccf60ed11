//! Which messages people are notified of.

use super::content;
use super::rows::author;
use crate::model::message::{Direction, Message};
use crate::protocol::http::ConversationKind;

/// Seconds between two notifications.
const PAUSE: u64 = 2;

/// Seconds after which a message is too old to be notified of.
const OLD: u64 = 300;

/// Messages that people are notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// None.
    Off,
    /// Private messages, and those that mention the account.
    Mentions,
    /// All messages.
    All,
}

impl Level {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Mentions => "mentions and private messages",
            Self::All => "all messages",
        }
    }
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub title: String,
    pub text: String,
}

/// Decides about notifications.
#[derive(Clone, Copy, Debug)]
pub struct Notifier {
    pub level: Level,
    /// The time of the last notification, in Unix seconds.
    last: u64,
    /// The time of the last one of a private message or a mention.
    last_for_me: u64,
}

impl Notifier {
    pub fn new(level: Level) -> Self {
        Self { level, last: 0, last_for_me: 0 }
    }

    /// The next level: off, mentions, all, and off again.
    pub fn turn(&mut self) -> Level {
        self.level = match self.level {
            Level::Off => Level::Mentions,
            Level::Mentions => Level::All,
            Level::All => Level::Off,
        };
        self.level
    }

    /// The notification of a new message, where there is to be one.
    pub fn of(&mut self, message: &Message, is_muted: bool, now: u64) -> Option<Notification> {
        let kind = ConversationKind::of(&message.recipient);
        let is_for_me = kind == ConversationKind::Private || message.content.mentions_me();
        let is_wanted = match self.level {
            Level::Off => false,
            Level::Mentions => is_for_me,
            Level::All => true,
        };
        // Others do not hold back what is for this person.
        let last = if is_for_me { self.last_for_me } else { self.last };
        let is_due = now >= last + PAUSE && message.created_at + OLD > now;
        if message.direction != Direction::Inbound || is_muted || !is_wanted || !is_due {
            return None;
        }
        self.last = now;
        if is_for_me {
            self.last_for_me = now;
        }
        let name = message.conversation_name.as_deref().unwrap_or(&message.recipient);
        let author = author(message);
        let said = content::line(&message.content);
        let text = if author == name { said } else { format!("{author}: {said}") };
        Some(Notification { title: name.to_owned(), text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOON: u64 = 1_795_428_000;

    fn message(seq: u64, conversation: &str, content: &str) -> Message {
        let sender = crate::model::message::Sender { id: "7".into(), name: "Alice".into() };
        Message {
            direction: Direction::Inbound,
            sender: Some(sender),
            ..Message::new(seq, Uuid::nil(), content.into(), conversation.into(), NOON)
        }
    }

    #[test]
    fn people_are_notified_of_what_is_for_them() {
        let (group, private) = (message(1, "group_1", "x"), message(2, "private_7", "y"));
        let told = |level, message: &Message| Notifier::new(level).of(message, false, NOON + 3);
        assert_eq!(told(Level::Mentions, &group), None);
        assert_eq!(told(Level::Off, &private), None);
        assert_eq!(told(Level::All, &group).unwrap().text, "Alice: x");
        assert_eq!(told(Level::Mentions, &private).unwrap().title, "private_7");
        assert_eq!(Notifier::new(Level::All).of(&group, true, NOON + 3), None);
    }

    #[test]
    fn a_flood_and_what_is_old_do_not_ring() {
        let mut notifier = Notifier::new(Level::All);
        let new = message(1, "group_1", "x");
        assert!(notifier.of(&new, false, NOON + 3).is_some());
        assert!(notifier.of(&new, false, NOON + 4).is_none());
        let private = message(2, "private_7", "y");
        assert!(notifier.of(&private, false, NOON + 4).is_some());
        assert!(notifier.of(&private, false, NOON + 5).is_none());
        assert!(notifier.of(&new, false, NOON + 6).is_some());
        assert!(notifier.of(&new, false, NOON + 1000).is_none());
    }
}
