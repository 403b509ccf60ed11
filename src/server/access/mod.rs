//! Access: tokens and their scopes (contract, Part 2, item 21).

mod codes;
mod origin;
mod refusal;
mod sign_in;
mod throttle;

pub use codes::CODE_LIFETIME;
pub use origin::{OriginTarget, check_origin};
pub use refusal::RefusalKind;
pub use throttle::network;

use super::error::{ErrorResponse, Result};
use super::peer::Peer;
use crate::config::{Config, RequiredScope, Secret, Token, TokenScope};
use crate::metrics::METRICS;
use arc_swap::ArcSwap;
use codes::Codes;
use hyper::StatusCode;
use hyper::Uri;
use hyper::header::{AUTHORIZATION, HeaderMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};
use throttle::AttemptThrottle;
use tokio_util::sync::CancellationToken;

/// The valid tokens, and the addresses that sent wrong ones.
#[derive(Debug)]
pub struct AccessControl {
    accepted: ArcSwap<Accepted>,
    throttle: AttemptThrottle,
    codes: Codes,
    /// Proxies whose `X-Forwarded-For` is trusted.
    trusted_proxies: Vec<IpAddr>,
}

/// The valid tokens, each with a signal of its revocation.
#[derive(Debug)]
struct Accepted {
    tokens: Vec<(Token, Revocation)>,
    /// Ends connections that were opened without a token, once there are tokens.
    without_token: Revocation,
}

/// A signal that access is revoked. Shared, because a copy of the token itself takes a lock that all
/// requests share.
pub type Revocation = Arc<CancellationToken>;

/// Never cancelled.
static NEVER_REVOKED: LazyLock<Revocation> = LazyLock::new(Revocation::default);

/// Access of a request.
#[derive(Clone, Debug)]
pub struct AccessGrant {
    /// The requests that the token allows.
    pub scope: TokenScope,
    /// Name of the token, if one was needed.
    pub token: Option<Arc<str>>,
    /// Cancelled when the token becomes invalid.
    pub revoked: Revocation,
}

impl AccessGrant {
    /// Access to paths that need no token.
    pub fn open() -> Self {
        Self::for_good(TokenScope::Read)
    }

    /// Access that cannot be revoked here: over the Unix socket, or with a token that other
    /// settings hold.
    fn for_good(scope: TokenScope) -> Self {
        Self { scope, token: None, revoked: NEVER_REVOKED.clone() }
    }
}

impl Accepted {
    fn new(tokens: Vec<Token>) -> Self {
        let with_end = |token| (token, Revocation::default());
        let tokens = tokens.into_iter().map(with_end).collect();
        Self { tokens, without_token: Revocation::default() }
    }

    /// The valid tokens after a reload; one with the same name, scope and secret is kept.
    fn replaced_by(&self, tokens: Vec<Token>) -> Self {
        let mut next = Self::new(tokens);
        for (token, end) in &mut next.tokens {
            if let Some((_, kept)) = self.tokens.iter().find(|(known, _)| known == token) {
                *end = kept.clone();
            }
        }
        if next.tokens.is_empty() && self.tokens.is_empty() {
            next.without_token = self.without_token.clone();
        }
        next
    }

    /// Ends everything that was opened with tokens that `next` does not have.
    fn revoke_all_but(&self, next: &Self) {
        let gone = |token: &Token| !next.tokens.iter().any(|(kept, _)| kept == token);
        for (token, end) in self.tokens.iter().filter(|(token, _)| gone(token)) {
            tracing::info!(token = token.name, "the token is revoked; its connections are closed");
            end.cancel();
        }
        if !next.tokens.is_empty() {
            self.without_token.cancel();
        }
    }
}

impl AccessControl {
    /// The tokens and limits of a configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            accepted: ArcSwap::from_pointee(Accepted::new(config.tokens.clone())),
            throttle: AttemptThrottle::new(config.limits.wrong_tokens),
            codes: Codes::default(),
            trusted_proxies: config.trusted_proxies.clone(),
        }
    }

    /// Whether no token is needed.
    pub fn is_open(&self) -> bool {
        self.accepted.load().tokens.is_empty()
    }

    /// Replaces the tokens, and ends everything that was opened with revoked ones.
    pub fn replace(&self, tokens: Vec<Token>) {
        let next = Arc::new(self.accepted.load().replaced_by(tokens));
        self.accepted.swap(next.clone()).revoke_all_but(&next);
    }

    /// The access for the request's token.
    ///
    /// The token is `Authorization: Bearer`, or `access_token` in the query where `in_query`
    /// allows, because a browser's WebSocket and `EventSource` can send no header.
    ///
    /// # Errors
    /// 401 without a known token, 403 where its scope does not cover `need`, 429 where this
    /// address showed too many wrong ones.
    pub fn check(
        &self,
        peer: Peer,
        headers: &HeaderMap,
        uri: &Uri,
        in_query: bool,
        need: RequiredScope,
    ) -> Result<AccessGrant> {
        let accepted = self.accepted.load();
        let Peer::Tcp(address) = peer else { return Ok(AccessGrant::for_good(TokenScope::Admin)) };
        if accepted.tokens.is_empty() {
            let revoked = accepted.without_token.clone();
            return Ok(AccessGrant { scope: TokenScope::Admin, token: None, revoked });
        }
        let (token, revoked) = self.look_up(address, headers, uri, in_query, |shown| {
            accepted.tokens.iter().find(|(token, _)| token.secret.matches(shown))
        })?;
        if token.scope.covers(need) {
            let name = Some(token.name.as_str().into());
            return Ok(AccessGrant { scope: token.scope, token: name, revoked: revoked.clone() });
        }
        Err(ErrorResponse::new(
            StatusCode::FORBIDDEN,
            format!(
                "the token `{}` has the scope `{}`; this needs `{}`",
                token.name,
                token.scope.as_str(),
                need.scope().as_str()
            ),
        ))
    }

    /// Checks the token of an adapter that has one of its own; 401 and 429 as [`Self::check`].
    ///
    /// # Errors
    ///
    /// The token is missing or wrong, or its address was wrong too often.
    pub fn check_own(
        &self,
        peer: Peer,
        headers: &HeaderMap,
        uri: &Uri,
        own: &Secret,
    ) -> Result<AccessGrant> {
        if let Peer::Tcp(address) = peer {
            let matches = |shown: &str| own.matches(shown).then_some(());
            self.look_up(address, headers, uri, true, matches)?;
        }
        // The adapter's settings hold this token, and a change of the settings ends its
        // connections.
        Ok(AccessGrant::for_good(TokenScope::Adapter))
    }

    /// Logs that an implementation of a platform or a bot was refused. Of each kind of refusal and each address the
    /// first few are logged, and then one a minute: such programs try again every few seconds, and most do not
    /// show the reason.
    pub fn log_refused(
        &self,
        client: Option<IpAddr>,
        path: &str,
        refusal: RefusalKind,
        reason: &str,
    ) {
        let may_log = |client: &IpAddr| self.throttle.may_log(*client, refusal);
        let Some(client) = client.filter(may_log) else { return };
        tracing::warn!(%client, path, reason, "a program that connects was refused");
    }

    /// The address of the client of a request over TCP.
    pub fn client_of(&self, peer: Peer, headers: &HeaderMap) -> Option<IpAddr> {
        match peer {
            Peer::Tcp(address) => Some(self.client(address, headers)),
            Peer::Unix => None,
        }
    }

    /// Looks up the token of a request. A wrong token counts against its address; it does not block
    /// a right token from the same address.
    fn look_up<T>(
        &self,
        address: IpAddr,
        headers: &HeaderMap,
        uri: &Uri,
        in_query: bool,
        find: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T> {
        let Some(shown) = shown(headers, uri, in_query) else {
            let text = "a token is needed: send `Authorization: Bearer <token>`";
            return Err(ErrorResponse::unauthorized(text));
        };
        if let Some(found) = find(&shown) {
            return Ok(found);
        }
        let text =
            "this token is not known here; send the right one as `Authorization: Bearer <token>`";
        Err(self.count_wrong(address, headers, uri, text))
    }

    /// Counts a wrong token or code against its address; returns 401 with this text, or 429.
    fn count_wrong(
        &self,
        address: IpAddr,
        headers: &HeaderMap,
        uri: &Uri,
        text: &str,
    ) -> ErrorResponse {
        let client = self.client(address, headers);
        METRICS.wrong_tokens.inc();
        tracing::debug!(%client, path = uri.path(), "refused a token that is not known");
        let Some(wait) = self.throttle.count_wrong(client) else {
            return ErrorResponse::unauthorized(text);
        };
        if wait.is_new {
            METRICS.limit_hit("wrong_tokens");
            tracing::warn!(%client, path = uri.path(), "too many wrong tokens from one address");
        }
        let text =
            "too many wrong tokens came from this address; wait a little, or send the right one";
        ErrorResponse::too_many_requests(text, wait.left)
    }

    /// The address of the client: that of the connection, or the one that a trusted proxy names.
    fn client(&self, address: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusted_proxies.contains(&address.to_canonical()) {
            return address;
        }
        // The proxy itself wrote the last entry of the last line; some also write the port.
        let mut lines = headers.get_all("x-forwarded-for").iter();
        let last = lines.next_back().and_then(|value| value.to_str().ok()?.rsplit(',').next());
        let read = |entry: &str| {
            let with_port = || entry.parse::<SocketAddr>().map(|at| at.ip());
            entry.parse::<IpAddr>().or_else(|_| with_port()).ok()
        };
        last.and_then(|entry| read(entry.trim())).unwrap_or(address)
    }
}

/// The token in a request.
pub fn shown(headers: &HeaderMap, uri: &Uri, in_query: bool) -> Option<String> {
    let header = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        // Some implementations of platforms write `Token`.
        let is_known = ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        is_known.then(|| token.trim().to_owned())
    });
    header.or_else(|| {
        let query = uri.query().filter(|_| in_query)?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == "access_token").map(|(_, token)| token.into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str, scope: TokenScope) -> Token {
        Token { name: name.into(), scope, secret: Secret::new(name) }
    }

    fn granted(access: &AccessControl, shown: Option<&str>) -> Result<AccessGrant> {
        let mut headers = HeaderMap::new();
        if let Some(shown) = shown {
            headers.insert(AUTHORIZATION, format!("Bearer {shown}").parse().unwrap());
        }
        let peer = Peer::Tcp("127.0.0.1".parse().unwrap());
        access.check(peer, &headers, &Uri::from_static("/"), false, RequiredScope::Read)
    }

    #[test]
    fn only_what_a_revoked_token_opened_ends() {
        let access = AccessControl::new(&Config::default());
        let open = granted(&access, None).unwrap();
        access.replace(vec![]);
        assert!(!open.revoked.is_cancelled());
        access.replace(vec![token("a", TokenScope::Read), token("b", TokenScope::Read)]);
        assert!(open.revoked.is_cancelled(), "now a token is needed");
        let [a, b] = ["a", "b"].map(|name| granted(&access, Some(name)).unwrap());
        access.replace(vec![token("a", TokenScope::Read), token("b", TokenScope::Admin)]);
        assert!(!a.revoked.is_cancelled());
        assert!(b.revoked.is_cancelled(), "its scope is another");
        access.replace(vec![]);
        assert!(a.revoked.is_cancelled() && granted(&access, None).is_ok());
    }
}
