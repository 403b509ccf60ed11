//! What a session wants to see: a set of (platform, conversation) pairs, either of which may be any.

use std::collections::HashMap;

/// A platform or any, and a conversation or any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub struct Topic {
    pub platform: Option<String>,
    pub conversation: Option<String>,
}

impl Topic {
    /// The pair of one name each.
    pub fn of(platform: Option<&str>, conversation: Option<&str>) -> Self {
        Self {
            platform: platform.map(str::to_owned),
            conversation: conversation.map(str::to_owned),
        }
    }

    /// The four pairs that match a message of this platform and conversation.
    pub fn matching(platform: &str, conversation: &str) -> [Self; 4] {
        [
            Self::of(None, None),
            Self::of(Some(platform), None),
            Self::of(None, Some(conversation)),
            Self::of(Some(platform), Some(conversation)),
        ]
    }
}

/// A list of names as a command carries it. Absent, empty, `"*"` or a list with `"*"` in it: any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    list: Vec<String>,
    has_any: bool,
    is_absent: bool,
}

impl Names {
    /// No list was given.
    pub fn absent() -> Self {
        Self { is_absent: true, ..Self::default() }
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
        listed.is_absent = listed.list.is_empty() && !listed.has_any;
        listed
    }

    /// Whether there was no list, or nothing in it.
    pub fn is_absent(&self) -> bool {
        self.is_absent
    }

    /// What `subscribe` multiplies: the names, or any alone where any is among them.
    fn choices(&self) -> Vec<Option<&str>> {
        if self.has_any || self.is_absent {
            return vec![None];
        }
        self.list.iter().map(|name| Some(name.as_str())).collect()
    }

    /// Whether `unsubscribe` names this side of a pair; `"*"` names the pairs with any.
    fn names(&self, side: Option<&str>) -> bool {
        match side {
            None => self.has_any,
            Some(name) => self.list.iter().any(|listed| listed == name),
        }
    }
}

/// The pairs of a session, each with the `seq` after which it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    pairs: HashMap<Topic, u64>,
}

impl Subscription {
    /// Adds the product of two lists for messages after `since`; tells the pairs that are new.
    pub fn add(&mut self, platforms: &Names, conversations: &Names, since: u64) -> Vec<Topic> {
        let mut new = Vec::new();
        for platform in platforms.choices() {
            for conversation in conversations.choices() {
                let pair = Topic::of(platform, conversation);
                if let Some(from) = self.pairs.get_mut(&pair) {
                    *from = since.min(*from)
                } else {
                    self.pairs.insert(pair.clone(), since);
                    new.push(pair);
                }
            }
        }
        new
    }

    /// How many pairs [`Subscription::add`] would have to look at.
    pub fn product(platforms: &Names, conversations: &Names) -> usize {
        platforms.choices().len().saturating_mul(conversations.choices().len())
    }

    /// Removes each pair that either list names, or all where there is neither; tells which.
    pub fn remove(&mut self, platforms: &Names, conversations: &Names) -> Vec<Topic> {
        let removes_all = platforms.is_absent && conversations.is_absent;
        let is_named = |pair: &Topic| {
            removes_all
                || platforms.names(pair.platform.as_deref())
                || conversations.names(pair.conversation.as_deref())
        };
        self.pairs.extract_if(|pair, _| is_named(pair)).map(|(pair, _)| pair).collect()
    }

    /// Whether a message is wanted.
    pub fn wants(&self, seq: u64, platform: &str, conversation: &str) -> bool {
        let has = |pair| self.pairs.get(pair).is_some_and(|&since| since < seq);
        Topic::matching(platform, conversation).iter().any(has)
    }

    /// Every pair.
    pub fn pairs(&self) -> impl Iterator<Item = &Topic> {
        self.pairs.keys()
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is no pair at all.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Names {
        Names::listed(list.iter().map(|&name| name.to_owned()))
    }

    fn wants(subscription: &Subscription, platform: &str, conversation: &str) -> bool {
        subscription.wants(1, platform, conversation)
    }

    #[test]
    fn subscribing_adds_the_product_of_the_lists() {
        let mut subscription = Subscription::default();
        subscription.add(&names(&["qq", "wechat"]), &names(&["a", "b"]), 0);
        assert_eq!(subscription.len(), 4);
        assert!(wants(&subscription, "qq", "a") && wants(&subscription, "wechat", "b"));
        assert!(!wants(&subscription, "qq", "c") && !wants(&subscription, "tg", "a"));
    }

    #[test]
    fn nothing_and_a_star_mean_any() {
        for any in [Names::absent(), names(&[]), names(&["*"]), names(&["qq", "*"])] {
            let mut subscription = Subscription::default();
            subscription.add(&any, &names(&["a"]), 0);
            assert_eq!(subscription.len(), 1);
            assert!(wants(&subscription, "whatever", "a"));
        }
    }

    #[test]
    fn unsubscribing_removes_pairs_by_either_side() {
        let mut subscription = Subscription::default();
        subscription.add(&names(&["qq", "wechat"]), &names(&["a", "b"]), 0);
        subscription.remove(&names(&["qq"]), &names(&["b"]));
        assert!(wants(&subscription, "wechat", "a"));
        assert_eq!(subscription.len(), 1);
        subscription.remove(&Names::absent(), &Names::absent());
        assert!(subscription.is_empty());
    }

    #[test]
    fn leaving_one_platform_leaves_everything_in_place() {
        let mut subscription = Subscription::default();
        subscription.add(&Names::absent(), &Names::absent(), 0);
        subscription.remove(&names(&["qq"]), &Names::absent());
        assert!(wants(&subscription, "qq", "a"));
        subscription.remove(&names(&["*"]), &Names::absent());
        assert!(!wants(&subscription, "qq", "a"));
    }

    #[test]
    fn a_pair_counts_from_where_it_was_asked_for() {
        let mut subscription = Subscription::default();
        subscription.add(&names(&["qq"]), &Names::absent(), 10);
        assert!(!subscription.wants(10, "qq", "a") && subscription.wants(11, "qq", "a"));
        subscription.add(&names(&["qq"]), &Names::absent(), 5);
        assert!(subscription.wants(6, "qq", "a"));
        subscription.add(&names(&["qq"]), &Names::absent(), 20);
        assert!(subscription.wants(6, "qq", "a"));
    }
}
