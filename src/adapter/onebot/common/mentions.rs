//! The names of people whom messages mention.

use super::names::Names;
use crate::adapter::api::MessageRef;
use crate::model::inbound::Inbound;

/// People whose names one message has asked for.
const MAX_ASKED_FOR: usize = 32;

/// The key of a person's name in a conversation.
pub(in crate::adapter::onebot) fn person_key(conversation: &str, user: &str) -> String {
    format!("{conversation} {user}")
}

/// Names the people whom a message mentions, as far as they are known; returns others, who are to be
/// asked for.
pub(in crate::adapter::onebot) fn name_mentions(
    inbound: &mut Inbound,
    people: &Names,
) -> Vec<String> {
    let mut unknown = Vec::new();
    for user in inbound.content.unnamed_mentions() {
        let key = person_key(&inbound.conversation, &user);
        match people.get(&key) {
            Some(name) => {
                if let Some(named) = inbound.content.with_mention_named(&user, &name) {
                    inbound.content = named;
                }
            }
            None if people.is_open(&key) => unknown.push(user),
            None => {}
        }
    }
    unknown.truncate(MAX_ASKED_FOR);
    unknown
}

/// A message by its platform's ID, for what becomes known of it later.
pub(in crate::adapter::onebot) fn message_of(inbound: &Inbound) -> MessageRef {
    MessageRef {
        account: inbound.account.clone(),
        platform: inbound.platform.clone(),
        conversation: inbound.conversation.clone(),
        external_id: inbound.external_id.clone(),
    }
}
