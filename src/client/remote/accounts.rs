//! Platforms, bots, logins, and requests of people.

use super::Remote;
use super::query::escaped;
use crate::error::{Error, Result};
use crate::protocol::bots::{Bot, Bots};
use crate::protocol::http::{AdapterStatus, Platforms, Request, RequestAnswer, Requests};
use crate::protocol::login::{LoggedOut, LoginDigits, LoginStatus};
use crate::protocol::sign_in::SignInCode;
use hyper::Method;

impl Remote {
    pub(in crate::client) async fn platforms(&mut self) -> Result<Vec<AdapterStatus>> {
        let answer: Platforms = self.0.get("/api/platforms").await?;
        Ok(answer.platforms)
    }

    pub(in crate::client) async fn bots(&mut self) -> Result<Vec<Bot>> {
        let answer: Bots = self.0.get("/api/bots").await?;
        Ok(answer.bots)
    }

    pub(in crate::client) async fn make_sign_in_code(&mut self) -> Result<SignInCode> {
        let request = self.0.request(Method::POST, "/api/sign-in/code", None::<&()>)?;
        let made: SignInCode = self.0.need(request).await?;
        // A server behind a proxy does not know the address by which it was reached.
        let page = self.0.url().map(|url| format!("{url}/"));
        Ok(SignInCode { page: page.unwrap_or(made.page), ..made })
    }

    pub(in crate::client) async fn begin_login(&mut self, platform: &str) -> Result<LoginStatus> {
        let path = format!("/api/login/{}", escaped(platform));
        let request = self.0.request(Method::POST, &path, None::<&()>)?;
        self.0.need(request).await
    }

    /// How a login goes; `None` where the server does not know it any more.
    pub(in crate::client) async fn login(
        &mut self,
        platform: &str,
        id: &str,
    ) -> Result<Option<LoginStatus>> {
        let path = format!("/api/login/{}/{}", escaped(platform), escaped(id));
        let request = self.0.request(Method::GET, &path, None::<&()>)?;
        self.0.ask(request).await
    }

    pub(in crate::client) async fn give_login_digits(
        &mut self,
        platform: &str,
        id: &str,
        digits: String,
    ) -> Result<()> {
        let path = format!("/api/login/{}/{}", escaped(platform), escaped(id));
        let request = self.0.request(Method::POST, &path, Some(&LoginDigits { digits }))?;
        self.0.ask::<LoginStatus>(request).await.map(drop)
    }

    /// Logs an account out; `None` where it is not logged in.
    pub(in crate::client) async fn log_out(
        &mut self,
        platform: &str,
        account: Option<&str>,
    ) -> Result<Option<LoggedOut>> {
        let mut path = format!("/api/login/{}", escaped(platform));
        if let Some(account) = account {
            let mut query = form_urlencoded::Serializer::new(String::new());
            path = format!("{path}?{}", query.append_pair("account", account).finish());
        }
        let request = self.0.request(Method::DELETE, &path, None::<&()>)?;
        self.0.ask(request).await
    }

    pub(in crate::client) async fn requests(&mut self) -> Result<Vec<Request>> {
        let answer: Requests = self.0.get("/api/requests").await?;
        Ok(answer.requests)
    }

    pub(in crate::client) async fn answer_request(
        &mut self,
        id: u64,
        answer: &RequestAnswer,
    ) -> Result<Request> {
        let path = format!("/api/requests/{id}");
        let request = self.0.request(Method::POST, &path, Some(answer))?;
        self.0.ask(request).await?.ok_or_else(|| {
            Error::failed(format!("no request {id} waits for an answer"))
                .hint("`rechat requests` lists them")
        })
    }
}
