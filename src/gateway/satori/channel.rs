//! Channels and guilds (resources/channel.md, resources/guild.md): a group is a guild with one
//! channel, both with the group's own ID, and a private conversation is `private:<person>`.

use crate::gateway::bot::ServedAccount;
use crate::gateway::conversation::{ConversationForm, person_of};
use crate::store::{Result, View};
use serde_json::{Value, json};

/// Prefix of the ID of a private channel, as other Satori servers write it.
const DIRECT: &str = "private:";

/// The channel of a conversation.
pub(super) fn id_of(conversation: &str) -> String {
    match ConversationForm::parse(conversation) {
        ConversationForm::Private(person) => format!("{DIRECT}{person}"),
        // With another prefix, the ID would be read as another kind of conversation.
        ConversationForm::Group(group) if is_of_group(group) => group.to_owned(),
        _ => conversation.to_owned(),
    }
}

/// Whether an ID is that of a group.
fn is_of_group(id: &str) -> bool {
    let is_plain = ConversationForm::parse(id) == ConversationForm::Plain(id);
    is_plain && !id.is_empty() && !id.starts_with(DIRECT)
}

/// The conversation of a channel; `None` if the ID is empty.
pub(super) fn conversation_of(
    view: &View,
    account: &ServedAccount,
    channel: &str,
) -> Result<Option<String>> {
    let form = match channel.strip_prefix(DIRECT) {
        Some(person) => ConversationForm::Private(person),
        None if is_of_group(channel) => ConversationForm::Group(channel),
        None => ConversationForm::parse(channel),
    };
    if form.is_empty() {
        return Ok(None);
    }
    let conversation = form.to_string();
    if form == ConversationForm::Group(channel) {
        // Some platforms have conversations without a prefix.
        let is_known = |name: &str| -> Result<bool> {
            Ok(view.conversation(&account.platform, name)?.is_some())
        };
        if !is_known(&conversation)? && is_known(channel)? {
            return Ok(Some(channel.to_owned()));
        }
    }
    Ok(Some(conversation))
}

/// The channel of a conversation as an object.
pub(super) fn channel(conversation: &str, name: Option<&str>) -> Value {
    let kind = i32::from(person_of(conversation).is_some());
    named(json!({"id": id_of(conversation), "type": kind}), name)
}

/// The guild of a conversation as an object; `None` if it is private.
pub(super) fn guild(conversation: &str, name: Option<&str>) -> Option<Value> {
    let is_group = person_of(conversation).is_none();
    is_group.then(|| named(json!({"id": id_of(conversation)}), name))
}

fn named(mut object: Value, name: Option<&str>) -> Value {
    if let Some(name) = name {
        object["name"] = json!(name);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_the_id_of_the_platform() {
        for (conversation, id) in [
            ("group_77", "77"),
            ("private_wxid_a", "private:wxid_a"),
            ("channel_1_2", "channel_1_2"),
            ("group_private:5", "group_private:5"),
            ("group_123@chatroom", "123@chatroom"),
            ("lobby", "lobby"),
        ] {
            assert_eq!(id_of(conversation), id);
        }
        assert_eq!(channel("private_5", None), json!({"id": "private:5", "type": 1}));
        assert_eq!(guild("private_5", None), None);
        assert_eq!(guild("group_5", Some("G")), Some(json!({"id": "5", "name": "G"})));
    }
}
