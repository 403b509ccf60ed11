//! Sessions by topic, each found without looking at the others.

use super::mailbox::Mailbox;
use crate::model::subscription::Topic;
use std::collections::HashMap;
use std::sync::Arc;

/// The sessions that have each topic.
#[derive(Default)]
pub(super) struct Index {
    by_topic: HashMap<Topic, HashMap<u64, Arc<Mailbox>>>,
}

impl Index {
    pub(super) fn add(&mut self, topic: &Topic, session: u64, mailbox: &Arc<Mailbox>) {
        self.by_topic.entry(topic.clone()).or_default().insert(session, mailbox.clone());
    }

    pub(super) fn remove(&mut self, topic: &Topic, session: u64) {
        if let Some(members) = self.by_topic.get_mut(topic) {
            members.remove(&session);
            if members.is_empty() {
                self.by_topic.remove(topic);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_topic.is_empty()
    }

    /// The sessions with a topic that matches; one with several such topics comes several times.
    pub(super) fn matching(
        &self,
        platform: &str,
        conversation: &str,
    ) -> impl Iterator<Item = &Arc<Mailbox>> {
        let topics = (!self.is_empty()).then(|| Topic::matching(platform, conversation));
        let found = topics.into_iter().flatten().filter_map(|topic| self.by_topic.get(&topic));
        found.flat_map(HashMap::values)
    }

    /// The sessions that have a topic of this platform, or of any; some several times.
    pub(super) fn of_platform(&self, platform: &str) -> impl Iterator<Item = &Arc<Mailbox>> {
        let found = self.by_topic.iter().filter(move |(topic, _)| {
            topic.platform.as_deref().is_none_or(|wanted| wanted == platform)
        });
        found.flat_map(|(_, members)| members.values())
    }

    /// Every session; some several times.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Mailbox>> {
        self.by_topic.values().flat_map(HashMap::values)
    }
}
