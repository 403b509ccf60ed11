//! The conversations of OneBot 12: `group_<id>`, `private_<id>`, `channel_<guild>_<channel>`.

use crate::adapter::onebot::common::channel;
use crate::adapter::onebot::common::recipient::resolve_bare;
use serde::Serialize;
use std::borrow::Cow;

/// The recipient of a message, as `send_message` wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "detail_type", rename_all = "snake_case")]
pub(super) enum OneBot12Address<'a> {
    Group { group_id: &'a str },
    Private { user_id: &'a str },
    Channel { guild_id: Cow<'a, str>, channel_id: Cow<'a, str> },
}

impl<'a> OneBot12Address<'a> {
    /// Reads a conversation.
    pub(super) fn parse(conversation: &'a str) -> Option<Self> {
        let (kind, id) = conversation.split_once('_').filter(|(_, id)| !id.is_empty())?;
        match kind {
            "group" => Some(Self::Group { group_id: id }),
            "private" => Some(Self::Private { user_id: id }),
            "channel" => {
                let (guild_id, channel_id) = channel::parse(id)?;
                Some(Self::Channel { guild_id, channel_id })
            }
            _ => None,
        }
    }

    /// Writes the conversation.
    pub(super) fn conversation(&self) -> String {
        match self {
            Self::Group { group_id } => format!("group_{group_id}"),
            Self::Private { user_id } => format!("private_{user_id}"),
            Self::Channel { guild_id, channel_id } => channel::conversation(guild_id, channel_id),
        }
    }
}

/// Whether a recipient could be a conversation here: IDs are any text, so all but nothing can.
pub(super) fn addresses(recipient: &str) -> bool {
    !recipient.is_empty()
}

/// Turns a recipient into a conversation; a bare ID into the one that is known of it.
pub(super) fn resolve(recipient: &str, is_known: &dyn Fn(&str) -> bool) -> Result<String, String> {
    if OneBot12Address::parse(recipient).is_some() {
        return Ok(recipient.to_owned());
    }
    resolve_bare(recipient, is_known, Some("channel_<guild>_<channel>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_any_text() {
        let room = OneBot12Address::parse("group_123@chatroom");
        assert_eq!(room, Some(OneBot12Address::Group { group_id: "123@chatroom" }));
        let user = OneBot12Address::parse("private_wxid_abc");
        assert_eq!(user, Some(OneBot12Address::Private { user_id: "wxid_abc" }));
        assert_eq!(OneBot12Address::parse("channel_1"), None);
        assert_eq!(OneBot12Address::parse("channel_1_2_3"), None);
        assert_eq!(OneBot12Address::parse("wxid_abc"), None);
    }

    #[test]
    fn a_bare_id_is_never_guessed() {
        let known = |conversation: &str| conversation == "private_wxid_abc";
        assert_eq!(resolve("wxid_abc", &known), Ok("private_wxid_abc".into()));
        assert!(resolve("wxid_x", &known).unwrap_err().contains("private_wxid_x"));
        assert!(resolve("1", &|_| true).unwrap_err().contains("group_1 or private_1"));
    }
}
