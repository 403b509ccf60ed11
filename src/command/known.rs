//! Whether the platform and the conversation of a message are known, so that a mistake is told at
//! once and not by a message that waits for ever.

use crate::client::{Client, SERVED_PLATFORM};
use crate::error::{Error, Result};
use crate::model::message::LOCAL;
use crate::protocol::http::Conversation;
use crate::store::ConversationQuery;
use std::collections::BTreeSet;

/// The platform for trying out, on which every conversation is right.
const LOOPBACK: &str = "loopback";

/// How conversations begin that need not be known.
const PREFIXES: [&str; 3] = ["group_", "private_", "channel_"];

/// Names known to the place where messages are sent; asked for when it is first needed.
#[derive(Default)]
pub(super) struct Known {
    platforms: Option<BTreeSet<String>>,
    conversations: Option<Vec<Conversation>>,
}

impl Known {
    /// Refuses a platform that is neither configured nor was ever seen.
    pub(super) async fn check_platform(
        &mut self,
        client: &mut Client,
        platform: &str,
    ) -> Result<()> {
        if [LOCAL, SERVED_PLATFORM].contains(&platform) {
            return Ok(());
        }
        let known = match self.platforms.take() {
            Some(known) => known,
            None => client.known_platforms().await?,
        };
        let known = self.platforms.insert(known);
        if known.contains(platform) {
            return Ok(());
        }
        let names: Vec<_> = known.iter().map(String::as_str).collect();
        Err(Error::usage(format!("the platform `{platform}` is not known")).hint(format!(
            "there are: {}; --new sends to a platform that will connect later",
            names.join(", ")
        )))
    }

    /// A note on how to write a conversation that nobody knows; none where it is right. Refuses the
    /// name of a conversation: no platform would find it.
    pub(super) async fn note(
        &mut self,
        client: &mut Client,
        conversation: &str,
        platform: Option<&str>,
    ) -> Result<Option<String>> {
        let has_prefix = PREFIXES
            .iter()
            .any(|prefix| conversation.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()));
        if has_prefix || platform == Some(LOOPBACK) {
            return Ok(None);
        }
        let known = match self.conversations.take() {
            Some(known) => known,
            None => client.conversations(&ConversationQuery::default()).await?,
        };
        let known = self.conversations.insert(known);
        note(known, conversation, platform)
    }
}

fn note(
    known: &[Conversation],
    conversation: &str,
    platform: Option<&str>,
) -> Result<Option<String>> {
    // Conversations that only we have written to so far have no account.
    let seen = known.iter().filter(|one| one.account.is_some());
    let of_platform = seen.filter(|one| platform.is_none_or(|name| name == one.platform));
    if of_platform.clone().any(|one| is_id(conversation, &one.conversation)) {
        return Ok(None);
    }
    let named = of_platform.filter(|one| one.name.as_deref() == Some(conversation));
    let meant: Vec<_> =
        named.map(|one| format!("-p {} -r {}", one.platform, one.conversation)).collect();
    if !meant.is_empty() {
        let text = format!("`{conversation}` is the name of a conversation; its ID is needed");
        return Err(Error::usage(text).hint(format!("write {}", meant.join(", or "))));
    }
    let forms = if conversation.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("group_{conversation} is a group, private_{conversation} a person")
    } else {
        "a group is written group_<id>, a person private_<id>".to_owned()
    };
    let text = format!("no conversation `{conversation}` is known, and it may not exist; {forms}");
    Ok(Some(format!("note: {text}")))
}

/// Whether a text is the ID of a conversation, or the number in it.
fn is_id(text: &str, id: &str) -> bool {
    text == id || PREFIXES.iter().any(|prefix| id.strip_prefix(prefix) == Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(id: &str, name: Option<&str>, account: Option<&str>) -> Conversation {
        Conversation {
            platform: "qq".into(),
            conversation: id.into(),
            name: name.map(str::to_owned),
            account: account.map(str::to_owned),
            ..Conversation::default()
        }
    }

    #[test]
    fn a_note_says_how_to_write_a_conversation() {
        let known = [
            conversation("group_1", Some("Family"), Some("10")),
            conversation("bare", None, Some("10")),
            conversation("typo", None, None),
        ];
        let noted = |name, platform| note(&known, name, platform).unwrap().unwrap_or_default();
        assert_eq!(noted("bare", None), "");
        assert_eq!(noted("1", None), "", "the number of a group that is known");
        let refused = note(&known, "Family", Some("qq")).unwrap_err();
        assert!(refused.to_string().contains("-p qq -r group_1"), "{refused}");
        assert!(noted("Family", Some("other")).contains("private_<id>"));
        assert!(noted("123", None).contains("group_123"));
        assert!(noted("typo", None).contains("group_<id>"), "our own message makes it no better");
    }
}
