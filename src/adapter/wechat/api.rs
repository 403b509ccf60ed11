//! Calls of the interface.
//!
//! There is no public specification. The interface is as Tencent's own client, npm
//! `@tencent-weixin/openclaw-weixin` 2.4.9, uses it.

use super::call_failure::{CallFailure, read_answer, read_answer_with_list};
use super::http::{Http, HttpCall, NoResponse, WholeResponse};
use super::json::{count, id, text};
use crate::protocol::json::from_slice_lenient;
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use form_urlencoded::byte_serialize;
use hyper::Method;
use hyper::header::{AUTHORIZATION, HeaderName};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::Duration;

/// The official client that this one behaves like: `major << 16 | minor << 8 | patch`.
const CLIENT_VERSION: &str = "132105";
const CHANNEL_VERSION: &str = "2.4.9";

/// How this program names itself.
const BOT_AGENT: &str = concat!("rechat/", env!("CARGO_PKG_VERSION"));

/// How long a server holds a poll if it announces no time. A shorter announced time is ignored, because the
/// answer to a poll that was given up is lost.
pub(super) const POLL_HOLD: Duration = Duration::from_secs(35);

/// Time beyond the server's own, so that the server ends a poll and not the client.
const POLL_MARGIN: Duration = Duration::from_secs(10);

/// The longest that a server is believed to hold a poll.
const MAX_POLL_HOLD: Duration = Duration::from_mins(5);

/// The answer to a poll has several messages, and may be so many times as large as `max_frame`.
const POLL_FRAMES: usize = 4;

/// How long a code for logging in may take to come; the official client has no limit there.
const QR_CODE_TIMEOUT: Duration = Duration::from_mins(1);

/// How long telling that polling begins or ends may take.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long each call for typing may take.
const TYPING_TIMEOUT: Duration = Duration::from_secs(10);

/// An address of the interface, and the token of a login there.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ApiSession {
    pub(super) base: String,
    pub(super) token: String,
}

/// The answer to a poll.
#[derive(Debug, Default)]
pub(super) struct Updates {
    /// Messages as they came.
    pub(super) messages: Vec<Box<RawValue>>,
    /// The next cursor; without one the last stays in force.
    pub(super) cursor: Option<String>,
    /// How long the server holds the next poll, where it says so; as far as that is believed.
    pub(super) hold: Option<Duration>,
}

/// Makes the calls.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub(super) http: Http,
    /// The most bytes of an answer.
    pub(super) max_bytes: usize,
    /// How long an answer may take, unless a call has a limit of its own.
    pub(super) timeout: Duration,
}

impl Api {
    /// Asks for a code to log in with. Tokens that are held already go along, the newest first.
    pub(super) async fn qr_code(&self, base: &str, held: &[String]) -> Result<Value, CallFailure> {
        let url = format!("{base}/ilink/bot/get_bot_qrcode?bot_type=3");
        let body = json!({"local_token_list": held.iter().take(10).collect::<Vec<_>>()});
        read_answer(self.post(&url, None, &body, QR_CODE_TIMEOUT).await)
    }

    /// Waits for something to happen to a code. No answer, and one of a gateway, mean that nothing
    /// did.
    pub(super) async fn qr_code_status(
        &self,
        base: &str,
        code: &str,
        digits: Option<&str>,
    ) -> Result<Value, CallFailure> {
        let escaped = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let mut url = format!("{base}/ilink/bot/get_qrcode_status?qrcode={}", escaped(code));
        if let Some(digits) = digits {
            url = format!("{url}&verify_code={}", escaped(digits));
        }
        let call = HttpCall {
            method: Method::GET,
            url,
            headers: app_headers(),
            media_type: "",
            body: Bytes::new(),
            limit: POLL_HOLD + POLL_MARGIN,
            max_bytes: self.max_bytes,
        };
        let answer = self.http.send(call).await;
        // A state says more than a code beside it.
        let body = answer.as_ref().ok().and_then(|answer| from_slice_lenient(&answer.body).ok());
        match body {
            Some(body) if text(&body, "status").is_some() => Ok(body),
            _ => read_answer(answer),
        }
    }

    /// Tells that polling begins or ends.
    pub(super) async fn notify(
        &self,
        session: &ApiSession,
        begins: bool,
    ) -> Result<(), CallFailure> {
        let name = if begins { "notifystart" } else { "notifystop" };
        let path = format!("ilink/bot/msg/{name}");
        self.call(session, &path, json!({}), NOTIFY_TIMEOUT).await.map(drop)
    }

    /// Waits for messages, for as long as the server holds it.
    pub(super) async fn updates(
        &self,
        session: &ApiSession,
        cursor: &str,
        hold: Duration,
    ) -> Result<Updates, CallFailure> {
        let body = json!({"get_updates_buf": cursor});
        let limit = hold + POLL_MARGIN;
        let several =
            Self { max_bytes: self.max_bytes.saturating_mul(POLL_FRAMES), ..self.clone() };
        let answer = several.ask(session, "ilink/bot/getupdates", body, limit).await;
        let (answer, messages) = read_answer_with_list(answer, "msgs")?;
        let cursor = text(&answer, "get_updates_buf").map(str::to_owned);
        Ok(Updates { messages, cursor, hold: next_hold(&answer) })
    }

    /// Sends one item; gives the platform's ID of the message, where it tells one.
    pub(super) async fn send_message(
        &self,
        session: &ApiSession,
        to: &str,
        client_id: &str,
        context_token: &str,
        item: Value,
    ) -> Result<Option<String>, CallFailure> {
        let message = json!({
            "from_user_id": "",
            "to_user_id": to,
            "client_id": client_id,
            "message_type": 2,
            "message_state": 2,
            "item_list": [item],
            "context_token": context_token,
        });
        let body = json!({"msg": message});
        let answer = self.call(session, "ilink/bot/sendmessage", body, self.timeout).await?;
        Ok(id(&answer, "message_id"))
    }

    /// Asks for what typing is shown with (facts, section 6.4).
    pub(super) async fn typing_ticket(
        &self,
        session: &ApiSession,
        user: &str,
        context_token: Option<&str>,
    ) -> Result<String, CallFailure> {
        let mut body = json!({"ilink_user_id": user});
        if let Some(token) = context_token {
            body["context_token"] = token.into();
        }
        let answer = self.call(session, "ilink/bot/getconfig", body, TYPING_TIMEOUT).await?;
        let ticket = answer["typing_ticket"].as_str().map(str::to_owned);
        ticket.ok_or_else(|| CallFailure::Refused("WeChat gave no ticket for typing".into()))
    }

    /// Shows that the bot types, or that it does no more (facts, section 6.4).
    pub(super) async fn send_typing(
        &self,
        session: &ApiSession,
        user: &str,
        ticket: &str,
        on: bool,
    ) -> Result<(), CallFailure> {
        let status = if on { 1 } else { 2 };
        let body = json!({"ilink_user_id": user, "typing_ticket": ticket, "status": status});
        self.call(session, "ilink/bot/sendtyping", body, TYPING_TIMEOUT).await.map(drop)
    }

    /// Asks where a file can be put.
    pub(super) async fn upload_url(
        &self,
        session: &ApiSession,
        request: Value,
    ) -> Result<Value, CallFailure> {
        self.call(session, "ilink/bot/getuploadurl", request, self.timeout).await
    }

    /// A call of a session.
    async fn call(
        &self,
        session: &ApiSession,
        path: &str,
        body: Value,
        limit: Duration,
    ) -> Result<Value, CallFailure> {
        read_answer(self.ask(session, path, body, limit).await)
    }

    /// The answer to a call of a session; every body has `base_info`.
    async fn ask(
        &self,
        session: &ApiSession,
        path: &str,
        mut body: Value,
        limit: Duration,
    ) -> Result<WholeResponse, NoResponse> {
        body["base_info"] = json!({"channel_version": CHANNEL_VERSION, "bot_agent": BOT_AGENT});
        let url = format!("{}/{path}", session.base);
        self.post(&url, Some(&session.token), &body, limit).await
    }

    async fn post(
        &self,
        url: &str,
        token: Option<&str>,
        body: &Value,
        limit: Duration,
    ) -> Result<WholeResponse, NoResponse> {
        let mut headers = app_headers();
        headers.push((HeaderName::from_static("authorizationtype"), "ilink_bot_token".into()));
        headers.push((HeaderName::from_static("x-wechat-uin"), random_uin()?));
        headers.extend(token.map(|token| (AUTHORIZATION, format!("Bearer {token}"))));
        let call = HttpCall {
            method: Method::POST,
            url: url.to_owned(),
            headers,
            media_type: "application/json",
            body: body.to_string().into(),
            limit,
            max_bytes: self.max_bytes,
        };
        self.http.send(call).await
    }
}

/// How long the server holds the next poll.
fn next_hold(answer: &Value) -> Option<Duration> {
    let told = count(answer, "longpolling_timeout_ms").map(Duration::from_millis)?;
    Some(told.clamp(POLL_HOLD, MAX_POLL_HOLD))
}

fn app_headers() -> Vec<(HeaderName, String)> {
    vec![
        (HeaderName::from_static("ilink-app-id"), "bot".into()),
        (HeaderName::from_static("ilink-app-clientversion"), CLIENT_VERSION.into()),
    ]
}

/// A random number in decimal, in base64; a new one for each request.
fn random_uin() -> Result<String, NoResponse> {
    let random = getrandom::u32().map_err(|error| NoResponse::NotSent(error.to_string()))?;
    Ok(BASE64_STANDARD.encode(random.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_is_given_up_neither_early_nor_never() {
        let hold = |told: Value| next_hold(&json!({"longpolling_timeout_ms": told}));
        for (told, wanted) in [(1, 35), (35, 35), (40_000, 40), (86_400_000, 300)] {
            assert_eq!(hold(json!(told)), Some(Duration::from_secs(wanted)), "{told}");
        }
        assert_eq!(hold(Value::Null), None);
    }
}
