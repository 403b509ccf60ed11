//! Filter for the events of a stream: the server filters by platform and conversation, and this file by
//! all other conditions.

use super::followed::Followed;
use crate::model::message::{Direction, Message};
use crate::search::{Conditions, Search};
use crate::store::MessageFilter;
use std::collections::VecDeque;
use uuid::Uuid;

/// Shown messages that are remembered, so that the deletion of one of them is shown too.
const REMEMBERED: usize = 10_000;

/// The conditions, and the latest messages that met them.
pub(super) struct EventFilter {
    pub(super) filter: MessageFilter,
    search: Option<Search>,
    shown: VecDeque<Uuid>,
}

impl EventFilter {
    pub(super) fn new(filter: &MessageFilter, conditions: &Conditions) -> Self {
        let search = Search::of(conditions.clone());
        Self { filter: filter.clone(), search, shown: VecDeque::new() }
    }

    /// Whether a change of a message's status can be judged only with the whole message.
    pub(super) fn needs_whole(&self) -> bool {
        self.search.is_some()
    }

    /// Whether a message passes, whatever its status is.
    pub(super) fn wants(&self, message: &Message) -> bool {
        self.filter.direction.is_none_or(|wanted| wanted == message.direction)
            && self.search.as_ref().is_none_or(|search| search.matches(message))
    }

    /// Whether an event passes; messages that pass are remembered as shown.
    pub(super) fn takes(&mut self, followed: &Followed) -> bool {
        match followed {
            Followed::Message(message) | Followed::Updated(message) => {
                let is_wanted = self.filter.lets_through(message.status) && self.wants(message);
                if is_wanted {
                    self.remember(message.id);
                }
                is_wanted
            }
            Followed::Status(change) => {
                self.filter.lets_through(change.status)
                    // Only outbound messages change their status.
                    && self.filter.direction != Some(Direction::Inbound)
            }
            Followed::Deleted(deleted) => !self.is_narrow() || self.shown.contains(&deleted.id),
            Followed::StoreReplaced | Followed::EventsGone { .. } => true,
        }
    }

    /// Remembers that a message was shown.
    pub(super) fn remember(&mut self, id: Uuid) {
        if self.is_narrow() {
            self.shown.truncate(REMEMBERED - 1);
            self.shown.push_front(id);
        }
    }

    /// Whether the filter excludes any messages of the stream.
    fn is_narrow(&self) -> bool {
        let MessageFilter { statuses, direction, .. } = &self.filter;
        self.search.is_some() || !statuses.is_empty() || direction.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::MessageDeleted;

    fn deleted(id: Uuid) -> Followed {
        let (platform, conversation) = ("qq".into(), "group_1".into());
        Followed::Deleted(MessageDeleted { id, platform, conversation, seq: 1 })
    }

    #[test]
    fn deletions_are_told_of_what_was_shown() {
        let [shown, other] = [1, 2].map(Uuid::from_u128);
        let mut all = EventFilter::new(&MessageFilter::default(), &Conditions::default());
        assert!(all.takes(&deleted(other)));
        let text = Conditions { text: Some("lunch".into()), ..Conditions::default() };
        let mut some = EventFilter::new(&MessageFilter::default(), &text);
        some.remember(shown);
        assert!(some.takes(&deleted(shown)) && !some.takes(&deleted(other)));
        (0..REMEMBERED as u128).for_each(|n| some.remember(Uuid::from_u128(100 + n)));
        assert!(!some.takes(&deleted(shown)), "the memory is bounded");
    }
}
