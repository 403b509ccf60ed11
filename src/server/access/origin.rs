//! Web pages: only pages of the server's own origin may use the API (contract, Part 2, item 21).

use crate::config::{Config, PublicHost};
use crate::server::error::{ErrorResponse, Result};
use crate::server::peer::Peer;
use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::{StatusCode, Uri};
use std::net::IpAddr;

/// Kind of the target of a request, for the rules about origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginTarget {
    /// The page itself: other sites may link to it.
    Page,
    /// A path for implementations of platforms, which may use any host name (`host.docker.internal`).
    Adapter,
    /// Everything else.
    Api,
}

/// Checks headers that a web page cannot forge: `Host` against DNS rebinding, `Origin` and
/// `Sec-Fetch-Site` against pages of other sites. The Unix socket is protected by its file mode
/// instead.
///
/// # Errors
/// 403 for a page of another origin, 421 for a foreign `Host`.
pub fn check_origin(
    peer: Peer,
    uri: &Uri,
    headers: &HeaderMap,
    config: &Config,
    target: OriginTarget,
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
    let is_from_elsewhere = is_from_elsewhere(headers) && !is_link(headers, target);
    if target == OriginTarget::Adapter && origin.is_none() && !is_from_elsewhere {
        return Ok(());
    }
    if host.is_some_and(|host| !is_ours(host, config)) {
        return Err(ErrorResponse::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this `Host` is not served here; add the name to `public_hosts` in the configuration",
        ));
    }
    let is_foreign = origin.is_some_and(|origin| !is_allowed(origin, host, config));
    if is_foreign || (origin.is_none() && is_from_elsewhere) {
        return Err(ErrorResponse::new(
            StatusCode::FORBIDDEN,
            "pages of another `Origin` may not ask here; add its host to `public_hosts`, or itself to `cors_origins` in the configuration",
        ));
    }
    Ok(())
}

/// Whether the browser says that a page of another origin made this request (Fetch Metadata,
/// section 2.4). `none` means that the user made it.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

/// Whether the user followed a link to the page.
fn is_link(headers: &HeaderMap, target: OriginTarget) -> bool {
    target == OriginTarget::Page
        && headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
}

/// Whether pages of an origin may use the API: those with a configured name, scheme and port, and
/// those with the same `Host` as the request.
fn is_allowed(origin: &str, host: Option<&str>, config: &Config) -> bool {
    let Some((scheme, from)) = origin.split_once("://") else { return false };
    if config.tls.is_some() && scheme != "https" {
        return false;
    }
    if config.public_hosts.iter().any(|known| known.admits_origin(scheme, from)) {
        return true;
    }
    // A configured name is reached through a proxy, so only the configured scheme and port are
    // accepted.
    let is_direct = |host: &str| !is_public_name(host, config) || is_own_port(host, config);
    host.is_some_and(|host| host.eq_ignore_ascii_case(from) && is_direct(host))
}

fn is_public_name(authority: &str, config: &Config) -> bool {
    config.public_hosts.iter().any(|known| known.is_named(authority))
}

fn is_own_port(authority: &str, config: &Config) -> bool {
    authority.rsplit_once(':').is_some_and(|(_, port)| port == config.listen.port().to_string())
}

/// A host name of this server: an address, `localhost`, or a configured name.
fn is_ours(authority: &str, config: &Config) -> bool {
    let name = PublicHost::without_port(authority);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_address = address.is_ok_and(|ip| ip.is_loopback() || !config.listen.ip().is_loopback());
    is_address
        || name.eq_ignore_ascii_case("localhost")
        || config.public_hosts.iter().any(|known| known.admits_host(authority))
        || (is_public_name(authority, config) && is_own_port(authority, config))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: Peer = Peer::Tcp(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    fn check(listen: &str, headers: &[(&'static str, &str)]) -> Option<u16> {
        refused(listen, headers, OriginTarget::Api)
    }

    fn refused(
        listen: &str,
        headers: &[(&'static str, &str)],
        target: OriginTarget,
    ) -> Option<u16> {
        let hosts = ["chat.example.com", "https://strict.example.com", "http://lan.example:8443"];
        let config = Config {
            listen: listen.parse().unwrap(),
            public_hosts: hosts.map(|host| host.parse().unwrap()).to_vec(),
            cors_origins: vec!["https://app.example".into()],
            ..Config::default()
        };
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let refused = check_origin(LOCAL, &Uri::from_static("/"), &headers, &config, target).err();
        refused.map(|error| error.into_answer().status().as_u16())
    }

    #[test]
    fn only_our_own_names_are_served() {
        let local = "127.0.0.1:8080";
        for host in ["127.0.0.1:8080", "localhost:9000", "[::1]:8080", "chat.example.com"] {
            assert_eq!(check(local, &[("host", host)]), None, "{host}");
        }
        for host in ["chat.example.com:443", "chat.example.com:8080", "lan.example:8443"] {
            assert_eq!(check(local, &[("host", host)]), None, "{host}");
        }
        for host in ["evil.example", "10.0.0.1:8080", "chat.example.com:3000", "lan.example"] {
            assert_eq!(check(local, &[("host", host)]), Some(421), "{host}");
        }
        assert_eq!(check("0.0.0.0:8080", &[("host", "10.0.0.1:8080")]), None);
        assert_eq!(
            refused(local, &[("host", "host.docker.internal")], OriginTarget::Adapter),
            None
        );
        let rebound = [("host", "evil.example"), ("origin", "http://evil.example")];
        assert_eq!(refused(local, &rebound, OriginTarget::Adapter), Some(421));
    }

    #[test]
    fn only_pages_of_our_own_origin_may_ask() {
        let local = "127.0.0.1:8080";
        for (host, origin, status) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080", None),
            ("127.0.0.1:8080", "https://chat.example.com", None),
            ("127.0.0.1:8080", "http://chat.example.com", None),
            ("127.0.0.1:8080", "https://chat.example.com:3000", Some(403)),
            ("chat.example.com:8080", "http://chat.example.com:8080", None),
            ("chat.example.com", "https://chat.example.com", None),
            ("strict.example.com", "https://strict.example.com", None),
            ("strict.example.com", "http://strict.example.com", Some(403)),
            ("lan.example:8443", "http://lan.example:8443", None),
            ("lan.example:8443", "https://lan.example:8443", Some(403)),
            ("127.0.0.1:8080", "http://127.0.0.1:3000", Some(403)),
            ("127.0.0.1:8080", "http://evil.example", Some(403)),
            ("127.0.0.1:8080", "null", Some(403)),
            ("127.0.0.1:8080", "https://app.example", None),
            ("127.0.0.1:8080", "http://app.example", Some(403)),
        ] {
            let answered = check(local, &[("host", host), ("origin", origin)]);
            assert_eq!(answered, status, "{origin} at {host}");
        }
    }

    #[test]
    fn what_a_browser_says_of_another_site_counts_without_an_origin_too() {
        let (local, host) = ("127.0.0.1:8080", ("host", "127.0.0.1:8080"));
        for (site, status) in [
            ("cross-site", Some(403)),
            ("same-site", Some(403)),
            ("same-origin", None),
            ("none", None),
        ] {
            let fields = [host, ("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")];
            assert_eq!(check(local, &fields), status, "{site}");
            assert_eq!(refused(local, &fields, OriginTarget::Adapter), status, "{site}");
        }
        let link = [host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        assert_eq!(refused(local, &link, OriginTarget::Page), None, "a link to the page");
        assert_eq!(check(local, &link), Some(403), "a link into the API");
        let configured =
            [host, ("origin", "https://app.example"), ("sec-fetch-site", "cross-site")];
        assert_eq!(check(local, &configured), None);
    }
}
