//! Facts about recipients and platforms by which outbound messages are routed (contract, item 6).

use super::Registry;
use crate::adapter::api::Kind;
use crate::adapter::kinds::{ADAPTERS, AdapterConfig};
use crate::model::routing::{Reading, RoutingFacts};
use std::cell::RefCell;

impl Registry {
    /// Facts for a recipient, as they are now.
    pub fn routing_facts(&self, recipient: &str, default_platform: Option<&str>) -> RoutingFacts {
        let mut platforms: Vec<_> = self
            .known_platforms()
            .into_iter()
            .map(|(platform, kind)| (platform, kind.name.to_owned()))
            .collect();
        platforms.sort();
        platforms.dedup();
        facts(recipient, default_platform, platforms)
    }
}

/// Facts for a recipient where no server runs.
pub fn configured_facts(
    recipient: &str,
    default_platform: Option<&str>,
    configured: &[AdapterConfig],
) -> RoutingFacts {
    let platform = |AdapterConfig { settings, .. }: &AdapterConfig| {
        (settings.platform().to_owned(), settings.kind.name.to_owned())
    };
    facts(recipient, default_platform, configured.iter().map(platform).collect())
}

fn facts(
    recipient: &str,
    default_platform: Option<&str>,
    platforms: Vec<(String, String)>,
) -> RoutingFacts {
    RoutingFacts {
        default_platform: default_platform.map(str::to_owned),
        platforms,
        readings: ADAPTERS.iter().map(|adapter| adapter.kind.reading(recipient)).collect(),
    }
}

impl Kind {
    fn reading(&self, recipient: &str) -> Reading {
        let asked = RefCell::new(Vec::new());
        let is_known = |conversation: &str| {
            asked.borrow_mut().push(conversation.to_owned());
            false
        };
        let resolved = (self.resolve)(recipient, &is_known);
        let mut conversations = asked.into_inner();
        conversations.extend(resolved);
        Reading {
            kind: self.name.to_owned(),
            can_address: (self.addresses)(recipient),
            conversations,
            is_fallback: self.is_fallback,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(kind: &str, recipient: &str) -> (bool, Vec<String>) {
        let facts = configured_facts(recipient, None, &[]);
        let found = facts.readings.into_iter().find(|reading| reading.kind == kind).unwrap();
        (found.can_address, found.conversations)
    }

    #[test]
    fn a_bare_number_may_stand_for_a_group_or_a_user() {
        let both = vec!["group_7".to_owned(), "private_7".to_owned()];
        assert_eq!(reading("onebot11", "7"), (true, both.clone()));
        assert_eq!(reading("onebot12", "7"), (true, both));
        assert_eq!(reading("onebot11", "group_7"), (true, vec!["group_7".to_owned()]));
        assert_eq!(reading("onebot11", "alice"), (false, vec![]));
        assert_eq!(reading("loopback", "7"), (true, vec!["7".to_owned()]));
    }
}
