//! Subscriptions of a session: a set of topics, each a platform or any and a conversation or any.

use serde::{Serialize, Serializer};
use std::collections::{HashMap, HashSet};

/// A platform or any, and a conversation or any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Topic {
    /// The platform; `None` is any.
    pub platform: Option<String>,
    /// The conversation; `None` is any.
    pub conversation: Option<String>,
}

impl Topic {
    /// The topic of one name each.
    pub fn of(platform: Option<&str>, conversation: Option<&str>) -> Self {
        Self {
            platform: platform.map(str::to_owned),
            conversation: conversation.map(str::to_owned),
        }
    }

    /// The four topics that match a message of this platform and conversation.
    pub fn matching(platform: &str, conversation: &str) -> [Self; 4] {
        [
            Self::of(None, None),
            Self::of(Some(platform), None),
            Self::of(None, Some(conversation)),
            Self::of(Some(platform), Some(conversation)),
        ]
    }
}

/// A list of names in a command. Absent, empty, `"*"` or a list with `"*"` in it means any name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameList {
    list: Vec<String>,
    has_any: bool,
}

impl NameList {
    /// No list was given.
    pub fn absent() -> Self {
        Self::default()
    }

    /// A list, or a single name.
    pub fn listed(names: impl IntoIterator<Item = String>) -> Self {
        let mut listed = Self::default();
        for name in names {
            if name == "*" {
                listed.has_any = true;
            } else {
                listed.list.push(name);
            }
        }
        listed
    }

    /// Whether there was no list, or nothing in it.
    pub fn is_absent(&self) -> bool {
        self.list.is_empty() && !self.has_any
    }

    /// The names of the list for the product of `subscribe`; `None` stands for any name.
    fn choices(&self) -> Vec<Option<&str>> {
        if self.has_any || self.is_absent() {
            return vec![None];
        }
        self.list.iter().map(|name| Some(name.as_str())).collect()
    }

    /// Whether `unsubscribe` names this side of a pair; `"*"` means the pairs with any name.
    fn names(&self, side: Option<&str>) -> bool {
        match side {
            None => self.has_any,
            Some(name) => self.list.iter().any(|listed| listed == name),
        }
    }
}

impl Serialize for NameList {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let any = self.has_any.then_some("*");
        to.collect_seq(self.list.iter().map(String::as_str).chain(any))
    }
}

/// A position in the store, after all messages up to `seq` and all events up to `offset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Number of the last message before this position.
    pub seq: u64,
    /// Offset of the last event before this position.
    pub offset: u64,
}

impl Position {
    /// The later position of both.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { seq: self.seq.max(other.seq), offset: self.offset.max(other.offset) }
    }
}

/// The topics of a session, each with the position from which it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    topics: HashMap<Topic, Position>,
}

impl Subscription {
    /// Adds the product of two lists for everything after `since`; returns the new topics.
    pub fn add(
        &mut self,
        platforms: &NameList,
        conversations: &NameList,
        since: Position,
    ) -> Vec<Topic> {
        let mut new = Vec::new();
        for platform in platforms.choices() {
            for conversation in conversations.choices() {
                let topic = Topic::of(platform, conversation);
                if let Some(from) = self.topics.get_mut(&topic) {
                    from.seq = since.seq.min(from.seq);
                    from.offset = since.offset.min(from.offset);
                } else {
                    self.topics.insert(topic.clone(), since);
                    new.push(topic);
                }
            }
        }
        new
    }

    /// Whether [`Subscription::add`] would leave no more topics than `limit`.
    pub fn has_room(&self, platforms: &NameList, conversations: &NameList, limit: usize) -> bool {
        let (platforms, conversations) = (platforms.choices(), conversations.choices());
        let product = platforms.len().saturating_mul(conversations.len());
        if self.topics.len().saturating_add(product) <= limit {
            return true;
        }
        if product > limit {
            return false;
        }
        let all = platforms.iter().flat_map(|one| conversations.iter().map(move |of| (*one, *of)));
        let all: HashSet<_> = all.map(|(platform, of)| Topic::of(platform, of)).collect();
        let new = all.iter().filter(|topic| !self.topics.contains_key(*topic)).count();
        self.topics.len() + new <= limit
    }

    /// Removes each topic that one of the lists names, or all topics if both lists are absent;
    /// returns the removed ones.
    pub fn remove(&mut self, platforms: &NameList, conversations: &NameList) -> Vec<Topic> {
        let removes_all = platforms.is_absent() && conversations.is_absent();
        let is_named = |topic: &Topic| {
            removes_all
                || platforms.names(topic.platform.as_deref())
                || conversations.names(topic.conversation.as_deref())
        };
        self.topics.extract_if(|topic, _| is_named(topic)).map(|(topic, _)| topic).collect()
    }

    /// Whether the session wants a new message.
    pub fn wants_message(&self, seq: u64, platform: &str, conversation: &str) -> bool {
        self.has(platform, conversation, |since| since.seq < seq)
    }

    /// Whether the session wants another event about a conversation.
    pub fn wants_event(&self, offset: u64, platform: &str, conversation: &str) -> bool {
        self.has(platform, conversation, |since| since.offset < offset)
    }

    fn has(&self, platform: &str, conversation: &str, counts: impl Fn(&Position) -> bool) -> bool {
        let topics = Topic::matching(platform, conversation);
        topics.iter().any(|topic| self.topics.get(topic).is_some_and(&counts))
    }

    /// Every topic.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.keys()
    }

    /// How many topics there are.
    pub fn len(&self) -> usize {
        self.topics.len()
    }

    /// Whether there is no topic at all.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> NameList {
        NameList::listed(list.iter().map(|&name| name.to_owned()))
    }

    fn wants(subscription: &Subscription, platform: &str, conversation: &str) -> bool {
        subscription.wants_message(1, platform, conversation)
    }

    #[test]
    fn subscribing_adds_the_product_of_the_lists() {
        let mut subscription = Subscription::default();
        subscription.add(&names(&["qq", "wechat"]), &names(&["a", "b"]), Position::default());
        assert_eq!(subscription.len(), 4);
        assert!(wants(&subscription, "qq", "a") && wants(&subscription, "wechat", "b"));
        assert!(!wants(&subscription, "qq", "c") && !wants(&subscription, "tg", "a"));
    }

    #[test]
    fn nothing_and_a_star_mean_any() {
        for any in [NameList::absent(), names(&[]), names(&["*"]), names(&["qq", "*"])] {
            let mut subscription = Subscription::default();
            subscription.add(&any, &names(&["a"]), Position::default());
            assert_eq!(subscription.len(), 1);
            assert!(wants(&subscription, "whatever", "a"));
        }
    }

    #[test]
    fn unsubscribing_removes_topics_by_either_side() {
        let mut subscription = Subscription::default();
        subscription.add(&names(&["qq", "wechat"]), &names(&["a", "b"]), Position::default());
        subscription.remove(&names(&["qq"]), &names(&["b"]));
        assert!(wants(&subscription, "wechat", "a"));
        assert_eq!(subscription.len(), 1);
        subscription.remove(&NameList::absent(), &NameList::absent());
        assert!(subscription.is_empty());
    }

    #[test]
    fn leaving_one_platform_leaves_everything_in_place() {
        let mut subscription = Subscription::default();
        subscription.add(&NameList::absent(), &NameList::absent(), Position::default());
        subscription.remove(&names(&["qq"]), &NameList::absent());
        assert!(wants(&subscription, "qq", "a"));
        subscription.remove(&names(&["*"]), &NameList::absent());
        assert!(!wants(&subscription, "qq", "a"));
    }

    #[test]
    fn topics_that_are_there_already_take_no_room() {
        let mut subscription = Subscription::default();
        let (platforms, conversations) = (names(&["qq", "wechat"]), names(&["a", "b"]));
        subscription.add(&platforms, &conversations, Position::default());
        assert!(subscription.has_room(&platforms, &conversations, 4));
        assert!(subscription.has_room(&platforms, &names(&["c", "c"]), 6));
        assert!(!subscription.has_room(&platforms, &names(&["c"]), 5));
        assert!(!Subscription::default().has_room(&platforms, &conversations, 3));
    }

    #[test]
    fn a_topic_counts_from_where_it_was_asked_for() {
        let mut subscription = Subscription::default();
        let mut add = |seq, offset| {
            subscription.add(&names(&["qq"]), &NameList::absent(), Position { seq, offset });
            subscription.clone()
        };
        let first = add(10, 30);
        assert!(!first.wants_message(10, "qq", "a") && first.wants_message(11, "qq", "a"));
        assert!(!first.wants_event(30, "qq", "a") && first.wants_event(31, "qq", "a"));
        assert!(add(5, 40).wants_message(6, "qq", "a"));
        let last = add(20, 20);
        assert!(last.wants_message(6, "qq", "a") && last.wants_event(21, "qq", "a"));
    }
}
