//! Agents that speak the Model Context Protocol: what they see, and whether they may write
//! (contract, item 37).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::num::NonZeroU32;
use wildmatch::WildMatch;

/// Rights and limits of agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct McpSettings {
    /// Whether they may send messages.
    pub send: AgentSending,
    /// Conversations that they see and may write to.
    pub conversations: Vec<Pattern>,
    /// Conversations that they do not see, though `conversations` has them.
    pub hide: Vec<Pattern>,
    /// Calls of tools and reads of resources a minute, of all agents together.
    pub calls_per_minute: NonZeroU32,
    /// Messages a minute that they may send, all of them together.
    pub sends_per_minute: NonZeroU32,
}

/// Whether agents may send messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentSending {
    /// The tools for it do not exist.
    #[default]
    Off,
    /// Agents may send to the conversations that they see.
    Allow,
}

/// A pattern of conversations: `platform/conversation`, where `*` stands for any text and `?` for
/// one character.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    platform: WildMatch,
    conversation: WildMatch,
    text: String,
}

impl Default for McpSettings {
    fn default() -> Self {
        let any = |text| Pattern::parse(text).into_iter().collect();
        Self {
            send: AgentSending::Off,
            conversations: any("*/*"),
            hide: Vec::new(),
            calls_per_minute: NonZeroU32::new(120).unwrap_or(NonZeroU32::MIN),
            sends_per_minute: NonZeroU32::new(10).unwrap_or(NonZeroU32::MIN),
        }
    }
}

impl McpSettings {
    /// Whether agents see a conversation.
    pub fn shows(&self, platform: &str, conversation: &str) -> bool {
        let is_one_of = |patterns: &[Pattern]| {
            patterns.iter().any(|pattern| pattern.matches(platform, conversation))
        };
        is_one_of(&self.conversations) && !is_one_of(&self.hide)
    }

    /// Whether there is no conversation that agents do not see, as far as the patterns tell at once.
    pub fn shows_everything(&self) -> bool {
        self.hide.is_empty() && self.conversations.iter().any(|pattern| pattern.text == "*/*")
    }

    /// Whether agents may see any conversation of a platform.
    pub fn shows_platform(&self, platform: &str) -> bool {
        let hides =
            |pattern: &Pattern| pattern.platform.matches(platform) && pattern.text.ends_with("/*");
        self.conversations.iter().any(|pattern| pattern.platform.matches(platform))
            && !self.hide.iter().any(hides)
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (platform, conversation) = text.split_once('/')?;
        let is_whole = !platform.is_empty() && !conversation.is_empty();
        is_whole.then(|| Self {
            platform: WildMatch::new(platform),
            conversation: WildMatch::new(conversation),
            text: text.to_owned(),
        })
    }

    fn matches(&self, platform: &str, conversation: &str) -> bool {
        self.platform.matches(platform) && self.conversation.matches(conversation)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| {
            let error =
                format!("{text:?} is no pattern; write `platform/conversation`, such as \"qq/*\"");
            serde::de::Error::custom(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mcp(text: &str) -> McpSettings {
        toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn everything_is_shown_and_nothing_sent_unless_it_is_configured() {
        let mcp = mcp("");
        assert!(mcp.shows("qq", "group_1") && mcp.shows("wechat", "private_a/b"));
        assert!(mcp.shows_everything() && !self::mcp("hide = ['qq/group_13']").shows_everything());
        assert_eq!(mcp.send, AgentSending::Off);
    }

    #[test]
    fn hide_goes_before_conversations() {
        let mcp = mcp("conversations = ['qq/group_*', 'wechat/private_?']\nhide = ['*/group_13']");
        assert!(mcp.shows("qq", "group_1") && mcp.shows("wechat", "private_a"));
        for (platform, conversation) in [
            ("qq", "group_13"),
            ("qq", "private_1"),
            ("wechat", "private_ab"),
            ("wechat", "group_1"),
            ("QQ", "group_1"),
            ("qq/group_1", "x"),
        ] {
            assert!(!mcp.shows(platform, conversation), "{platform}/{conversation}");
        }
        assert!(!self::mcp("conversations = []").shows("qq", "group_1"));
        assert!(mcp.shows_platform("qq") && !mcp.shows_platform("telegram"));
        let hidden = self::mcp("hide = ['qq/*', 'wechat/private_*']");
        assert!(!hidden.shows_platform("qq") && hidden.shows_platform("wechat"));
    }

    #[test]
    fn a_pattern_names_platform_and_conversation() {
        for wrong in ["group_1", "/group_1", "qq/", ""] {
            let error = toml::from_str::<McpSettings>(&format!("hide = ['{wrong}']")).unwrap_err();
            assert!(error.to_string().contains("platform/conversation"), "{error}");
        }
        let written = toml::to_string(&mcp("hide = ['qq/*']")).unwrap();
        assert!(written.contains("hide = [\"qq/*\"]"), "{written}");
    }
}
