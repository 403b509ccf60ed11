//! Actions of OneBot 12: what is sent, and what the answers mean.

use super::address::Address;
use crate::adapter::api::Delivery;
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::call::NoAnswer;
use crate::adapter::onebot::common::media::Source;
use crate::model::message::MessageType;
use serde::Serialize;
use std::borrow::Cow;

/// The parameters of `send_message` (interface/message/actions.md).
///
/// One segment a message: some implementations send each as a message of its own.
#[derive(Debug, Serialize)]
pub(super) struct SendMessage<'a> {
    #[serde(flatten)]
    pub(super) address: Address<'a>,
    pub(super) message: [Segment<'a>; 1],
}

/// A segment we send (interface/message/segments.md).
#[derive(Debug, Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub(super) enum Segment<'a> {
    Text { text: &'a str },
    Image { file_id: &'a str },
    Audio { file_id: &'a str },
    Video { file_id: &'a str },
    File { file_id: &'a str },
}

impl<'a> Segment<'a> {
    /// The segment for content of a type; a medium by the ID of its file.
    pub(super) fn new(message_type: MessageType, content: &'a str) -> Self {
        match message_type {
            MessageType::Text => Self::Text { text: content },
            MessageType::Image => Self::Image { file_id: content },
            MessageType::Audio => Self::Audio { file_id: content },
            MessageType::Video => Self::Video { file_id: content },
            MessageType::File => Self::File { file_id: content },
        }
    }
}

/// The parameters of `upload_file` (interface/file/actions.md).
#[derive(Debug, Serialize)]
pub(super) struct UploadFile<'a> {
    name: Cow<'a, str>,
    #[serde(flatten)]
    source: UploadSource<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum UploadSource<'a> {
    Url { url: &'a str },
    Data { data: &'a str },
}

impl<'a> UploadFile<'a> {
    /// The upload of a source.
    pub(super) fn new(source: &'a Source<'a>) -> Self {
        let upload = match source {
            Source::Url(url) => UploadSource::Url { url },
            Source::Data { base64, .. } => UploadSource::Data { data: base64 },
        };
        Self { name: source.name(), source: upload }
    }
}

/// The outcome of `send_message`, from its answer or the lack of one.
pub(super) fn delivery(answer: Result<ActionResponse, NoAnswer>) -> Delivery {
    match answer {
        // ComWeChatBotClient answers whether it went, and never with an ID.
        Ok(answer) if answer.is_accepted() && answer.data::<bool>() == Some(false) => {
            let reason = "the implementation could not send it".into();
            Delivery::Refused { reason, retryable: true }
        }
        Ok(answer) if answer.is_too_large() => Delivery::Unknown { reason: answer.text },
        Ok(answer) if answer.is_accepted() => {
            Delivery::Sent { external_id: answer.message_id(), is_unconfirmed: answer.is_async() }
        }
        Ok(answer) => refusal(&answer),
        Err(NoAnswer::NotSent(reason)) => {
            Delivery::Refused { reason: reason.into(), retryable: true }
        }
        Err(refused @ NoAnswer::TooLarge) => {
            Delivery::Refused { reason: refused.to_string(), retryable: false }
        }
        Err(lost @ (NoAnswer::Silent(_) | NoAnswer::Lost)) => {
            Delivery::Unknown { reason: lost.to_string() }
        }
    }
}

/// The outcome of a message whose upload failed: it never went out.
pub(super) fn upload_failed(answer: &Result<ActionResponse, NoAnswer>) -> Delivery {
    let (reason, retryable) = match answer {
        Ok(answer) => (answer.reason(), retryable(answer.retcode)),
        Err(no_answer) => (no_answer.to_string(), *no_answer != NoAnswer::TooLarge),
    };
    Delivery::Refused { reason: format!("the file could not be uploaded: {reason}"), retryable }
}

fn refusal(answer: &ActionResponse) -> Delivery {
    match answer.retcode {
        // The handler broke down, perhaps after it had sent the message.
        20_000..=29_999 => Delivery::Unknown { reason: answer.reason() },
        retcode => Delivery::Refused { reason: answer.reason(), retryable: retryable(retcode) },
    }
}

/// Whether trying again can help (data-protocol/action-response.md, "返回码"): not where the
/// request is wrong, the platform forbids it or it makes no sense.
fn retryable(retcode: i64) -> bool {
    !matches!(retcode, 10_000..=19_999 | 34_000..=35_999)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;
    use serde_json::{json, to_value};

    #[test]
    fn a_message_is_one_segment_to_an_address() {
        let message = SendMessage {
            address: Address::parse("channel_1%5F_2").unwrap(),
            message: [Segment::new(MessageType::Text, "hi")],
        };
        let segment = json!({"type": "text", "data": {"text": "hi"}});
        let expected = json!({
            "detail_type": "channel", "guild_id": "1_", "channel_id": "2", "message": [segment]
        });
        assert_eq!(to_value(&message).unwrap(), expected);
        let image = Segment::new(MessageType::Image, "f");
        assert_eq!(to_value(image).unwrap(), json!({"type": "image", "data": {"file_id": "f"}}));
    }

    #[test]
    fn a_file_is_uploaded_by_url_or_data() {
        for (content, expected) in [
            ("https://x/a.png", json!({"type": "url", "name": "a.png", "url": "https://x/a.png"})),
            ("base64://aGk=", json!({"type": "data", "name": "file", "data": "aGk="})),
        ] {
            let source = Source::parse(content).unwrap();
            assert_eq!(to_value(UploadFile::new(&source)).unwrap(), expected);
        }
    }

    fn answer(status: &str, retcode: i64, data: &str) -> ActionResponse {
        let data = RawValue::from_string(data.into()).ok();
        ActionResponse { status: status.into(), retcode, data, text: String::new() }
    }

    #[test]
    fn what_a_retcode_means() {
        let sent = |id: Option<&str>| Delivery::Sent {
            external_id: id.map(str::to_owned),
            is_unconfirmed: false,
        };
        assert_eq!(delivery(Ok(answer("ok", 0, "{\"message_id\":\"m1\"}"))), sent(Some("m1")));
        assert_eq!(delivery(Ok(answer("ok", 0, "true"))), sent(None));
        assert_eq!(delivery(Ok(answer("ok", 0, "null"))), sent(None));
        for (retcode, expected) in [
            (10_001, false),
            (10_102, false),
            (31_000, true),
            (33_001, true),
            (34_001, false),
            (35_999, false),
            (36_000, true),
            (60_001, true),
        ] {
            let refused = delivery(Ok(answer("failed", retcode, "null")));
            let Delivery::Refused { retryable, .. } = refused else {
                panic!("{retcode}: {refused:?}")
            };
            assert_eq!(retryable, expected, "{retcode}");
        }
        assert!(matches!(delivery(Ok(answer("failed", 20_002, "null"))), Delivery::Unknown { .. }));
        let not_gone = delivery(Ok(answer("ok", 0, "false")));
        assert!(matches!(not_gone, Delivery::Refused { retryable: true, .. }));
        assert!(matches!(delivery(Err(NoAnswer::Lost)), Delivery::Unknown { .. }));
    }

    #[test]
    fn a_message_whose_file_was_not_taken_never_went_out() {
        let silent = Err(NoAnswer::Lost);
        assert!(matches!(upload_failed(&silent), Delivery::Refused { retryable: true, .. }));
        let unsupported = Ok(answer("failed", 10_002, "null"));
        assert!(matches!(upload_failed(&unsupported), Delivery::Refused { retryable: false, .. }));
    }
}
