//! One message with everything it has, a line each.

use super::time::local_time;
use crate::command::output::Output;
use crate::error::Result;
use crate::model::message::Message;
use crate::text::escaped;

/// Prints one message.
pub(in crate::command) fn details(out: &mut Output, message: &Message) -> Result<()> {
    let time = |seconds| format!("{} ({seconds})", local_time(seconds));
    let sender =
        message.sender.as_ref().map(|s| format!("{} ({})", escaped(&s.name), escaped(&s.id)));
    let rows = [
        ("id", Some(message.id.to_string())),
        ("status", Some(message.status.to_string())),
        ("type", Some(message.message_type().to_string())),
        ("direction", Some(message.direction.to_string())),
        ("platform", Some(escaped(message.platform_or_local()))),
        ("conversation", Some(escaped(&message.recipient))),
        ("name", message.conversation_name.as_deref().map(escaped)),
        ("sender", sender),
        ("account", message.account.as_deref().map(escaped)),
        ("created", Some(time(message.created_at))),
        ("updated", Some(time(message.updated_at))),
        ("retries", Some(message.retry_count.to_string())),
        ("last error", message.last_error.as_deref().map(escaped)),
        ("waiting", message.waiting.as_deref().map(escaped)),
        ("content", Some(escaped(&message.content.readable()))),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            out.line(format_args!("{name:<13} {value}"))?;
        }
    }
    Ok(())
}
