//! Arguments of the tools.

mod checks;
mod reading;
mod sending;

pub(super) use reading::{
    AskedPart, GetMessage, ListConversations, ReadMessages, SearchMessages, WaitForMessages,
};
pub(super) use sending::{Reply, SendMessage, Sending};

use super::data::unescaped;
use crate::error::{Error, Result};
use crate::text::without_type_names;
use rmcp::model::JsonObject;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Arguments that an agent may pass back in the escaped form of an answer.
const NAMES: [&str; 3] = ["platform", "conversation", "sender"];

/// Reads the arguments of a call; the error names the field.
pub(super) fn parse<T: DeserializeOwned>(arguments: Option<JsonObject>) -> Result<T> {
    let mut arguments = arguments.unwrap_or_default();
    for name in NAMES {
        if let Some(Value::String(text)) = arguments.get_mut(name) {
            *text = unescaped(text).into_owned();
        }
    }
    let arguments = Value::Object(arguments);
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let path = error.path().to_string();
        let what = without_value(error.inner());
        Error::failed(match path.as_str() {
            "." => format!("the arguments do not fit: {what}"),
            path => format!("`{path}`: {what}"),
        })
    })
}

/// The error without the wrong value, because a text in the wrong field must not be in the log.
fn without_value(error: &serde_json::Error) -> String {
    let text = without_type_names(&error.to_string(), "an object");
    match text.rsplit_once(", expected ") {
        Some((begin, expected)) if begin.starts_with("invalid ") => format!("expected {expected}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read<T: DeserializeOwned>(arguments: &Value) -> Result<T> {
        parse(arguments.as_object().cloned())
    }

    #[test]
    fn a_name_is_taken_as_an_answer_gave_it() {
        let asked = json!({"platform": "x", "conversation": "a\\u003cb\\u202e"});
        let asked = read::<ReadMessages>(&asked).unwrap();
        assert_eq!(asked.conversation, "a<b\u{202e}");
    }

    #[test]
    fn a_wrong_argument_is_named() {
        for (arguments, named) in [
            (json!({"platform": "qq"}), "conversation"),
            (json!({"platform": 1, "conversation": "c"}), "`platform`"),
            (json!({"platform": "qq", "conversation": "c", "path": "/etc"}), "`path`"),
            (json!({"platform": "qq", "conversation": "c", "limit": -1}), "`limit`"),
        ] {
            let error = read::<ReadMessages>(&arguments).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        let misplaced =
            json!({"platform": "qq", "conversation": "c", "limit": "my secret, expected x"});
        let error = read::<ReadMessages>(&misplaced).unwrap_err().to_string();
        assert!(error.contains("`limit`: expected") && !error.contains("secret"), "{error}");
        let sent = json!({"platform": "qq", "conversation": "c", "text": "x"});
        assert!(read::<SendMessage>(&sent).unwrap_err().to_string().contains("idempotency_key"));
    }
}
