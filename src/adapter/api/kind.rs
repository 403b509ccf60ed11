//! The description of one kind of adapter.

use super::config_key::ConfigKey;
use std::fmt;

/// One kind of adapter: its names, how it turns a recipient into a conversation, and its documentation
/// for users.
pub struct Kind {
    /// As the configuration and `GET /api/platforms` spell it.
    pub name: &'static str,
    /// As people call it.
    pub title: &'static str,
    /// The platform where neither the configuration nor the implementation names one.
    pub platform: &'static str,
    /// The paths at which implementations dial in.
    pub paths: &'static [&'static str],
    /// Whether a recipient could be a conversation of this kind at all.
    pub addresses: fn(&str) -> bool,
    /// Turns a recipient into a conversation.
    pub resolve: ResolveRecipient,
    /// Gets messages without a platform only where there is no other platform.
    pub is_fallback: bool,
    /// Its media are available for a limited time only.
    pub loses_media: bool,
    /// Advice where an account of it is not connected.
    pub advice: &'static str,
    /// The keys of an `[[adapter]]` entry that are its own.
    pub keys: &'static [ConfigKey],
}

/// Turns a recipient into a conversation; the second argument tells whether a conversation is
/// known. The error says how to write the recipient.
pub type ResolveRecipient = fn(&str, &dyn Fn(&str) -> bool) -> Result<String, String>;

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
