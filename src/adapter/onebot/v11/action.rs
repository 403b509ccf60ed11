//! Actions of OneBot 11 (api/public.md): what is sent, and what the answers mean.

use super::address::{Address, Id};
use super::cq;
use super::options::{GroupFile, MessageFormat, Options};
use crate::adapter::api::{Delivery, Outbound};
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::call::NoAnswer;
use crate::adapter::onebot::common::media::Source;
use crate::model::message::MessageType;
use serde::Serialize;
use std::borrow::Cow;

/// An action that sends a message.
#[derive(Debug, Serialize)]
pub(super) struct Sending<'a> {
    #[serde(skip)]
    pub(super) action: &'static str,
    #[serde(flatten)]
    address: Address<'a>,
    /// The group through which a stranger is reached, in a temporary session.
    #[serde(rename = "group_id", skip_serializing_if = "Option::is_none")]
    through: Option<Id<'a>>,
    #[serde(flatten)]
    content: Content<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Segments { message: [Segment<'a>; 1] },
    String { message: Cow<'a, str>, auto_escape: bool },
    Upload { file: Cow<'a, str>, name: Cow<'a, str> },
}

#[derive(Debug, Serialize)]
struct Segment<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Text { text: Cow<'a, str> },
    Medium { file: Cow<'a, str> },
    File { file: Cow<'a, str>, name: Cow<'a, str> },
}

impl<'a> Sending<'a> {
    /// The action for a message; the error says why it cannot be sent.
    pub(super) fn new(
        message: &'a Outbound,
        through: Option<&'a str>,
        options: &Options,
    ) -> Result<Self, String> {
        let address = Address::parse(&message.conversation).ok_or_else(|| {
            format!(
                "`{}` is no conversation of OneBot 11; write group_<id> or private_<id>",
                message.conversation
            )
        })?;
        let is_upload = message.content.message_type() == MessageType::File
            && options.group_file == GroupFile::Upload;
        let action = match (&address, is_upload) {
            (Address::Group { .. }, false) => "send_group_msg",
            (Address::Group { .. }, true) => "upload_group_file",
            (Address::Private { .. }, false) => "send_private_msg",
            (Address::Private { .. }, true) => "upload_private_file",
            (Address::Channel { .. }, _) => "send_guild_channel_msg",
        };
        let is_private = matches!(address, Address::Private { .. });
        let is_upload = is_upload && !matches!(address, Address::Channel { .. });
        let through = through.filter(|_| is_private).map(Id::new);
        let content = if is_upload {
            let source = Source::parse(address_of(message))?;
            let name = Cow::Owned(source.name().into_owned());
            Content::Upload { file: file(source), name }
        } else {
            match options.message_format {
                MessageFormat::Array => Content::Segments { message: [segment(message)?] },
                MessageFormat::String => string(message)?,
            }
        };
        Ok(Self { action, address, through, content })
    }
}

/// The content as one segment; text is never read as CQ codes.
fn segment(message: &Outbound) -> Result<Segment<'_>, String> {
    let source = || Source::parse(address_of(message));
    let medium =
        |kind| source().map(|source| Segment { kind, data: Data::Medium { file: file(source) } });
    Ok(match message.content.message_type() {
        MessageType::Text => {
            Segment { kind: "text", data: Data::Text { text: message.content.readable() } }
        }
        MessageType::Image => medium("image")?,
        MessageType::Audio => medium("record")?,
        MessageType::Video => medium("video")?,
        MessageType::File => {
            let source = source()?;
            let name = Cow::Owned(source.name().into_owned());
            Segment { kind: "file", data: Data::File { file: file(source), name } }
        }
    })
}

/// The address of the one image, file, video or audio that it is.
fn address_of(message: &Outbound) -> &str {
    message.content.media().and_then(|(_, media)| media.url.as_deref()).unwrap_or_default()
}

/// The same as a string: `auto_escape` keeps text from being read as CQ codes.
fn string(message: &Outbound) -> Result<Content<'_>, String> {
    let Segment { kind, data } = segment(message)?;
    Ok(match data {
        Data::Text { text } => Content::String { message: text, auto_escape: true },
        Data::Medium { file } => Content::String {
            message: cq::code(kind, &[("file", &file)]).into(),
            auto_escape: false,
        },
        Data::File { file, name } => Content::String {
            message: cq::code(kind, &[("file", &file), ("name", &name)]).into(),
            auto_escape: false,
        },
    })
}

/// The `file` parameter (message/segment.md, "图片").
fn file(source: Source<'_>) -> Cow<'_, str> {
    match source {
        Source::Url(url) => url,
        Source::Data { base64, .. } => format!("base64://{base64}").into(),
    }
}

/// The outcome of a sending action, from its answer or the lack of one.
///
/// The codes are those of communication/ws.md and, above 1000, of what implementations add.
pub(super) fn delivery(answer: Result<ActionResponse, NoAnswer>) -> Delivery {
    match answer {
        Ok(answer) if answer.is_too_large() => Delivery::Unknown { reason: answer.text },
        Ok(answer) if answer.is_accepted() => {
            Delivery::Sent { external_id: answer.message_id(), is_unconfirmed: answer.is_async() }
        }
        Ok(answer) => match answer.retcode {
            // A time-out inside the implementation: it may have gone out all the same.
            1200 => Delivery::Unknown { reason: answer.reason() },
            retcode => Delivery::Refused {
                reason: answer.reason(),
                retryable: !matches!(retcode, 404 | 1400 | 1404),
            },
        },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content as MessageContent;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn message(conversation: &str, message_type: MessageType, content: &str) -> Outbound {
        Outbound {
            id: Uuid::nil(),
            conversation: conversation.into(),
            content: MessageContent::of_type(message_type, content.into()),
            reply_to: None,
            created_at: 0,
        }
    }

    fn sending(message: &Outbound, options: &Options) -> (&'static str, Value) {
        let sending = Sending::new(message, None, options).unwrap();
        (sending.action, serde_json::to_value(&sending).unwrap())
    }

    #[test]
    fn text_goes_as_it_was_typed() {
        let text = message("group_123", MessageType::Text, "[CQ:at,qq=all] & <b>");
        let (action, params) = sending(&text, &Options::default());
        let segment = json!({"type": "text", "data": {"text": "[CQ:at,qq=all] & <b>"}});
        assert_eq!(action, "send_group_msg");
        assert_eq!(params, json!({"group_id": 123, "message": [segment]}));
    }

    #[test]
    fn media_go_by_url_or_bytes() {
        for (kind, content, name, file) in [
            (MessageType::Image, "https://x/a.png", "image", "https://x/a.png"),
            (MessageType::Audio, "base64://aGk=", "record", "base64://aGk="),
            (MessageType::Video, "data:video/mp4;base64,aGk=", "video", "base64://aGk="),
        ] {
            let (action, params) =
                sending(&message("private_5", kind, content), &Options::default());
            let segment = json!({"type": name, "data": {"file": file}});
            assert_eq!(action, "send_private_msg");
            assert_eq!(params, json!({"user_id": 5, "message": [segment]}));
        }
    }

    #[test]
    fn a_file_goes_as_the_implementation_wants_it() {
        let file = message("group_1", MessageType::File, "https://x/a.pdf");
        let data = json!({"file": "https://x/a.pdf", "name": "a.pdf"});
        let (_, params) = sending(&file, &Options::default());
        assert_eq!(params["message"], json!([{"type": "file", "data": data}]));
        let upload = Options { group_file: GroupFile::Upload, ..Options::default() };
        let (action, params) = sending(&file, &upload);
        assert_eq!(action, "upload_group_file");
        assert_eq!(params, json!({"group_id": 1, "file": "https://x/a.pdf", "name": "a.pdf"}));
    }

    #[test]
    fn a_string_is_for_implementations_that_know_nothing_else() {
        let string = Options { message_format: MessageFormat::String, ..Options::default() };
        let (_, params) = sending(&message("group_1", MessageType::Text, "[CQ:face]"), &string);
        assert_eq!(params, json!({"group_id": 1, "message": "[CQ:face]", "auto_escape": true}));
        let (_, params) =
            sending(&message("group_1", MessageType::Image, "http://x/?a,b"), &string);
        assert_eq!(params["message"], "[CQ:image,file=http://x/?a&#44;b]");
        assert_eq!(params["auto_escape"], false);
    }

    #[test]
    fn a_stranger_is_reached_through_the_group() {
        let text = message("private_5", MessageType::Text, "hi");
        let sending = Sending::new(&text, Some("77"), &Options::default()).unwrap();
        let params = serde_json::to_value(&sending).unwrap();
        assert_eq!((&params["user_id"], &params["group_id"]), (&json!(5), &json!(77)));
    }

    #[test]
    fn an_unknown_conversation_and_a_path_are_refused() {
        let refused = |conversation, message_type, content| {
            let message = message(conversation, message_type, content);
            Sending::new(&message, None, &Options::default()).unwrap_err()
        };
        assert!(refused("x", MessageType::Text, "hi").contains("group_<id>"));
        assert!(refused("group_1", MessageType::File, "/etc/passwd").contains("not read"));
    }

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
        let not_sent = delivery(Err(NoAnswer::NotSent("the peer does not read")));
        assert!(matches!(not_sent, Delivery::Refused { retryable: true, .. }));
    }
}
