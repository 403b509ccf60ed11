//! Actions of OneBot 11 (api/public.md): what is sent, and what the answers mean.

use super::address::{Id, OneBot11Address};
use super::compose::{Node, SendStep, StepBody, WireMessage, write};
use super::options::MessageFormat;
use crate::adapter::api::Delivery;
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::call::NoAnswer;
use crate::adapter::onebot::common::requests;
use serde::Serialize;
use serde_json::value::RawValue;

/// An action that sends a message.
#[derive(Debug, Serialize)]
pub(super) struct SendAction<'s, 'a> {
    #[serde(skip)]
    pub(super) action: &'static str,
    #[serde(flatten)]
    address: &'s OneBot11Address<'a>,
    /// The group through which a stranger is reached, in a temporary session.
    #[serde(rename = "group_id", skip_serializing_if = "Option::is_none")]
    through: Option<Id<'s>>,
    #[serde(flatten)]
    content: SentContent<'s, 'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum SentContent<'s, 'a> {
    Message(WireMessage<'s, 'a>),
    Upload { file: &'s str, name: &'s str },
    Forward { messages: &'s [Node<'a>] },
    AsMade { message: &'s RawValue },
}

impl<'s, 'a> SendAction<'s, 'a> {
    /// The action for a step of a message.
    pub(super) fn new(
        step: &'s SendStep<'a>,
        address: &'s OneBot11Address<'a>,
        through: Option<&'s str>,
        format: MessageFormat,
    ) -> Self {
        let is_private = matches!(address, OneBot11Address::Private { .. });
        let action = match (&step.body, address) {
            (StepBody::Message(_), OneBot11Address::Group { .. }) => "send_group_msg",
            (StepBody::Message(_), OneBot11Address::Private { .. }) => "send_private_msg",
            (_, OneBot11Address::Channel { .. }) => "send_guild_channel_msg",
            (StepBody::Upload { .. }, OneBot11Address::Group { .. }) => "upload_group_file",
            (StepBody::Upload { .. }, OneBot11Address::Private { .. }) => "upload_private_file",
            (StepBody::Forward(_), OneBot11Address::Group { .. }) => "send_group_forward_msg",
            (StepBody::Forward(_), OneBot11Address::Private { .. }) => "send_private_forward_msg",
        };
        let content = match &step.body {
            StepBody::Message(segments) => SentContent::Message(write(segments, format)),
            StepBody::Upload { file, name } => SentContent::Upload { file, name },
            StepBody::Forward(messages) => SentContent::Forward { messages },
        };
        Self { action, address, through: through.filter(|_| is_private).map(Id::new), content }
    }

    /// The action for a message in its own form.
    pub(super) fn as_made(
        message: &'s RawValue,
        address: &'s OneBot11Address<'a>,
        through: Option<&'s str>,
    ) -> Self {
        let is_private = matches!(address, OneBot11Address::Private { .. });
        let action = match address {
            OneBot11Address::Group { .. } => "send_group_msg",
            OneBot11Address::Private { .. } => "send_private_msg",
            OneBot11Address::Channel { .. } => "send_guild_channel_msg",
        };
        let content = SentContent::AsMade { message };
        Self { action, address, through: through.filter(|_| is_private).map(Id::new), content }
    }
}

/// Whether an implementation says by this retcode that it has no such action (communication/ws.md).
pub(super) fn is_unknown_action(retcode: i64) -> bool {
    matches!(retcode, 404 | 1404)
}

/// The outcome of a sending action, from its answer or the lack of one.
///
/// The codes are those of communication/ws.md and, above 1000, of what implementations add.
pub(super) fn delivery(answer: Result<ActionResponse, NoAnswer>) -> Delivery {
    requests::delivery(answer, |answer| match answer.retcode {
        // A time-out inside the implementation: it may have gone out all the same.
        1200 => Delivery::Unknown { reason: answer.reason() },
        retcode => Delivery::Refused {
            reason: answer.reason(),
            retryable: !matches!(retcode, 404 | 1400 | 1404),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: &str, retcode: i64, data: &str) -> ActionResponse {
        let data = serde_json::value::RawValue::from_string(data.into()).ok();
        ActionResponse { status: status.into(), retcode, data, text: "why".into() }
    }

    #[test]
    fn what_a_retcode_means() {
        let sent = |id: Option<&str>| Delivery::Sent {
            external_id: id.map(str::to_owned),
            is_unconfirmed: false,
        };
        assert_eq!(delivery(Ok(answer("ok", 0, "{\"message_id\":-7}"))), sent(Some("-7")));
        assert_eq!(delivery(Ok(answer("ok", 0, "{\"message_id\":\"7\"}"))), sent(Some("7")));
        assert_eq!(delivery(Ok(answer("ok", 0, "{\"message_id\":0}"))), sent(None));
        let queued = Delivery::Sent { external_id: None, is_unconfirmed: true };
        assert_eq!(delivery(Ok(answer("async", 1, "null"))), queued);
        for retcode in [404, 1400, 1404] {
            let refused = delivery(Ok(answer("failed", retcode, "null")));
            assert!(matches!(refused, Delivery::Refused { retryable: false, .. }), "{retcode}");
        }
        for retcode in [-1, 100, 103, 1401, 1500] {
            let refused = delivery(Ok(answer("failed", retcode, "null")));
            assert!(matches!(refused, Delivery::Refused { retryable: true, .. }), "{retcode}");
        }
        assert!(matches!(delivery(Ok(answer("failed", 1200, "null"))), Delivery::Unknown { .. }));
        assert!(matches!(delivery(Err(NoAnswer::Lost)), Delivery::Unknown { .. }));
        let not_sent = delivery(Err(NoAnswer::NotSent("the implementation does not read")));
        assert!(matches!(not_sent, Delivery::Refused { retryable: true, .. }));
        let busy = delivery(Err(NoAnswer::Busy));
        assert!(matches!(busy, Delivery::Refused { retryable: true, .. }), "it was not sent");
    }
}
