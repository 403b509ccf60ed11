//! Names of conversations as they are now. A message has the name from when it came, and one's own
//! message has none.

use crate::client::Client;
use crate::error::Result;
use crate::model::message::Message;
use std::collections::HashMap;

/// Gives each message the name of its conversation, so that one conversation has one name.
pub(super) async fn fill_names(client: &mut Client, messages: &mut [Message]) -> Result<()> {
    let mut names = HashMap::new();
    for message in messages {
        let key = (message.platform_or_local().to_owned(), message.recipient.clone());
        if !names.contains_key(&key) {
            let name = name_of(client, message).await?;
            names.insert(key.clone(), name);
        }
        if let Some(Some(name)) = names.get(&key) {
            message.conversation_name = Some(name.clone());
        }
    }
    Ok(())
}

/// The name of a message's conversation, where the platform told one.
pub(super) async fn name_of(client: &mut Client, message: &Message) -> Result<Option<String>> {
    let (platform, conversation) = (message.platform_or_local(), &message.recipient);
    Ok(client.conversation(platform, conversation).await?.and_then(|known| known.name))
}
