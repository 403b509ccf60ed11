//! Actions of OneBot 12: what is sent, and what the answers mean.

use super::address::OneBot12Address;
use crate::adapter::api::Delivery;
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::call::NoAnswer;
use crate::adapter::onebot::common::media::ByteSource;
use crate::adapter::onebot::common::requests;
use crate::model::content::{Media, Segment};
use serde::Serialize;
use std::borrow::Cow;

/// The parameters of `send_message` (interface/message/actions.md).
#[derive(Debug, Serialize)]
pub(super) struct SendMessageParameters<'a> {
    #[serde(flatten)]
    pub(super) address: OneBot12Address<'a>,
    pub(super) message: Vec<OneBot12Segment<'a>>,
}

/// A segment that is sent (interface/message/segments.md).
#[derive(Debug, Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub(super) enum OneBot12Segment<'a> {
    Text { text: Cow<'a, str> },
    Mention { user_id: &'a str },
    MentionAll {},
    Reply { message_id: &'a str },
    Location { latitude: f64, longitude: f64, title: &'a str, content: &'a str },
    Image { file_id: String },
    Audio { file_id: String },
    Video { file_id: String },
    File { file_id: String },
}

impl<'a> OneBot12Segment<'a> {
    /// The segment for one of a message that is no file; what has no form goes as its words.
    pub(super) fn new(segment: &'a Segment) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().unwrap_or_default();
        match segment {
            Segment::Text { text } => Self::Text { text: text.into() },
            Segment::Mention { user, .. } => Self::Mention { user_id: user },
            Segment::MentionAll {} => Self::MentionAll {},
            Segment::Location { latitude, longitude, title, address } => Self::Location {
                latitude: *latitude,
                longitude: *longitude,
                title: text(title),
                content: text(address),
            },
            other => Self::Text { text: other.full_text().into() },
        }
    }

    /// The segment for a file that was uploaded.
    pub(super) fn file(segment: &Segment, file_id: String) -> Self {
        match segment {
            Segment::Image(_) => Self::Image { file_id },
            Segment::Audio(_) => Self::Audio { file_id },
            Segment::Video(_) => Self::Video { file_id },
            _ => Self::File { file_id },
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
    Path { path: &'a str },
    Data { data: &'a str },
}

impl<'a> UploadFile<'a> {
    /// The upload of a source, under the name of its file.
    pub(super) fn new(source: &'a ByteSource<'a>, media: &'a Media) -> Self {
        let upload = match source {
            ByteSource::Url(url) => UploadSource::Url { url },
            ByteSource::Path(path) => UploadSource::Path { path },
            ByteSource::Data { base64, .. } => UploadSource::Data { data: base64 },
        };
        Self { name: name_of(source, media), source: upload }
    }
}

/// The name of a file that is uploaded.
pub(super) fn name_of<'a>(source: &'a ByteSource<'a>, media: &'a Media) -> Cow<'a, str> {
    media.name.as_deref().map_or_else(|| source.name(), Cow::Borrowed)
}

/// The outcome of `send_message`, from its answer or the lack of one.
pub(super) fn delivery(answer: Result<ActionResponse, NoAnswer>) -> Delivery {
    match answer {
        // ComWeChatBotClient answers whether it went, and never with an ID.
        Ok(answer) if answer.is_accepted() && answer.data::<bool>() == Some(false) => {
            let reason = "the implementation could not send it".into();
            Delivery::Refused { reason, retryable: true }
        }
        answer => requests::delivery(answer, refusal),
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
    fn a_message_goes_to_an_address() {
        let text = Segment::Text { text: "hi".into() };
        let message = SendMessageParameters {
            address: OneBot12Address::parse("channel_1%5F_2").unwrap(),
            message: vec![OneBot12Segment::new(&text)],
        };
        let segment = json!({"type": "text", "data": {"text": "hi"}});
        let expected = json!({
            "detail_type": "channel", "guild_id": "1_", "channel_id": "2", "message": [segment]
        });
        assert_eq!(to_value(&message).unwrap(), expected);
    }

    #[test]
    fn each_segment_has_its_form_else_words() {
        let sent = |segment| to_value(OneBot12Segment::new(&segment)).unwrap();
        let mention = Segment::Mention { user: "7".into(), name: Some("Ann".into()), me: false };
        assert_eq!(sent(mention), json!({"type": "mention", "data": {"user_id": "7"}}));
        assert_eq!(sent(Segment::MentionAll {}), json!({"type": "mention_all", "data": {}}));
        let (title, address) = (Some("广场".to_owned()), None);
        let place = Segment::Location { latitude: 1.5, longitude: 2.0, title, address };
        let data = json!({"latitude": 1.5, "longitude": 2.0, "title": "广场", "content": ""});
        assert_eq!(sent(place), json!({"type": "location", "data": data}));
        let face = Segment::Emoji { name: Some("微笑".into()), id: Some("14".into()), url: None };
        assert_eq!(sent(face), json!({"type": "text", "data": {"text": "[微笑]"}}));
        let image = OneBot12Segment::file(&Segment::Image(Media::default()), "f".into());
        assert_eq!(to_value(image).unwrap(), json!({"type": "image", "data": {"file_id": "f"}}));
    }

    #[test]
    fn a_file_is_uploaded_by_url_or_data() {
        for (content, expected) in [
            ("https://x/a.png", json!({"type": "url", "name": "a.png", "url": "https://x/a.png"})),
            ("base64://aGk=", json!({"type": "data", "name": "file", "data": "aGk="})),
        ] {
            let source = ByteSource::parse(content).unwrap();
            assert_eq!(to_value(UploadFile::new(&source, &Media::default())).unwrap(), expected);
        }
        let named = Media { name: Some("季度.pdf".into()), ..Media::default() };
        let source = ByteSource::parse("https://x/a.png").unwrap();
        assert_eq!(to_value(UploadFile::new(&source, &named)).unwrap()["name"], "季度.pdf");
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
