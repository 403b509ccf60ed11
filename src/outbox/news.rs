//! What commits mean to the outbox, from the writer's thread to the dispatcher: gathered, so that
//! the writer never waits, for the dispatcher may itself be waiting for the writer.

use super::{Key, Outcomes};
use crate::model::change::{Change, Effect};
use crate::model::message::{Direction, Status};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Lanes that are named one by one; beyond that everything is looked at.
const MOST: usize = 4096;

/// What changed since it was last asked for.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Everything may be other than it was.
    pub(super) everything: bool,
    /// Lanes in which something changed; whether something no longer waits there.
    pub(super) lanes: HashMap<Key, bool>,
    /// Conversations from which a message came, so that they are known now.
    pub(super) known: HashSet<String>,
}

/// Where news wait for the dispatcher.
#[derive(Debug, Default)]
pub(super) struct Board {
    news: Mutex<News>,
    came: Notify,
}

impl Board {
    /// Waits for news, and takes them. May be dropped while it waits.
    pub(super) async fn next(&self) -> News {
        self.came.notified().await;
        std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, add: impl FnOnce(&mut News)) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut news);
        if news.lanes.len() + news.known.len() > MOST {
            *news = News { everything: true, ..News::default() };
        }
        let is_news = news.everything || !news.lanes.is_empty() || !news.known.is_empty();
        drop(news);
        if is_news {
            self.came.notify_one();
        }
    }
}

/// The writer's end: told of every commit.
pub struct Notes {
    pub(super) board: Arc<Board>,
    pub(super) outcomes: Arc<Outcomes>,
}

impl Notes {
    /// The store is open, perhaps after a fault: what waits may be other than what was told.
    pub fn opened(&self) {
        self.board.add(|news| news.everything = true);
    }

    /// Passes on what matters. Never waits.
    pub fn committed(&self, changes: &[Change]) {
        let updated = changes.iter().filter_map(|change| match &change.effect {
            Effect::StatusChanged(message) | Effect::Updated(message) => Some(message),
            _ => None,
        });
        updated
            .filter(|message| message.direction == Direction::Outbound)
            .for_each(|message| self.outcomes.tell(message));
        self.board.add(|news| changes.iter().for_each(|change| news.note(change)));
    }
}

impl News {
    fn note(&mut self, change: &Change) {
        let Some(message) = change.effect.message() else { return };
        if message.direction == Direction::Inbound {
            if matches!(change.effect, Effect::Created(_))
                && !self.known.contains(&message.recipient)
            {
                self.known.insert(message.recipient.clone());
            }
            return;
        }
        let (matters, is_taken_back) = match &change.effect {
            Effect::Created(message) => (message.status == Status::Pending, false),
            Effect::StatusChanged(message) | Effect::Updated(message) => (
                !matches!(message.status, Status::Sending | Status::Sent),
                message.status != Status::Pending,
            ),
            Effect::Deleted(_) => (true, true),
            Effect::ConversationChanged { .. } => (false, false),
        };
        if matters {
            *self.lanes.entry(Key::of(message)).or_default() |= is_taken_back;
        }
    }
}
