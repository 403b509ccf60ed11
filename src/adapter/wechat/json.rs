//! Fields of answers, in which any may be missing, null or of another type.

use serde_json::Value;

/// A text that is not empty.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str().filter(|text| !text.is_empty())
}

/// An ID: a text, or a number of up to 64 bits, of which every digit counts.
pub(super) fn id(value: &Value, field: &str) -> Option<String> {
    let id = match value.get(field)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!matches!(&*id, "" | "0")).then_some(id)
}

/// A whole number, perhaps written as a text.
pub(super) fn number(value: &Value, field: &str) -> Option<i64> {
    match value.get(field)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A code of an answer: 0 where it is missing or null, `None` where it is no whole number.
pub(super) fn code(value: &Value, field: &str) -> Option<i64> {
    match value.get(field) {
        None | Some(Value::Null) => Some(0),
        Some(_) => number(value, field),
    }
}

/// As [`number`], where it is not negative and not 0.
pub(super) fn count(value: &Value, field: &str) -> Option<u64> {
    number(value, field).and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0)
}

/// A list; empty where there is none.
pub(super) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
