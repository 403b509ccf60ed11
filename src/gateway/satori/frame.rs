//! Frames (protocol/events.md, "连接流程").

use serde::Deserialize;
use serde_json::{Value, json};

const EVENT: u64 = 0;
const PING: u64 = 1;
const PONG: u64 = 2;
const IDENTIFY: u64 = 3;
const READY: u64 = 4;

/// A frame of a framework.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SatoriFrame {
    Ping,
    Identify(ClientIdentity),
    /// A frame that frameworks need not send.
    Other,
}

/// The identification of a framework.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct ClientIdentity {
    pub(super) token: Option<String>,
    /// The last event that it got.
    sn: Value,
    /// Another name of `sn`.
    sequence: Value,
}

#[derive(Deserialize)]
struct WrittenFrame {
    op: Value,
    #[serde(default)]
    body: Value,
}

impl SatoriFrame {
    /// Reads a frame; the error is a text for people.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let WrittenFrame { op, body } =
            serde_json::from_str(text).map_err(|error| format!("this is no frame: {error}"))?;
        Ok(match op.as_u64() {
            Some(PING) => Self::Ping,
            Some(IDENTIFY) => {
                let body = if body.is_null() { json!({}) } else { body };
                let identity = serde_json::from_value(body);
                Self::Identify(identity.map_err(|error| format!("this is no IDENTIFY: {error}"))?)
            }
            Some(_) => Self::Other,
            None => return Err("`op` is missing".into()),
        })
    }
}

impl ClientIdentity {
    /// The `sn` of the last event that it got, if it names one.
    pub(super) fn sn(&self) -> Option<u64> {
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        number(&self.sn).or_else(|| number(&self.sequence)).filter(|sn| *sn > 0)
    }
}

/// The frame of an event.
pub(super) fn event(body: &str) -> String {
    format!("{{\"op\":{EVENT},\"body\":{body}}}")
}

/// The answer to a PING.
pub(super) fn pong() -> String {
    json!({"op": PONG, "body": {}}).to_string()
}

/// The answer to an IDENTIFY.
pub(super) fn ready(meta: &Value) -> String {
    json!({"op": READY, "body": meta}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_frameworks_write_them() {
        assert_eq!(SatoriFrame::parse(r#"{"op":1}"#), Ok(SatoriFrame::Ping));
        assert_eq!(SatoriFrame::parse(r#"{"op":1,"body":{}}"#), Ok(SatoriFrame::Ping));
        assert_eq!(SatoriFrame::parse(r#"{"op":9,"body":[1]}"#), Ok(SatoriFrame::Other));
        for (body, sn) in [
            (r#"{"token":"t","sn":7}"#, Some(7)),
            (r#"{"token":"t","sequence":8}"#, Some(8)),
            (r#"{"token":"t","sn":null}"#, None),
            (r#"{"token":"t","sn":-1}"#, None),
            (r#"{"token":"t","sn":0}"#, None),
            (r#"{"token":"t","sn":1.5}"#, None),
            (r#"{"token":"t","sn":"9"}"#, Some(9)),
        ] {
            let Ok(SatoriFrame::Identify(identity)) =
                SatoriFrame::parse(&format!(r#"{{"op":3,"body":{body}}}"#))
            else {
                panic!("{body}")
            };
            assert_eq!((identity.token.as_deref(), identity.sn()), (Some("t"), sn), "{body}");
        }
        assert_eq!(
            SatoriFrame::parse(r#"{"op":3}"#),
            Ok(SatoriFrame::Identify(ClientIdentity::default()))
        );
        for wrong in ["", "[]", "{}", "5", r#"{"op":"x"}"#, r#"{"op":3,"body":{"token":5}}"#] {
            assert!(SatoriFrame::parse(wrong).is_err(), "{wrong}");
        }
    }
}
