//! Answers to actions (communication/ws.md, "API 接口"; communication/http.md, "响应").

use crate::gateway::raw_object::RawObject;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A parameter is missing or wrong.
pub(super) const BAD_REQUEST: i64 = 1400;

/// There is no such action.
pub(super) const NO_SUCH_ACTION: i64 = 1404;

/// The action failed.
pub(super) const FAILED: i64 = 1500;

/// The account is not connected.
pub(super) const NOT_CONNECTED: i64 = 1503;

/// The result of an action, without its echo.
#[derive(Debug)]
pub(in crate::gateway) enum ActionAnswer {
    /// It was carried out.
    Done(Value),
    /// It is being carried out; its outcome is not known yet. The reason why the last attempt failed,
    /// if one did.
    Async(Option<String>),
    /// It failed: the code, and a text for people.
    Failed(i64, String),
    /// The answer of the OneBot implementation, unchanged.
    AsItCame(String),
}

impl ActionAnswer {
    /// The answer as text, with the echo unchanged.
    pub(in crate::gateway) fn write(self, echo: Option<&RawValue>) -> String {
        let text = match self {
            Self::AsItCame(text) => text,
            Self::Done(data) => {
                json!({"status": "ok", "retcode": 0, "data": data, "message": "", "wording": ""})
                    .to_string()
            }
            Self::Async(last_error) => {
                let words = last_error.unwrap_or_default();
                json!({
                    "status": "async", "retcode": 1, "data": null, "message": words,
                    "wording": words,
                })
                .to_string()
            }
            Self::Failed(code, words) => json!({
                "status": "failed", "retcode": code, "data": null, "message": words,
                "wording": words,
            })
            .to_string(),
        };
        let Some(mut answer) = RawObject::parse(&text) else { return text };
        answer.remove("echo");
        if let Some(echo) = echo {
            answer.set("echo", &echo);
        }
        answer.write()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_echo_comes_back_as_it_came_and_nothing_else_changes() {
        for echo in [r#"{"seq":1}"#, "7", "\"a\"", "[1.50]", "12345678901234567890123"] {
            let came = r#"{"status":"ok","retcode":0,"data":{"id":12345678901234567890},"stream":"x","echo":"ours"}"#;
            let raw: &RawValue = serde_json::from_str(echo).unwrap();
            let answer = ActionAnswer::AsItCame(came.into()).write(Some(raw));
            assert_eq!(answer, came.replace("\"ours\"", echo));
        }
        let plain = ActionAnswer::Done(json!({"message_id": 5})).write(None);
        assert!(!plain.contains("echo") && plain.contains("\"message_id\":5"), "{plain}");
        let failed = ActionAnswer::Failed(BAD_REQUEST, "why".into()).write(None);
        let failed: Value = serde_json::from_str(&failed).unwrap();
        assert_eq!((&failed["retcode"], &failed["wording"]), (&json!(1400), &json!("why")));
    }
}
