//! The description of a key of the configuration, for the manual page and the docs.

use std::borrow::Cow;

/// One key, as people are told of it.
#[derive(Clone, Debug)]
pub struct ConfigKey {
    /// With dots between its parts.
    pub name: &'static str,
    /// The type of its value, in words.
    pub kind: &'static str,
    /// Default, as TOML or in words; empty if the key must be set.
    pub default: &'static str,
    /// A value, as TOML.
    pub example: &'static str,
    /// Its effect; literal values stand between backticks.
    pub meaning: Cow<'static, str>,
}

impl ConfigKey {
    /// A key by its fields, in their order.
    pub const fn new(
        name: &'static str,
        kind: &'static str,
        default: &'static str,
        example: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { name, kind, default, example, meaning: Cow::Borrowed(meaning) }
    }
}
