//! Fields of answers, in which any may be missing, null or of another type.

use crate::protocol::json::from_slice_lenient;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Levels of a value that are read one by one, where it cannot be read as a whole.
const MAX_LEVELS: u32 = 4;

/// Reads a value as far as it goes: null stands for what cannot be read, such as quotes nested too deeply.
pub(super) fn read_partly(value: &RawValue) -> Value {
    read_levels(value, MAX_LEVELS)
}

fn read_levels(value: &RawValue, levels: u32) -> Value {
    let bytes = value.get().as_bytes();
    if let Ok(value) = from_slice_lenient(bytes) {
        return value;
    }
    let Some(levels) = levels.checked_sub(1) else { return Value::Null };
    let inner = |value: &RawValue| read_levels(value, levels);
    if let Ok(fields) = from_slice_lenient::<HashMap<String, Box<RawValue>>>(bytes) {
        let fields = fields.into_iter().map(|(name, value)| (name, inner(&value)));
        return Value::Object(fields.collect());
    }
    let entries = from_slice_lenient::<Vec<Box<RawValue>>>(bytes);
    entries.map_or(Value::Null, |entries| entries.iter().map(|value| inner(value)).collect())
}

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
