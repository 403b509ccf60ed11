//! Facts about recipients and platforms by which outbound messages are routed (contract, item 6).

use super::Registry;
use crate::adapter::api::Kind;
use crate::adapter::kinds::{ADAPTERS, AdapterConfig};
use crate::model::routing::{PlatformList, RecipientParsers, RecipientReading, RoutingFacts};
use std::cell::RefCell;

impl Registry {
    /// Facts as they are now.
    pub fn routing_facts(&self, default_platform: Option<&str>) -> RoutingFacts {
        facts(default_platform, self.shared.lock().platforms())
    }
}

/// Facts where no server runs.
pub fn configured_facts(
    default_platform: Option<&str>,
    configured: &[AdapterConfig],
) -> RoutingFacts {
    let platform = |AdapterConfig { settings, .. }: &AdapterConfig| {
        (settings.platform().to_owned(), settings.kind.name)
    };
    facts(default_platform, configured.iter().map(platform).collect())
}

/// The conversations that a recipient may stand for, by any kind of adapter.
pub fn conversations_of(recipient: &str) -> impl Iterator<Item = String> {
    ADAPTERS.iter().flat_map(move |adapter| adapter.kind.reading(recipient).conversations)
}

/// Whether media of a kind of adapter are only to be had for a while, and from nowhere else later.
pub fn loses_media(kind: &str) -> bool {
    ADAPTERS.iter().any(|adapter| adapter.kind.name == kind && adapter.kind.loses_media)
}

/// Whether a kind of adapter gets messages that name no platform only where there is no other platform.
pub fn is_fallback(kind: &str) -> bool {
    ADAPTERS.iter().any(|adapter| adapter.kind.name == kind && adapter.kind.is_fallback)
}

fn facts(default_platform: Option<&str>, platforms: PlatformList) -> RoutingFacts {
    let default_platform = default_platform.map(str::to_owned);
    RoutingFacts { default_platform, platforms, readings: RecipientParsers(reading) }
}

fn reading(kind: &str, recipient: &str) -> Option<RecipientReading> {
    let adapter = ADAPTERS.iter().find(|adapter| adapter.kind.name == kind)?;
    Some(adapter.kind.reading(recipient))
}

impl Kind {
    fn reading(&self, recipient: &str) -> RecipientReading {
        let asked = RefCell::new(Vec::new());
        let is_known = |conversation: &str| {
            asked.borrow_mut().push(conversation.to_owned());
            false
        };
        let resolved = (self.resolve)(recipient, &is_known);
        let mut conversations = asked.into_inner();
        conversations.extend(resolved);
        let can_address = (self.addresses)(recipient);
        RecipientReading { can_address, conversations, is_fallback: self.is_fallback }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, recipient: &str) -> (bool, Vec<String>) {
        let found = reading(kind, recipient).unwrap();
        (found.can_address, found.conversations)
    }

    #[test]
    fn a_bare_number_may_stand_for_a_group_or_a_user() {
        let both = vec!["group_7".to_owned(), "private_7".to_owned()];
        assert_eq!(read("onebot11", "7"), (true, both.clone()));
        assert_eq!(read("onebot12", "7"), (true, both));
        assert_eq!(read("onebot11", "group_7"), (true, vec!["group_7".to_owned()]));
        assert_eq!(read("onebot11", "alice"), (false, vec![]));
        assert_eq!(read("loopback", "7"), (true, vec!["7".to_owned()]));
    }
}
