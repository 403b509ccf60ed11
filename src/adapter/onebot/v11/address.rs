//! The conversations of OneBot 11: `group_<id>` and `private_<id>`, and the channels that go-cqhttp
//! added: `channel_<guild>_<channel>`.

use crate::adapter::onebot::common::channel;
use crate::adapter::onebot::common::recipient::resolve_bare;
use serde::Serialize;
use std::borrow::Cow;

/// The recipient of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum OneBot11Address<'a> {
    Group { group_id: Id<'a> },
    Private { user_id: Id<'a> },
    Channel { guild_id: Cow<'a, str>, channel_id: Cow<'a, str> },
}

/// An ID as an action wants it: a number, unless it is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Id<'a> {
    Number(i64),
    Text(&'a str),
}

impl<'a> Id<'a> {
    pub(super) fn new(id: &'a str) -> Self {
        id.parse().map_or(Self::Text(id), Self::Number)
    }
}

impl<'a> OneBot11Address<'a> {
    /// Reads a conversation.
    pub(super) fn parse(conversation: &'a str) -> Option<Self> {
        let (kind, id) = conversation.split_once('_').filter(|(_, id)| !id.is_empty())?;
        match kind {
            "group" => Some(Self::Group { group_id: Id::new(id) }),
            "private" => Some(Self::Private { user_id: Id::new(id) }),
            "channel" => {
                let (guild_id, channel_id) = channel::parse(id)?;
                Some(Self::Channel { guild_id, channel_id })
            }
            _ => None,
        }
    }
}

/// Whether a recipient could be a conversation here: a bare number can.
pub(super) fn addresses(recipient: &str) -> bool {
    is_number(recipient) || OneBot11Address::parse(recipient).is_some()
}

fn is_number(recipient: &str) -> bool {
    !recipient.is_empty() && recipient.bytes().all(|byte| byte.is_ascii_digit())
}

/// Turns a recipient into a conversation; a bare number into the one that is known of it.
pub(super) fn resolve(recipient: &str, is_known: &dyn Fn(&str) -> bool) -> Result<String, String> {
    match OneBot11Address::parse(recipient) {
        // Some programs for other platforms give IDs that are no numbers.
        Some(
            OneBot11Address::Group { group_id: Id::Text(_) }
            | OneBot11Address::Private { user_id: Id::Text(_) },
        ) if !is_known(recipient) => {
            return Err(format!(
                "`{recipient}` is no conversation of OneBot 11; the ID behind the prefix is a number"
            ));
        }
        Some(_) => return Ok(recipient.to_owned()),
        None => {}
    }
    if !is_number(recipient) {
        return Err(format!(
            "`{recipient}` is no conversation of OneBot 11; write group_<id> or private_<id>"
        ));
    }
    resolve_bare(recipient, is_known, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_says_what_it_is() {
        assert_eq!(resolve("group_1", &|_| false), Ok("group_1".into()));
        for wrong in ["group_trial", "private_alice"] {
            assert!(resolve(wrong, &|_| false).unwrap_err().contains("is a number"), "{wrong}");
            assert_eq!(resolve(wrong, &|_| true), Ok(wrong.into()), "it wrote here");
        }
        assert_eq!(
            OneBot11Address::parse("private_-5"),
            Some(OneBot11Address::Private { user_id: Id::Number(-5) })
        );
        assert_eq!(
            OneBot11Address::parse("group_x"),
            Some(OneBot11Address::Group { group_id: Id::Text("x") })
        );
        assert_eq!(OneBot11Address::parse("group_"), None);
        assert_eq!(OneBot11Address::parse("channel_1"), None);
        let channel = OneBot11Address::Channel { guild_id: "1".into(), channel_id: "2".into() };
        assert_eq!(OneBot11Address::parse("channel_1_2"), Some(channel));
    }

    #[test]
    fn a_bare_number_is_never_guessed() {
        assert_eq!(resolve("1", &|known| known == "group_1"), Ok("group_1".into()));
        assert_eq!(resolve("1", &|known| known == "private_1"), Ok("private_1".into()));
        for is_known in [true, false] {
            let error = resolve("1", &|_| is_known).unwrap_err();
            assert!(error.contains("group_1") && error.contains("private_1"), "{error}");
        }
        assert!(resolve("alice", &|_| true).unwrap_err().contains("group_<id>"));
    }

    #[test]
    fn what_could_be_a_conversation() {
        assert!(addresses("123") && addresses("group_1") && addresses("private_1"));
        assert!(addresses("channel_1_2"));
        assert!(!addresses("alice") && !addresses("") && !addresses("channel_1"));
    }
}
