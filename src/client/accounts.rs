//! Platforms, bots, logins, and requests of people.

use super::Client;
use crate::error::Result;
use crate::protocol::bots::Bot;
use crate::protocol::http::{AdapterStatus, Request, RequestAnswer};
use crate::protocol::login::{LoggedOut, LoginStatus};
use crate::protocol::sign_in::SignInCode;
use crate::store::ConversationQuery;
use std::collections::BTreeSet;

/// The platform of OneBot 11 implementations, which every server lets dial in.
pub const SERVED_PLATFORM: &str = "qq";

impl Client {
    /// Every adapter, and how it is connected; only a server can tell.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn platforms(&mut self) -> Result<Vec<AdapterStatus>> {
        match self {
            Self::Remote(remote) => remote.platforms().await,
            Self::Local(_) => Ok(Vec::new()),
        }
    }

    /// Every bot, and how it is connected; only a server can tell.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn bots(&mut self) -> Result<Vec<Bot>> {
        match self {
            Self::Remote(remote) => remote.bots().await,
            Self::Local(_) => Ok(Vec::new()),
        }
    }

    /// The platforms that are configured or were ever seen; with `latest` only those are looked at
    /// that the latest conversations have.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn known_platforms(&mut self, latest: Option<usize>) -> Result<BTreeSet<String>> {
        let all =
            ConversationQuery { limit: latest, is_brief: true, ..ConversationQuery::default() };
        let seen =
            self.conversations(&all).await?.into_iter().filter(|known| known.account.is_some());
        let mut platforms: BTreeSet<_> = seen.map(|known| known.platform).collect();
        platforms.insert(SERVED_PLATFORM.to_owned());
        match self {
            Self::Remote(remote) => {
                platforms.extend(remote.platforms().await?.into_iter().map(|one| one.platform));
            }
            Self::Local(local) => platforms.extend(local.configured_platforms().map(str::to_owned)),
        }
        Ok(platforms)
    }

    /// The page's address, and a code that signs it in where the server wants a token.
    ///
    /// # Errors
    ///
    /// No server runs, or it refuses.
    pub async fn make_sign_in_code(&mut self) -> Result<SignInCode> {
        self.server("open the page")?.make_sign_in_code().await
    }

    /// Begins to log in to a platform.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn begin_login(&mut self, platform: &str) -> Result<LoginStatus> {
        self.server("log in")?.begin_login(platform).await
    }

    /// How a login goes; `None` where the server does not know it any more.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn login(&mut self, platform: &str, id: &str) -> Result<Option<LoginStatus>> {
        self.server("log in")?.login(platform, id).await
    }

    /// Gives the digits that the phone shows.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn give_login_digits(
        &mut self,
        platform: &str,
        id: &str,
        digits: String,
    ) -> Result<()> {
        self.server("log in")?.give_login_digits(platform, id, digits).await
    }

    /// Logs an account out, or the only one; `None` where it is not logged in.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn log_out(
        &mut self,
        platform: &str,
        account: Option<&str>,
    ) -> Result<Option<LoggedOut>> {
        self.server("log out")?.log_out(platform, account).await
    }

    /// Requests of people, the newest first.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn requests(&mut self) -> Result<Vec<Request>> {
        self.server("list requests")?.requests().await
    }

    /// Answers a request; gives it as it then is.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn answer_request(&mut self, id: u64, answer: &RequestAnswer) -> Result<Request> {
        self.server("answer requests")?.answer_request(id, answer).await
    }
}
