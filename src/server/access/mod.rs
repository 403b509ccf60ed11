//! Who may ask for what: tokens and their scopes (contract, Part 2, item 21).

mod origin;
mod strikes;

pub use origin::check_origin;

use super::Peer;
use super::error::{Refusal, Result};
use crate::config::{Config, Need, Scope, Secret, Token};
use crate::metrics::METRICS;
use arc_swap::ArcSwap;
use hyper::StatusCode;
use hyper::Uri;
use hyper::header::{AUTHORIZATION, HeaderMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use strikes::Strikes;
pub use strikes::network;

/// The tokens in force, and who guessed at them.
#[derive(Debug)]
pub struct Access {
    tokens: ArcSwap<Vec<Token>>,
    strikes: Strikes,
    /// Proxies whose word on where a request comes from is believed.
    proxies: Vec<IpAddr>,
}

impl Access {
    /// The tokens and limits of a configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            tokens: ArcSwap::from_pointee(config.tokens.clone()),
            strikes: Strikes::new(config.limits.wrong_tokens),
            proxies: config.proxies.clone(),
        }
    }

    /// Puts other tokens in force, for requests from now on.
    pub fn replace(&self, tokens: Vec<Token>) {
        self.tokens.store(Arc::new(tokens));
    }

    /// What the request's token lets it do; refused where that does not cover `need`. The token
    /// is `Authorization: Bearer`, or `access_token` in the query where `in_query` allows, because
    /// a browser's WebSocket and `EventSource` can send no header.
    pub fn check(
        &self,
        peer: Peer,
        headers: &HeaderMap,
        uri: &Uri,
        in_query: bool,
        need: Need,
    ) -> Result<Scope> {
        let tokens = self.tokens.load();
        let Peer::Tcp(address) = peer else { return Ok(Scope::Admin) };
        if tokens.is_empty() {
            return Ok(Scope::Admin);
        }
        let found = self.look_up(address, headers, uri, in_query, |word| {
            tokens.iter().find(|token| token.secret.matches(word))
        })?;
        if found.scope.covers(need) {
            return Ok(found.scope);
        }
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            format!(
                "the token `{}` has the scope `{}`; this needs `{}`",
                found.name,
                found.scope.as_str(),
                need.scope().as_str()
            ),
        ))
    }

    /// Whether an implementation may dial in where a door has a token of its own.
    pub fn check_own(
        &self,
        peer: Peer,
        headers: &HeaderMap,
        uri: &Uri,
        own: &Secret,
    ) -> Result<()> {
        let Peer::Tcp(address) = peer else { return Ok(()) };
        self.look_up(address, headers, uri, true, |word| own.matches(word).then_some(()))
    }

    /// Finds what the token shown stands for; one that stands for nothing is a strike.
    fn look_up<T>(
        &self,
        address: IpAddr,
        headers: &HeaderMap,
        uri: &Uri,
        in_query: bool,
        find: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T> {
        let Some(word) = shown(headers, uri, in_query) else {
            let text = "a token is needed: send `Authorization: Bearer <token>`";
            return Err(Refusal::no_token(text));
        };
        let client = self.client(address, headers);
        if let Some(left) = self.strikes.is_out(client) {
            return Err(Refusal::too_many(
                "too many wrong tokens came from this address; wait a little",
                left,
            ));
        }
        find(&word).ok_or_else(|| {
            METRICS.wrong_tokens.inc();
            tracing::info!(%client, path = uri.path(), "refused a token that is not known");
            if self.strikes.strike(client) {
                tracing::warn!(%client, "too many wrong tokens; this address has to wait");
            }
            let text = "this token is not known here; send the right one as `Authorization: Bearer <token>`";
            Refusal::no_token(text)
        })
    }

    /// Where a request comes from: its address, or what a proxy of ours says of it.
    fn client(&self, address: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.proxies.contains(&address.to_canonical()) {
            return address;
        }
        // The last word is the proxy's own, on the last of the lines; some say the port, too.
        let mut lines = headers.get_all("x-forwarded-for").iter();
        let said = lines.next_back().and_then(|value| value.to_str().ok()?.rsplit(',').next());
        let read = |said: &str| {
            let with_port = || said.parse::<SocketAddr>().map(|at| at.ip());
            said.parse::<IpAddr>().or_else(|_| with_port()).ok()
        };
        said.and_then(|said| read(said.trim())).unwrap_or(address)
    }
}

/// The token that a request shows.
fn shown(headers: &HeaderMap, uri: &Uri, in_query: bool) -> Option<String> {
    let header = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, word) = value.to_str().ok()?.split_once(' ')?;
        // Some implementations of OneBot say `Token`.
        let is_known = ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        is_known.then(|| word.trim().to_owned())
    });
    header.or_else(|| {
        let query = uri.query().filter(|_| in_query)?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == "access_token").map(|(_, word)| word.into_owned())
    })
}
