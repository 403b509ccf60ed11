//! Browsers' pages only of our own origin (contract, Part 2, item 21).

use crate::config::Config;
use crate::server::Peer;
use crate::server::error::{Refusal, Result};
use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::{StatusCode, Uri};
use std::net::IpAddr;

/// Checks the names a browser cannot forge: `Host` against DNS rebinding, `Origin` against pages
/// of elsewhere. The Unix socket has file modes instead, and an implementation that dials in may
/// know us by any name (`host.docker.internal`), as long as it is no browser.
pub fn check_origin(
    peer: Peer,
    uri: &Uri,
    headers: &HeaderMap,
    config: &Config,
    is_dial_in: bool,
) -> Result<()> {
    if peer == Peer::Unix {
        return Ok(());
    }
    let host = uri.authority().map(hyper::http::uri::Authority::as_str);
    let host = host.or_else(|| headers.get(HOST)?.to_str().ok());
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    if origin.is_some_and(|origin| config.cors_origins.iter().any(|known| known == origin)) {
        return Ok(());
    }
    if is_dial_in && origin.is_none() {
        return Ok(());
    }
    if host.is_some_and(|host| !is_ours(host, config)) {
        return Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this `Host` is not served here; add the name to `public_hosts` in the configuration",
        ));
    }
    let Some(origin) = origin else { return Ok(()) };
    let from = origin.split_once("://").map(|(_, from)| from);
    let is_allowed = from.is_some_and(|from| Some(from) == host || is_public(from, config));
    if is_allowed {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::FORBIDDEN,
        "pages of another `Origin` may not ask here; add its host to `public_hosts` in the configuration",
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

    const LOCAL: Peer = Peer::Tcp(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    fn check(listen: &str, headers: &[(&'static str, &str)]) -> Option<u16> {
        refused(listen, headers, false)
    }

    fn refused(listen: &str, headers: &[(&'static str, &str)], dials: bool) -> Option<u16> {
        let config = Config {
            listen: listen.parse().unwrap(),
            public_hosts: vec!["chat.example.com".into()],
            cors_origins: vec!["https://app.example".into()],
            ..Config::default()
        };
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let refused = check_origin(LOCAL, &Uri::from_static("/"), &headers, &config, dials).err();
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
        assert_eq!(refused(local, &[("host", "host.docker.internal")], true), None);
        let rebound = [("host", "evil.example"), ("origin", "http://evil.example")];
        assert_eq!(refused(local, &rebound, true), Some(421));
        let own = ("host", "127.0.0.1:8080");
        assert_eq!(check(local, &[own, ("origin", "http://127.0.0.1:8080")]), None);
        assert_eq!(check(local, &[own, ("origin", "https://chat.example.com")]), None);
        assert_eq!(check(local, &[own, ("origin", "http://127.0.0.1:3000")]), Some(403));
        assert_eq!(check(local, &[own, ("origin", "http://evil.example")]), Some(403));
        assert_eq!(check(local, &[own, ("origin", "null")]), Some(403));
        assert_eq!(check(local, &[own, ("origin", "https://app.example")]), None);
        assert_eq!(check(local, &[own, ("origin", "http://app.example")]), Some(403));
    }
}
