//! Sessions by topic, found without looking at the others.

use super::mailbox::Mailbox;
use crate::model::subscription::Topic;
use std::collections::HashMap;
use std::sync::Arc;

/// The sessions that have each topic.
#[derive(Default)]
pub(super) struct TopicIndex {
    any_platform: OfPlatform,
    by_platform: HashMap<String, OfPlatform>,
}

/// The sessions that have each topic of one platform, or of any.
#[derive(Default)]
struct OfPlatform {
    any_conversation: Members,
    by_conversation: HashMap<String, Members>,
}

/// Sessions with the same topic, by their number.
type Members = HashMap<u64, Arc<Mailbox>>;

impl TopicIndex {
    pub(super) fn add(&mut self, topic: &Topic, session: u64, mailbox: &Arc<Mailbox>) {
        let topics = match &topic.platform {
            None => &mut self.any_platform,
            Some(platform) => self.by_platform.entry(platform.clone()).or_default(),
        };
        let members = match &topic.conversation {
            None => &mut topics.any_conversation,
            Some(name) => topics.by_conversation.entry(name.clone()).or_default(),
        };
        members.insert(session, mailbox.clone());
    }

    pub(super) fn remove(&mut self, topic: &Topic, session: u64) {
        let Some(platform) = &topic.platform else {
            return self.any_platform.remove(topic.conversation.as_deref(), session);
        };
        if let Some(topics) = self.by_platform.get_mut(platform) {
            topics.remove(topic.conversation.as_deref(), session);
            if topics.is_empty() {
                self.by_platform.remove(platform);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.any_platform.is_empty() && self.by_platform.is_empty()
    }

    /// The sessions with a matching topic; one with several such topics is there several times.
    pub(super) fn matching(
        &self,
        platform: &str,
        conversation: &str,
    ) -> impl Iterator<Item = &Arc<Mailbox>> {
        let found = [Some(&self.any_platform), self.by_platform.get(platform)];
        found.into_iter().flatten().flat_map(move |topics| topics.matching(conversation))
    }

    /// The sessions that have a topic of this platform, or of any; some several times.
    pub(super) fn of_platform(&self, platform: &str) -> impl Iterator<Item = &Arc<Mailbox>> {
        let found = [Some(&self.any_platform), self.by_platform.get(platform)];
        found.into_iter().flatten().flat_map(OfPlatform::all)
    }

    /// Every session; some several times.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Mailbox>> {
        self.by_platform.values().chain([&self.any_platform]).flat_map(OfPlatform::all)
    }
}

impl OfPlatform {
    fn remove(&mut self, conversation: Option<&str>, session: u64) {
        let Some(name) = conversation else {
            self.any_conversation.remove(&session);
            return;
        };
        if let Some(members) = self.by_conversation.get_mut(name) {
            members.remove(&session);
            if members.is_empty() {
                self.by_conversation.remove(name);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.any_conversation.is_empty() && self.by_conversation.is_empty()
    }

    fn matching(&self, conversation: &str) -> impl Iterator<Item = &Arc<Mailbox>> {
        let named = self.by_conversation.get(conversation);
        self.any_conversation.values().chain(named.into_iter().flat_map(HashMap::values))
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Mailbox>> {
        let named = self.by_conversation.values().flat_map(HashMap::values);
        self.any_conversation.values().chain(named)
    }
}
