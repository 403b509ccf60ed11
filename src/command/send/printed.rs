//! A message that was made, on standard output.

use crate::client::Client;
use crate::command::names::name_of;
use crate::command::output::Output;
use crate::error::Result;
use crate::model::message::Message;
use crate::text::{reason, visible};

/// Prints the ID and the status; at a terminal also where the message goes, and `with_reason` why it
/// waits.
pub(super) async fn print(
    out: &mut Output,
    client: &mut Client,
    made: &Message,
    with_reason: bool,
) -> Result<()> {
    if !out.is_terminal {
        return out.line(format_args!("{} {}", made.id, made.status));
    }
    // The answer to a new message does not tell the platform that was chosen for it.
    let found = client.get(made.id).await;
    let message = found.as_ref().unwrap_or(made);
    let name = name_of(client, message).await.unwrap_or_default();
    let destination = destination(message, name.as_deref());
    out.line(format_args!("{} {} {destination}", message.id, message.status))?;
    match reason(message).filter(|_| with_reason) {
        Some(why) => out.line(visible(&why)),
        None => Ok(()),
    }
}

/// The conversation and the platform to which a message goes.
fn destination(message: &Message, name: Option<&str>) -> String {
    let id = visible(&message.recipient);
    let conversation = match name {
        Some(name) => format!("{} ({id})", visible(name)),
        None => id.into_owned(),
    };
    match &message.platform {
        Some(platform) => format!("to {conversation} on {}", visible(platform)),
        None => format!("to {conversation}, on no platform yet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{Draft, MessageType};

    #[test]
    fn a_destination_names_the_conversation_and_the_platform() {
        let of = |platform: Option<&str>, name| {
            let platform = platform.map(str::to_owned);
            let draft = Draft::new(MessageType::Text, "x".into(), "group_1".into(), platform);
            destination(&draft.unwrap().into_message(1, uuid::Uuid::nil(), 0), name)
        };
        assert_eq!(of(Some("qq"), Some("家人")), "to 家人 (group_1) on qq");
        assert_eq!(of(Some("qq"), None), "to group_1 on qq");
        assert_eq!(of(None, None), "to group_1, on no platform yet");
    }
}
