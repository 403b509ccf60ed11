//! Who may ask: the token, and browsers' pages only of our own origin (contract, Part 2, item 21).

use super::Peer;
use super::error::{Refusal, Result};
use crate::config::{Config, Secret};
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN};
use hyper::{StatusCode, Uri};
use std::net::IpAddr;

/// Checks the names a browser cannot forge: `Host` against DNS rebinding, `Origin` against pages
/// of elsewhere. The Unix socket has file modes instead.
pub fn check_origin(peer: Peer, uri: &Uri, headers: &HeaderMap, config: &Config) -> Result<()> {
    if peer == Peer::Unix {
        return Ok(());
    }
    let host = uri.authority().map(hyper::http::uri::Authority::as_str);
    let host = host.or_else(|| headers.get(HOST)?.to_str().ok());
    if host.is_some_and(|host| !is_ours(host, config)) {
        return Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this `Host` is not served here; add the name to `public_hosts` in the configuration",
        ));
    }
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let from = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1));
    let is_allowed = from.is_some_and(|from| Some(from) == host || is_public(from, config));
    if is_allowed {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::FORBIDDEN,
        "pages of another `Origin` may not ask here; add its host to `public_hosts` in the configuration",
    ))
}

/// Checks the token, where one is needed: `Authorization: Bearer`, or `access_token` in the query
/// where `in_query` allows, because a browser's WebSocket and `EventSource` can send no header.
pub fn check_token(
    peer: Peer,
    headers: &HeaderMap,
    uri: &Uri,
    token: Option<&Secret>,
    in_query: bool,
) -> Result<()> {
    let Some(token) = token else { return Ok(()) };
    if peer == Peer::Unix {
        return Ok(());
    }
    let header = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, word) = value.to_str().ok()?.split_once(' ')?;
        // Some implementations of OneBot say `Token`.
        let is_known = ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        is_known.then(|| word.trim())
    });
    let from_query = || {
        let mut pairs = form_urlencoded::parse(uri.query()?.as_bytes());
        pairs.find(|(name, _)| name == "access_token").map(|(_, word)| word.into_owned())
    };
    let is_right = match header {
        Some(word) => token.matches(word),
        None => in_query && from_query().is_some_and(|word| token.matches(&word)),
    };
    if is_right {
        return Ok(());
    }
    Err(Refusal::no_token(
        "a token is needed: send `Authorization: Bearer <token>`, and the right one",
    ))
}

/// A name that leads here: an address, `localhost`, or one that is configured.
fn is_ours(authority: &str, config: &Config) -> bool {
    let name = without_port(authority);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_address = address.is_ok_and(|ip| ip.is_loopback() || !config.listen.ip().is_loopback());
    is_address || name.eq_ignore_ascii_case("localhost") || is_public(authority, config)
}

fn is_public(authority: &str, config: &Config) -> bool {
    let is_named = |host: &String| {
        host.eq_ignore_ascii_case(authority) || host.eq_ignore_ascii_case(without_port(authority))
    };
    config.public_hosts.iter().any(is_named)
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listen: &str, headers: &[(&'static str, &str)]) -> Option<u16> {
        let config = Config {
            listen: listen.parse().unwrap(),
            public_hosts: vec!["chat.example.com".into()],
            ..Config::default()
        };
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let refused = check_origin(Peer::Tcp, &Uri::from_static("/"), &headers, &config).err();
        refused.map(|refusal| refusal.into_answer().status().as_u16())
    }

    #[test]
    fn only_our_own_names_and_pages_are_let_in() {
        let local = "127.0.0.1:8080";
        assert_eq!(check(local, &[("host", "127.0.0.1:8080")]), None);
        assert_eq!(check(local, &[("host", "localhost:9000")]), None);
        assert_eq!(check(local, &[("host", "[::1]:8080")]), None);
        assert_eq!(check(local, &[("host", "chat.example.com")]), None);
        assert_eq!(check(local, &[("host", "evil.example")]), Some(421));
        assert_eq!(check(local, &[("host", "10.0.0.1:8080")]), Some(421));
        assert_eq!(check("0.0.0.0:8080", &[("host", "10.0.0.1:8080")]), None);
        let own = ("host", "127.0.0.1:8080");
        assert_eq!(check(local, &[own, ("origin", "http://127.0.0.1:8080")]), None);
        assert_eq!(check(local, &[own, ("origin", "https://chat.example.com")]), None);
        assert_eq!(check(local, &[own, ("origin", "http://127.0.0.1:3000")]), Some(403));
        assert_eq!(check(local, &[own, ("origin", "http://evil.example")]), Some(403));
        assert_eq!(check(local, &[own, ("origin", "null")]), Some(403));
    }
}
