//! Choice of the platform and the conversation for an outbound message (contract, items 6 and 7).
//!
//! The rules are pure: facts from outside the store come as [`RoutingFacts`], facts of the store by
//! [`StoreFacts`].

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Facts from outside the store, at the time when a message is made or routed again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutingFacts {
    /// `default_platform` of the configuration.
    pub default_platform: Option<String>,
    /// Platforms that are configured, or that had a connected account since the start.
    pub platforms: PlatformList,
    /// How each kind of adapter reads a recipient.
    pub readings: RecipientParsers,
}

/// Platforms, each with its kind of adapter. All messages share one list until it changes.
pub type PlatformList = Arc<[(String, &'static str)]>;

/// Reads a recipient as a kind of adapter does: `(kind, recipient)`; `None` if there is no such
/// kind.
#[derive(Clone, Copy, Debug)]
pub struct RecipientParsers(pub fn(&str, &str) -> Option<RecipientReading>);

impl PartialEq for RecipientParsers {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for RecipientParsers {}

impl Default for RecipientParsers {
    fn default() -> Self {
        Self(|_, _| None)
    }
}

/// A recipient as one kind of adapter reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientReading {
    /// Whether the adapter could send to such a recipient.
    pub can_address: bool,
    /// The conversations that the recipient may mean.
    pub conversations: Vec<String>,
    /// Adapters of this kind get messages without a platform only if there is no other platform.
    pub is_fallback: bool,
}

/// A platform that had a connected adapter at any time since the store was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenPlatform {
    /// The platform.
    pub platform: String,
    /// The kind of its adapter.
    pub kind: String,
    /// The newest `seq` at the time when it was first seen.
    pub after_seq: u64,
}

/// Facts of the store.
pub trait StoreFacts {
    /// Reason why the store could not be read.
    type Error;

    /// The platforms that were seen, in the order in which they were first seen.
    ///
    /// # Errors
    ///
    /// The facts cannot be read.
    fn seen_platforms(&self) -> Result<&[SeenPlatform], Self::Error>;

    /// The platforms that have messages.
    ///
    /// # Errors
    ///
    /// The facts cannot be read.
    fn named_platforms(&self) -> Result<&[String], Self::Error>;

    /// Whether one of your accounts has seen the conversation.
    ///
    /// # Errors
    ///
    /// The facts cannot be read.
    fn is_known(&self, platform: &str, conversation: &str) -> Result<bool, Self::Error>;
}

/// The platform for a message without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformChoice {
    /// The message goes out by this platform.
    Platform(String),
    /// Several platforms know the conversation.
    Several(Vec<String>),
    /// No rule fits.
    None,
}

/// Chooses the platform for the message at `seq`. The order of connections has no influence.
///
/// # Errors
///
/// The facts cannot be read.
pub fn choose_platform<S: StoreFacts>(
    recipient: &str,
    seq: u64,
    facts: &RoutingFacts,
    store: &S,
) -> Result<PlatformChoice, S::Error> {
    let reading = |kind: &str| facts.reading(kind, recipient);
    let seen = store.seen_platforms()?;
    let mut platforms: BTreeMap<&str, Option<RecipientReading>> = BTreeMap::new();
    for SeenPlatform { platform, kind, .. } in seen {
        platforms.insert(platform, reading(kind));
    }
    for (platform, kind) in &*facts.platforms {
        platforms.insert(platform, reading(kind));
    }
    let is_fallback = |reading: Option<&RecipientReading>| reading.is_some_and(|r| r.is_fallback);
    let mut fallbacks: Vec<&str> = Vec::new();
    platforms.retain(|platform, reading| {
        let is_fallback = is_fallback(reading.as_ref());
        fallbacks.extend(is_fallback.then_some(*platform));
        !is_fallback
    });

    let named = store.named_platforms()?;
    let others = named
        .iter()
        .filter(|name| !fallbacks.contains(&name.as_str()) && !is_fallback(reading(name).as_ref()));
    let mut known = Vec::new();
    for platform in others {
        let reading = platforms.get(platform.as_str()).and_then(Option::as_ref);
        let mut conversations: Vec<&str> =
            reading.map_or_else(Vec::new, |r| r.conversations.iter().map(String::as_str).collect());
        if conversations.is_empty() {
            conversations.push(recipient);
        }
        for conversation in conversations {
            if store.is_known(platform, conversation)? {
                known.push(platform.clone());
                break;
            }
        }
    }
    match &known[..] {
        [platform] => return Ok(PlatformChoice::Platform(platform.clone())),
        [] => {}
        _ => return Ok(PlatformChoice::Several(known)),
    }
    if let Some(platform) = &facts.default_platform {
        return Ok(PlatformChoice::Platform(platform.clone()));
    }
    let can_address = |platform: &str| {
        let reading = platforms.get(platform).and_then(Option::as_ref);
        reading.is_some_and(|reading| reading.can_address)
    };
    if let Some(first) = seen.iter().find(|first| !fallbacks.contains(&first.platform.as_str()))
        && seq <= first.after_seq
        && can_address(&first.platform)
    {
        return Ok(PlatformChoice::Platform(first.platform.clone()));
    }
    let mut all = platforms.keys();
    Ok(match (all.next(), all.next(), &fallbacks[..]) {
        (Some(only), None, _) if can_address(only) => PlatformChoice::Platform((*only).to_owned()),
        (None, None, [only]) => PlatformChoice::Platform((*only).to_owned()),
        _ => PlatformChoice::None,
    })
}

/// The conversation that a recipient means on a platform: the known one, if exactly one of the
/// possible ones is known; else the recipient as it was written.
///
/// # Errors
///
/// The facts cannot be read.
pub fn choose_conversation<S: StoreFacts>(
    platform: &str,
    recipient: &str,
    facts: &RoutingFacts,
    store: &S,
) -> Result<String, S::Error> {
    let configured = facts.platforms.iter().find(|(name, _)| name == platform);
    let kind = if let Some((_, kind)) = configured {
        Some(*kind)
    } else {
        let seen = store.seen_platforms()?.iter().find(|seen| seen.platform == platform);
        seen.map(|seen| seen.kind.as_str())
    };
    let reading = kind.and_then(|kind| facts.reading(kind, recipient));
    let mut known = None;
    for conversation in reading.into_iter().flat_map(|reading| reading.conversations) {
        if conversation != recipient && store.is_known(platform, &conversation)? {
            if known.is_some() {
                return Ok(recipient.to_owned());
            }
            known = Some(conversation);
        }
    }
    Ok(known.unwrap_or_else(|| recipient.to_owned()))
}

impl RoutingFacts {
    fn reading(&self, kind: &str, recipient: &str) -> Option<RecipientReading> {
        (self.readings.0)(kind, recipient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// A store that knows these conversations and saw these platforms.
    #[derive(Default)]
    struct Known {
        conversations: Vec<(&'static str, &'static str)>,
        named: Vec<String>,
        seen: Vec<SeenPlatform>,
    }

    impl Known {
        fn conversations(conversations: &[(&'static str, &'static str)]) -> Self {
            let mut named: Vec<_> =
                conversations.iter().map(|(name, _)| (*name).to_owned()).collect();
            named.dedup();
            Self { conversations: conversations.to_vec(), named, seen: Vec::new() }
        }

        fn seen(seen: &[(&str, &str, u64)]) -> Self {
            let seen = seen.iter().map(|(platform, kind, after_seq)| SeenPlatform {
                platform: (*platform).into(),
                kind: (*kind).into(),
                after_seq: *after_seq,
            });
            Self { seen: seen.collect(), ..Self::default() }
        }
    }

    impl StoreFacts for Known {
        type Error = Infallible;

        fn seen_platforms(&self) -> Result<&[SeenPlatform], Infallible> {
            Ok(&self.seen)
        }

        fn named_platforms(&self) -> Result<&[String], Infallible> {
            Ok(&self.named)
        }

        fn is_known(&self, platform: &str, conversation: &str) -> Result<bool, Infallible> {
            Ok(self.conversations.contains(&(platform, conversation)))
        }
    }

    /// The recipient `7`, which one kind may read as a group or as a user.
    fn reading(kind: &str, _recipient: &str) -> Option<RecipientReading> {
        let (can_address, conversations): (_, &[&str]) = match kind {
            "onebot11" => (true, &["group_7", "private_7"]),
            "strict" => (false, &[]),
            "loopback" => (true, &["7"]),
            _ => return None,
        };
        let conversations = conversations.iter().map(|name| (*name).to_owned()).collect();
        Some(RecipientReading { can_address, conversations, is_fallback: kind == "loopback" })
    }

    fn facts(default: Option<&str>, platforms: &[(&str, &'static str)]) -> RoutingFacts {
        RoutingFacts {
            default_platform: default.map(str::to_owned),
            platforms: platforms.iter().map(|(p, k)| ((*p).into(), *k)).collect(),
            readings: RecipientParsers(reading),
        }
    }

    fn chosen(facts: &RoutingFacts, store: &Known, seq: u64) -> PlatformChoice {
        choose_platform("7", seq, facts, store).unwrap()
    }

    fn to(platform: &str) -> PlatformChoice {
        PlatformChoice::Platform(platform.into())
    }

    #[test]
    fn the_platform_that_knows_the_conversation_goes_first() {
        let both = facts(Some("wechat"), &[("qq", "onebot11"), ("wechat", "onebot11")]);
        let on_qq = Known::conversations(&[("qq", "group_7")]);
        assert_eq!(chosen(&both, &on_qq, 1), to("qq"));
        let on_both = Known::conversations(&[("qq", "group_7"), ("wechat", "private_7")]);
        let several = PlatformChoice::Several(vec!["qq".into(), "wechat".into()]);
        assert_eq!(chosen(&both, &on_both, 1), several);
    }

    #[test]
    fn the_default_platform_is_next_and_then_the_only_one() {
        let store = Known::default();
        let both = [("qq", "onebot11"), ("wechat", "onebot11")];
        assert_eq!(chosen(&facts(Some("wechat"), &both), &store, 1), to("wechat"));
        assert_eq!(chosen(&facts(None, &both), &store, 1), PlatformChoice::None);
        assert_eq!(chosen(&facts(None, &both[..1]), &store, 1), to("qq"));
        assert_eq!(chosen(&facts(None, &[("x", "strict")]), &store, 1), PlatformChoice::None);
        assert_eq!(chosen(&facts(None, &[]), &store, 1), PlatformChoice::None);
    }

    #[test]
    fn a_platform_that_was_seen_once_counts_while_nothing_of_it_is_connected() {
        let seen = Known::seen(&[("qq", "onebot11", 3)]);
        assert_eq!(chosen(&facts(None, &[]), &seen, 9), to("qq"));
        assert_eq!(chosen(&facts(None, &[("wechat", "onebot11")]), &seen, 9), PlatformChoice::None);
    }

    #[test]
    fn what_was_made_before_any_platform_was_seen_goes_to_the_first() {
        let seen = Known::seen(&[("qq", "onebot11", 3), ("wechat", "onebot11", 5)]);
        assert_eq!(chosen(&facts(None, &[]), &seen, 3), to("qq"));
        assert_eq!(chosen(&facts(None, &[]), &seen, 4), PlatformChoice::None);
    }

    #[test]
    fn loopback_takes_what_names_nothing_only_where_it_is_alone() {
        let loopback = ("loopback", "loopback");
        let known = Known::conversations(&[("loopback", "7")]);
        assert_eq!(chosen(&facts(None, &[loopback]), &known, 1), to("loopback"));
        assert_eq!(chosen(&facts(None, &[loopback, ("qq", "onebot11")]), &known, 1), to("qq"));
        assert_eq!(
            chosen(&facts(None, &[loopback, ("x", "strict")]), &known, 1),
            PlatformChoice::None
        );
        let seen = Known { seen: Known::seen(&[("qq", "onebot11", 0)]).seen, ..known };
        assert_eq!(chosen(&facts(None, &[loopback]), &seen, 1), to("qq"));
    }

    #[test]
    fn a_bare_number_is_the_one_conversation_that_is_known() {
        let facts = facts(None, &[("qq", "onebot11")]);
        let mut store = Known::conversations(&[("qq", "private_7")]);
        let choose = |store: &Known| choose_conversation("qq", "7", &facts, store).unwrap();
        assert_eq!(choose(&store), "private_7");
        store.conversations.push(("qq", "group_7"));
        assert_eq!(choose(&store), "7");
        assert_eq!(choose(&Known::default()), "7");
    }
}
