//! Answers of the account's OneBot implementation, if it speaks OneBot 11: it knows more about people and
//! groups than rechat.

use super::request::{RefusedCall, SatoriCall};
use crate::gateway::onebot11::{self, ActionAnswer};
use hyper::StatusCode;
use serde_json::Value;
use serde_json::value::to_raw_value;

/// Whether the account's program speaks OneBot 11.
pub(super) fn is_there(asked: &SatoriCall<'_>) -> bool {
    asked.bot.shared.speaks_onebot11(&asked.account.platform, &asked.account.account)
}

/// The `data` of an action's answer (communication/ws.md of OneBot 11).
pub(super) async fn ask(
    asked: &SatoriCall<'_>,
    action: &str,
    params: &Value,
) -> Result<Value, RefusedCall> {
    let params = to_raw_value(params).ok();
    let answer = onebot11::carry_out(asked.bot, asked.account, action, params.as_deref()).await;
    data_of(answer)
}

/// The `data` of an answer.
pub(super) fn data_of(answer: ActionAnswer) -> Result<Value, RefusedCall> {
    let answer: Value = serde_json::from_str(&answer.write(None)).unwrap_or_default();
    if answer["status"] == "ok" || answer["status"] == "async" {
        return Ok(answer["data"].clone());
    }
    let words = ["wording", "message", "msg"].into_iter().filter_map(|key| answer[key].as_str());
    let words = words.into_iter().find(|words| !words.is_empty()).unwrap_or("the action failed");
    let status = match answer["retcode"].as_i64() {
        Some(404 | 1404) => StatusCode::NOT_FOUND,
        Some(1400..=1403) => StatusCode::BAD_REQUEST,
        Some(1503) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    };
    Err((status, words.to_owned()))
}

/// A text or a number, as a text.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An ID in the form of OneBot 11: a number, or a text if it is not a number.
pub(super) fn id(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| id.into(), Value::from)
}
