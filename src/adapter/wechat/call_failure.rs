//! Failures of calls, and what an answer says of its call.

use super::http::{NoResponse, WholeResponse};
use super::json::{code, text};
use crate::adapter::api::cut;
use crate::protocol::json::from_slice_lenient;
use hyper::StatusCode;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The bot token is stale: it expired, or the person bound the bot elsewhere.
const SESSION_ENDED: i64 = -14;

/// Refused: the window, the quota, a spent token, the frequency, or the arguments; all say this.
const LIMITED: i64 = -2;

/// Why a call was no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallFailure {
    /// The session ended; a new login is needed.
    Ended(String),
    /// It was refused by one of the limits; the answer does not tell which.
    Limited(String),
    /// It was refused for another reason.
    Refused(String),
    /// It was never sent.
    NotSent(String),
    /// It may have been carried out.
    Unknown(String),
    /// As before; the time ran out.
    Late,
    /// It was answered, and may have been carried out: the answer cannot be read.
    Unreadable(String),
}

impl CallFailure {
    /// The reason, for people.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Ended(reason)
            | Self::Limited(reason)
            | Self::Refused(reason)
            | Self::NotSent(reason)
            | Self::Unknown(reason)
            | Self::Unreadable(reason) => reason,
            Self::Late => "no answer came in time",
        }
    }

    /// As the answer of a session that goes on: the call alone is refused.
    pub(super) fn of_living_session(self) -> Self {
        match self {
            Self::Ended(reason) => Self::Limited(reason),
            failure => failure,
        }
    }
}

/// The body of an answer, if its `ret` and `errcode` say that the call succeeded; either may be missing. An
/// empty body is a success; of one that cannot be read nothing is known.
pub(super) fn read_answer(answer: Result<WholeResponse, NoResponse>) -> Result<Value, CallFailure> {
    let answer = whole_answer(answer)?;
    let body = from_slice_lenient(&answer.body).ok().filter(Value::is_object);
    checked(&answer, body)
}

/// The same, with a list of the answer apart and unread: what one entry has in it, such as quotes nested
/// too deeply, makes no other unreadable.
pub(super) fn read_answer_with_list(
    answer: Result<WholeResponse, NoResponse>,
    name: &str,
) -> Result<(Value, Vec<Box<RawValue>>), CallFailure> {
    let answer = whole_answer(answer)?;
    let text = String::from_utf8_lossy(&answer.body);
    let mut fields: Option<HashMap<String, Box<RawValue>>> =
        from_slice_lenient(text.as_bytes()).ok();
    let list = fields.as_mut().and_then(|fields| fields.remove(name));
    let list = list.map_or_else(Vec::new, |list| match serde_json::from_str(list.get()) {
        Ok(None) => Vec::new(),
        Ok(Some(entries)) => entries,
        // It is itself what cannot be read.
        Err(_) => vec![list],
    });
    let read = |(name, value): (String, Box<RawValue>)| {
        (name, serde_json::from_str(value.get()).unwrap_or(Value::Null))
    };
    let body = fields.map(|fields| Value::Object(fields.into_iter().map(read).collect()));
    Ok((checked(&answer, body)?, list))
}

/// The answer, where a whole one arrived that is the server's own.
fn whole_answer(answer: Result<WholeResponse, NoResponse>) -> Result<WholeResponse, CallFailure> {
    let answer = answer.map_err(|none| match none {
        NoResponse::NotSent(reason) => CallFailure::NotSent(reason),
        NoResponse::Lost(reason) => CallFailure::Unknown(reason),
        NoResponse::Late => CallFailure::Late,
        broken => CallFailure::Unreadable(broken.reason()),
    })?;
    if answer.status.is_server_error() {
        let status = answer.status;
        return Err(CallFailure::Unknown(format!("the gateway answered {status}")));
    }
    Ok(answer)
}

/// The body, if it says that the call succeeded; `None` stands for one that is no object.
fn checked(answer: &WholeResponse, body: Option<Value>) -> Result<Value, CallFailure> {
    let is_empty = answer.body.iter().all(u8::is_ascii_whitespace);
    let body = if is_empty { Some(Value::Null) } else { body };
    if let Some(failure) = body.as_ref().and_then(refusal) {
        return Err(failure);
    }
    let status = answer.status;
    match (status, body) {
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
            Err(CallFailure::Ended(format!("the token was refused ({status})")))
        }
        (status, _) if !status.is_success() => {
            Err(CallFailure::Refused(format!("the server answered {status}")))
        }
        (_, Some(body)) if is_readable(&body) => Ok(body),
        _ => Err(CallFailure::Unreadable("it is not what the interface answers".into())),
    }
}

/// The codes of an answer that say how a call ended.
const CODES: [&str; 2] = ["errcode", "ret"];

fn is_readable(body: &Value) -> bool {
    CODES.into_iter().all(|field| code(body, field).is_some())
}

fn refusal(body: &Value) -> Option<CallFailure> {
    let mut codes = CODES.into_iter().filter_map(|field| code(body, field));
    let code = codes.find(|code| *code != 0)?;
    let mut reason = format!("ret {code}");
    if let Some(more) = text(body, "errmsg") {
        reason = format!("{reason}: {}", cut(more));
    }
    Some(match code {
        SESSION_ENDED | 401 => CallFailure::Ended(reason),
        LIMITED => CallFailure::Limited(reason),
        _ => CallFailure::Refused(reason),
    })
}

#[cfg(test)]
mod tests {
    use super::super::json::id;
    use super::*;
    use hyper::HeaderMap;
    use serde_json::json;

    fn answered(status: u16, body: &'static str) -> Result<Value, CallFailure> {
        let status = StatusCode::from_u16(status).unwrap();
        read_answer(Ok(WholeResponse { status, headers: HeaderMap::new(), body: body.into() }))
    }

    #[test]
    fn a_success_is_where_no_code_is_set() {
        for body in [r#"{"ret":0}"#, "{}", "", " ", r#"{"ret":null,"errcode":0}"#] {
            assert!(answered(200, body).is_ok(), "{body}");
        }
    }

    #[test]
    fn either_field_may_refuse() {
        for (status, body, wanted) in [
            (200, r#"{"errcode":-14,"errmsg":"session timeout"}"#, "Ended"),
            (200, r#"{"ret":-14}"#, "Ended"),
            (200, r#"{"ret":0,"errcode":-14}"#, "Ended"),
            (401, r#"{"ret":401}"#, "Ended"),
            (403, "no", "Ended"),
            (200, r#"{"ret":-2,"errmsg":"prepare failed"}"#, "Limited"),
            (200, r#"{"ret":"-2"}"#, "Limited"),
            (200, r#"{"ret":-1}"#, "Refused"),
            (404, "<html>", "Refused"),
            (524, "", "Unknown"),
            (502, r#"{"ret":0}"#, "Unknown"),
            (200, r#"{"ret":0"#, "Unreadable"),
            (200, r#"{"ret":"abc"}"#, "Unreadable"),
            (200, r#"{"ret":""}"#, "Unreadable"),
            (200, r#"{"ret":true}"#, "Unreadable"),
            (200, r#"{"ret":0.5}"#, "Unreadable"),
            (200, r#"{"ret":1e30}"#, "Unreadable"),
            (200, r#"{"ret":[-2]}"#, "Unreadable"),
            (200, r#"{"ret":0,"errcode":{}}"#, "Unreadable"),
            (200, r#"{"ret":false,"errcode":-2}"#, "Limited"),
            (403, r#"{"ret":"abc"}"#, "Ended"),
            (200, "[]", "Unreadable"),
            (200, r#""ok""#, "Unreadable"),
            (200, "null", "Unreadable"),
            (200, "0", "Unreadable"),
        ] {
            let failure = format!("{:?}", answered(status, body).unwrap_err());
            assert!(failure.starts_with(wanted), "{status} {body}: {failure}");
        }
    }

    #[test]
    fn an_entry_that_is_odd_makes_no_other_unreadable() {
        let listed = |body: &[u8]| {
            let (status, headers) = (StatusCode::OK, HeaderMap::new());
            let answer = WholeResponse { status, headers, body: body.to_vec().into() };
            let (told, list) = read_answer_with_list(Ok(answer), "msgs")?;
            Ok((told, list.iter().map(|entry| entry.get().to_owned()).collect::<Vec<_>>()))
        };
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        let (told, list) =
            listed(format!(r#"{{"ret":0,"msgs":[{deep},{{"a":1}}]}}"#).as_bytes()).unwrap();
        assert_eq!((told, &*list), (json!({"ret": 0}), &[deep, r#"{"a":1}"#.to_owned()][..]));
        let (_, list) = listed(b"{\"msgs\":[\"\xff\"]}").unwrap();
        assert_eq!(list, ["\"\u{fffd}\""]);
        for (body, wanted) in [
            (r#"{"msgs":null}"#, &[][..]),
            (r#"{"msgs":5}"#, &["5"]),
            (r#"{"ret":0}"#, &[]),
            (" ", &[]),
        ] {
            assert_eq!(listed(body.as_bytes()).unwrap().1, wanted, "{body}");
        }
        let refused: Result<_, CallFailure> = listed(br#"{"ret":-14,"msgs":[]}"#);
        assert!(matches!(refused, Err(CallFailure::Ended(_))));
        assert!(matches!(listed(b"<html>"), Err(CallFailure::Unreadable(_))));
    }

    #[test]
    fn ids_keep_every_digit() {
        let body = answered(200, r#"{"message_id":7497484083968569736}"#).unwrap();
        assert_eq!(id(&body, "message_id").as_deref(), Some("7497484083968569736"));
        let body = answered(200, r#"{"message_id":"18446744073709551615"}"#).unwrap();
        assert_eq!(id(&body, "message_id").as_deref(), Some("18446744073709551615"));
        assert_eq!(id(&json!({"message_id": 0}), "message_id"), None);
    }
}
