//! One login by a QR code, from the first code to the token.

use super::api::Api;
use super::call_failure::CallFailure;
use super::hosts::is_base;
use super::json::text;
use super::qr::modules;
use super::saved_state::Login;
use crate::adapter::api::cut;
use crate::clock::now;
use crate::protocol::login::{LoginState, LoginStatus};
use hyper::header::HeaderValue;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};

/// How long a login may take, all its codes together; as in the official client.
const LOGIN_TIMEOUT: Duration = Duration::from_mins(8);

/// Pause between two looks at a code, and after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// How often a code is asked for, where the platform does not answer.
const CODE_ATTEMPTS: u32 = 3;

/// How a login ended.
#[derive(Debug)]
pub(super) enum LoggedIn {
    /// There is a new token.
    New(Login),
    /// The bot is bound to this client already.
    Already,
}

/// The result of a login: the account and the status to report, or the reason of the failure.
pub(super) type LoginEnd = Result<(LoggedIn, watch::Sender<LoginStatus>), String>;

/// A login under way.
pub(super) struct Attempt {
    pub(super) api: Api,
    /// The address of the interface where every login begins.
    pub(super) base: String,
    /// Tokens that are held already, the newest first.
    pub(super) held: Vec<String>,
    pub(super) status: watch::Sender<LoginStatus>,
    /// Digits that the phone shows, as a person typed them.
    pub(super) digits: mpsc::Receiver<String>,
}

/// The end of one QR code.
enum CodeEnd {
    Confirmed(LoggedIn),
    /// Another code is needed.
    Expired,
}

impl Attempt {
    /// Shows codes until one is confirmed; the error is for people.
    pub(super) async fn run(mut self) -> LoginEnd {
        let until = Instant::now() + LOGIN_TIMEOUT;
        let logged_in = timeout_at(until, async {
            loop {
                let code = self.code().await?;
                if let CodeEnd::Confirmed(logged_in) = self.follow(&code).await? {
                    return Ok(logged_in);
                }
                self.tell(LoginState::Expired, None);
            }
        });
        match logged_in.await {
            Ok(Ok(logged_in)) => Ok((logged_in, self.status)),
            Ok(Err(reason)) => Err(self.failed(reason)),
            Err(_) => Err(self.failed("the code was not scanned and confirmed in time".into())),
        }
    }

    fn failed(&self, reason: String) -> String {
        self.tell(LoginState::Failed, Some(&reason));
        reason
    }

    fn tell(&self, state: LoginState, reason: Option<&str>) {
        self.status.send_if_modified(|status| {
            let is_new = status.state != state || status.reason.as_deref() != reason;
            status.set(state, reason);
            if matches!(state, LoginState::Failed | LoginState::Expired) {
                (status.qrcode, status.modules) = (None, Vec::new());
            }
            is_new
        });
    }

    /// Asks for a code and shows it.
    async fn code(&self) -> Result<String, String> {
        let mut attempt = 1;
        let answer = loop {
            match self.api.qr_code(&self.base, &self.held).await {
                Ok(answer) => break answer,
                Err(failure) if attempt == CODE_ATTEMPTS => {
                    return Err(format!("WeChat gives no code: {}", failure.reason()));
                }
                Err(_) => attempt += 1,
            }
            sleep(PAUSE).await;
        };
        let (Some(code), Some(shown)) =
            (text(&answer, "qrcode"), text(&answer, "qrcode_img_content"))
        else {
            return Err("WeChat's answer has no code".into());
        };
        self.status.send_modify(|status| {
            status.set(LoginState::Wait, None);
            status.qrcode = Some(shown.to_owned());
            status.modules = modules(shown);
        });
        Ok(code.to_owned())
    }

    /// Follows a code to its end.
    async fn follow(&mut self, code: &str) -> Result<CodeEnd, String> {
        let mut base = self.base.clone();
        let mut digits: Option<String> = None;
        loop {
            let given = digits.take();
            let answer = match self.api.qr_code_status(&base, code, given.as_deref()).await {
                Ok(answer) => answer,
                // No answer says that nothing happened.
                Err(CallFailure::Late) => continue,
                Err(
                    CallFailure::NotSent(_) | CallFailure::Unknown(_) | CallFailure::Unreadable(_),
                ) => {
                    sleep(PAUSE).await;
                    continue;
                }
                Err(failure) => return Err(format!("WeChat refused it: {}", failure.reason())),
            };
            match text(&answer, "status").unwrap_or("wait") {
                "scaned" => self.tell(LoginState::Scanned, None),
                "need_verifycode" => {
                    let wrong = given.map(|_| "the digits were wrong");
                    digits = Some(self.ask_for_digits(wrong).await?);
                    continue;
                }
                "scaned_but_redirect" => {
                    self.tell(LoginState::Scanned, None);
                    if let Some(host) = text(&answer, "redirect_host") {
                        base = at_host(&self.base, host)?;
                    }
                }
                "verify_code_blocked" | "expired" => return Ok(CodeEnd::Expired),
                "binded_redirect" => return Ok(CodeEnd::Confirmed(LoggedIn::Already)),
                "confirmed" => {
                    return confirmed(&answer, &self.base)
                        .map(|login| CodeEnd::Confirmed(LoggedIn::New(login)));
                }
                _ => {}
            }
            sleep(PAUSE).await;
        }
    }

    async fn ask_for_digits(&mut self, wrong: Option<&str>) -> Result<String, String> {
        // Digits that were given before the phone asked for them do not count.
        while self.digits.try_recv().is_ok() {}
        self.tell(LoginState::Digits, wrong);
        let digits = self.digits.recv().await.ok_or("rechat is stopping")?;
        self.tell(LoginState::Scanned, None);
        Ok(digits)
    }
}

/// The address of another host, spoken to as the first one; the error is for people.
fn at_host(base: &str, host: &str) -> Result<String, String> {
    let scheme = base.split_once("://").map_or("https", |(scheme, _)| scheme);
    let told = format!("{scheme}://{host}");
    if is_base(&told, base) {
        return Ok(told);
    }
    let told = cut(&told);
    Err(format!(
        "WeChat sends the login on to `{told}`, which is neither the configured address nor a public \
         one with https; it is not asked there"
    ))
}

fn confirmed(answer: &Value, base: &str) -> Result<Login, String> {
    let (Some(token), Some(account)) = (text(answer, "bot_token"), text(answer, "ilink_bot_id"))
    else {
        return Err("WeChat confirmed the login without a token".into());
    };
    if account.contains(char::is_control) {
        return Err("WeChat confirmed the login of a bot whose ID has control characters".into());
    }
    if HeaderValue::try_from(token).is_err() {
        return Err("WeChat confirmed the login with a token that no request can carry".into());
    }
    let told = text(answer, "baseurl").unwrap_or(base);
    if !is_base(told, base) {
        let told = cut(told);
        return Err(format!(
            "WeChat confirmed the login for `{told}`, which is neither the configured address nor \
             a public one with https; the token is not sent there"
        ));
    }
    let base = told.trim_end_matches('/');
    Ok(Login {
        account: account.to_owned(),
        user: text(answer, "ilink_user_id").unwrap_or_default().to_owned(),
        base: base.to_owned(),
        token: token.to_owned(),
        at: now(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_login_without_a_bot_has_failed() {
        let answer = json!({"bot_token": "t", "ilink_bot_id": "b", "baseurl": ""});
        assert_eq!(confirmed(&answer, "https://h").unwrap().base, "https://h");
        assert!(confirmed(&json!({"bot_token": "t"}), "https://h").is_err());
        let odd = json!({"bot_token": "t", "ilink_bot_id": "b\nc"});
        assert!(confirmed(&odd, "https://h").is_err());
    }

    #[test]
    fn a_token_goes_only_to_the_configured_address_or_a_public_one() {
        let of = |told: &str, base: &str| {
            let answer = json!({"bot_token": "t", "ilink_bot_id": "b", "baseurl": told});
            confirmed(&answer, base).map(|login| login.base)
        };
        let official = "https://ilinkai.weixin.qq.com";
        assert_eq!(
            of("https://other.weixin.qq.com/", official).unwrap(),
            "https://other.weixin.qq.com"
        );
        let local = "http://127.0.0.1:5";
        assert_eq!(of("http://127.0.0.1:5/", local).unwrap(), local);
        for told in [
            "file:///etc",
            "javascript:x",
            "http://[::1]:1/a b?x#y",
            "https://h.example/?x",
            "https://h.example/#x",
            "http://other.weixin.qq.com",
            "http://127.0.0.2:5",
            "http://127.0.0.1:6",
            "https://127.0.0.1:5",
            "https://[::1]",
            "https://localhost",
            "https://0x7f.1",
            "https://router",
            "h.example",
        ] {
            let reason = of(told, local).unwrap_err();
            assert!(reason.contains("not sent there"), "{told}: {reason}");
        }
    }

    #[test]
    fn a_token_that_no_header_takes_ends_the_login() {
        let answer = json!({"bot_token": "t\r\nx: y", "ilink_bot_id": "b"});
        assert!(confirmed(&answer, "https://h").unwrap_err().contains("token"));
    }

    #[test]
    fn a_redirect_keeps_the_scheme_and_leads_to_no_private_host() {
        let official = "https://ilinkai.weixin.qq.com";
        assert_eq!(at_host(official, "b.example").unwrap(), "https://b.example");
        let local = "http://127.0.0.1:1";
        assert_eq!(at_host(local, "127.0.0.1:1").unwrap(), local);
        for (base, host) in [
            (official, "127.0.0.1"),
            (official, "[::1]"),
            (official, "router"),
            (official, "b.example/?x"),
            (local, "127.0.0.1:2"),
            (local, "b.example"),
        ] {
            assert!(at_host(base, host).unwrap_err().contains("not asked there"), "{host}");
        }
    }
}
