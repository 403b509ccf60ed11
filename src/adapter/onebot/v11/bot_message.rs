//! Messages of OneBot 11 as bots write and read them (message/array.md, message/string.md).

use super::cq;
use super::options::MessageFormat;
use super::reading;
use crate::adapter::onebot::common::parts::MessageReading;
use crate::adapter::onebot::common::segment::WireSegment;
use crate::model::content::Content;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

/// A message that a bot wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotMessage {
    /// Its content in our words.
    pub content: Content,
    /// The ID of the message that it answers.
    pub reply_to: Option<String>,
    /// The message as it was written, as JSON: segments, or a string with CQ codes.
    pub original: String,
}

impl BotMessage {
    /// Reads a message that is to be sent by an account, with the bytes of its files. `auto_escape`
    /// says that a string is plain text (api/public.md).
    ///
    /// # Errors
    ///
    /// The message is none; the text says what is wrong with it.
    pub fn read(message: &RawValue, auto_escape: bool, account: &str) -> Result<Self, String> {
        let plain;
        let message = match serde_json::from_str::<String>(message.get()) {
            Ok(text) if auto_escape => {
                let segments = json!([{"type": "text", "data": {"text": text}}]);
                plain = to_raw_value(&segments).map_err(|error| error.to_string())?;
                &*plain
            }
            _ => message,
        };
        let says_nothing = matches!(message.get(), "null" | "\"\"" | "[]");
        if says_nothing || !message.get().starts_with(['[', '{', '"']) {
            return Err("`message` is empty; give a text or a list of segments".into());
        }
        let is_me = |user: &str| user == account;
        let MessageReading { content, reply_to, .. } = reading::read_with_bytes(message, &is_me);
        let reply_to = reply_to.and_then(|reply_to| reply_to.external_id);
        Ok(Self { content, reply_to, original: message.get().to_owned() })
    }
}

/// A message as the implementation takes it: strings are for those that know nothing else.
pub(super) fn as_made(original: &str, format: MessageFormat) -> serde_json::Result<Box<RawValue>> {
    match format {
        MessageFormat::String if !original.starts_with('"') => {
            to_raw_value(&cq_of_segments(original))
        }
        _ => serde_json::from_str(original),
    }
}

/// A string with CQ codes, as a list of segments in JSON.
pub fn segments_of_cq(string: &str) -> Value {
    let segments = cq::parse(string);
    Value::Array(segments.iter().map(WireSegment::to_json).collect())
}

/// A list of segments in JSON, as a string with CQ codes.
pub fn cq_of_segments(segments: &str) -> String {
    let segments = match serde_json::from_str(segments) {
        Ok(Value::Array(segments)) => segments,
        Ok(segment) => vec![segment],
        Err(_) => Vec::new(),
    };
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let none = Map::new();
    let code = |segment: &Value| {
        let kind = segment["type"].as_str().unwrap_or_default();
        let data = segment["data"].as_object().unwrap_or(&none);
        if kind == "text" {
            return cq::text(&data.get("text").and_then(scalar).unwrap_or_default());
        }
        let data: Vec<_> =
            data.iter().filter_map(|(key, value)| Some((&**key, scalar(value)?))).collect();
        cq::code(kind, data.iter().map(|(key, value)| (*key, &**value)))
    };
    segments.iter().map(code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(message: &Value, auto_escape: bool) -> Result<BotMessage, String> {
        BotMessage::read(&to_raw_value(message).unwrap(), auto_escape, "1")
    }

    #[test]
    fn what_a_bot_writes_is_read_and_kept_as_it_is() {
        let message = json!([
            {"type": "reply", "data": {"id": 9_007_199_254_740_993_i64}},
            {"type": "text", "data": {"text": "hi"}},
            {"type": "image", "data": {"type": null, "file": "base64://aGk=", "cache": "true"}},
        ]);
        let written = read(&message, false).unwrap();
        assert_eq!(written.original, message.to_string());
        assert_eq!(written.reply_to.as_deref(), Some("9007199254740993"));
        assert_eq!(written.content.readable(), "hi [image]");
        let segments = written.content.to_segments();
        let url = segments[1].media().and_then(|media| media.url.as_deref());
        assert_eq!(url, Some("base64://aGk="));
    }

    #[test]
    fn a_string_is_codes_unless_it_says_otherwise() {
        let message = json!("[CQ:at,qq=5] hi");
        assert_eq!(read(&message, false).unwrap().content.readable(), "@5 hi");
        let plain = read(&message, true).unwrap();
        assert_eq!(plain.content.readable(), "[CQ:at,qq=5] hi");
        assert!(plain.original.starts_with('['));
        for nothing in [json!(""), json!([]), json!(null), json!(5)] {
            assert!(read(&nothing, false).is_err(), "{nothing}");
        }
    }

    #[test]
    fn strings_and_arrays_become_each_other() {
        let array = json!([
            {"type": "at", "data": {"qq": "5"}},
            {"type": "text", "data": {"text": " [a], & b"}},
        ]);
        let string = "[CQ:at,qq=5] &#91;a&#93;, &amp; b";
        assert_eq!(cq_of_segments(&array.to_string()), string);
        assert_eq!(segments_of_cq(string), array);
    }

    proptest! {
        #[test]
        fn a_string_says_the_same_as_the_array(
            all in prop::collection::vec(
                (".{1,8}", "x[a-z_]{0,7}", prop::collection::btree_map("[a-z_]{1,6}", ".{0,8}", 0..4)),
                1..5,
            ),
        ) {
            let array = all.into_iter().flat_map(|(text, kind, data)| {
                [json!({"type": "text", "data": {"text": text}}), json!({"type": kind, "data": data})]
            });
            let array = Value::Array(array.collect());
            prop_assert_eq!(segments_of_cq(&cq_of_segments(&array.to_string())), array);
        }
    }
}
