//! Messages by the beginning of their ID.

use super::listing::short;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::model::id_prefix::IdPrefix;
use crate::model::message::Message;
use crate::store::{ByPrefix, MessageFilter};
use crate::text::{readable, visible};
use uuid::Uuid;

/// Messages that are told where several have IDs that begin alike.
const MAX_LISTED: usize = 10;

/// Columns of what is told of each.
const COLUMNS: usize = 50;

/// The ID that begins so, if just one message has such; a whole ID is taken as it is.
pub(super) async fn id_of(client: &mut Client, prefix: IdPrefix) -> Result<Uuid> {
    if let Some(id) = prefix.whole() {
        return Ok(id);
    }
    let wanted = ByPrefix { prefix, before: None, newest: None, limit: MAX_LISTED + 1 };
    let found = client.by_prefix(&MessageFilter::default(), wanted).await?;
    match &found[..] {
        [] => Err(Error::failed(format!("no message has an ID that begins with {prefix}"))
            .hint("`rechat list` shows all messages")),
        [only] => Ok(only.id),
        several => Err(ambiguous(prefix, several)),
    }
}

fn ambiguous(prefix: IdPrefix, found: &[Message]) -> Error {
    let line = |message: &Message| {
        let conversation = message.conversation_name.as_ref().unwrap_or(&message.recipient);
        let text = short(&readable(message), COLUMNS);
        format!("{} {}: {text}", message.id, visible(conversation))
    };
    let mut lines: Vec<_> = found.iter().take(MAX_LISTED).map(line).collect();
    if found.len() > MAX_LISTED {
        lines.push("… and more".to_owned());
    }
    Error::usage(format!("several messages have IDs that begin with {prefix}; write more of it"))
        .hint(lines.join("\n  "))
}

/// A position in a list: an ID, the beginning of one, or a `seq`.
pub(super) async fn position(client: &mut Client, text: &str) -> Result<String> {
    let prefix = text.parse::<IdPrefix>().ok();
    let Some(prefix) = prefix.filter(|prefix| prefix.whole().is_none()) else {
        return Ok(text.to_owned());
    };
    match id_of(client, prefix).await {
        Ok(id) => Ok(id.to_string()),
        // No digits but decimal ones: a `seq`.
        Err(_) if text.parse::<u64>().is_ok() => Ok(text.to_owned()),
        Err(error) => Err(error),
    }
}
