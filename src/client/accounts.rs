//! Platforms, bots, logins, and requests of people.

use super::Client;
use crate::adapter::kinds;
use crate::error::Result;
use crate::protocol::bots::Bot;
use crate::protocol::http::{AdapterStatus, Request, RequestAnswer};
use crate::protocol::login::{LoggedOut, LoginStatus};
use crate::protocol::sign_in::SignInCode;
use crate::store::ConversationQuery;
use std::collections::BTreeSet;

/// The platform of implementations that connect to a server without a configuration, and name none: that of
/// the first kind of adapter.
pub fn served_platform() -> &'static str {
    kinds().find(|kind| !kind.paths.is_empty()).map_or("", |kind| kind.platform)
}

/// Whether a platform is one for trying out, on which every conversation is right.
pub fn is_fallback_platform(platform: &str) -> bool {
    kinds().any(|kind| kind.is_fallback && kind.platform == platform)
}

impl Client {
    /// Every adapter, and its state; needs a server.
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

    /// Every bot, and its state; needs a server.
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

    /// The platforms that are configured or were ever connected; with `latest`, only those of this
    /// number of latest conversations.
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
        platforms.insert(served_platform().to_owned());
        match self {
            Self::Remote(remote) => {
                platforms.extend(remote.platforms().await?.into_iter().map(|one| one.platform));
            }
            Self::Local(local) => platforms.extend(local.configured_platforms().map(str::to_owned)),
        }
        Ok(platforms)
    }

    /// The page's address, and a code for signing in if the server needs a token.
    ///
    /// # Errors
    ///
    /// No server runs, or it refuses.
    pub async fn make_sign_in_code(&mut self) -> Result<SignInCode> {
        self.server("open the page")?.make_sign_in_code().await
    }

    /// Begins a login to a platform.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn begin_login(&mut self, platform: &str) -> Result<LoginStatus> {
        self.server("log in")?.begin_login(platform).await
    }

    /// The state of a login; `None` if the server does not know it any more.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn login(&mut self, platform: &str, id: &str) -> Result<Option<LoginStatus>> {
        self.server("log in")?.login(platform, id).await
    }

    /// Sends the digits that the phone shows.
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

    /// Logs out an account, or the only one; `None` if it is not logged in.
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

    /// Answers a request; returns its new state.
    ///
    /// # Errors
    ///
    /// No server runs, or it cannot be reached or refuses.
    pub async fn answer_request(&mut self, id: u64, answer: &RequestAnswer) -> Result<Request> {
        self.server("answer requests")?.answer_request(id, answer).await
    }
}
