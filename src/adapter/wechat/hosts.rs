//! Addresses that the platform tells: tokens and files go to no private host that the configuration
//! does not name (contract, item 36).

use hyper::Uri;
use hyper::http::uri::Scheme;

/// Whether a told address may be that of the interface.
pub(super) fn is_base(told: &str, configured: &str) -> bool {
    !told.contains(['?', '#']) && may_send_to(told, configured)
}

/// Whether data may be sent to an address that the platform gave: only configured hosts may be private
/// or without encryption.
pub(super) fn may_send_to(told: &str, configured: &str) -> bool {
    let (Ok(uri), Ok(configured)) = (told.parse::<Uri>(), configured.parse::<Uri>()) else {
        return false;
    };
    if uri.host().is_none_or(str::is_empty) {
        return false;
    }
    let is_configured =
        uri.scheme() == configured.scheme() && uri.authority() == configured.authority();
    is_configured || uri.scheme() == Some(&Scheme::HTTPS) && uri.host().is_some_and(is_name)
}

/// An address without its parameters, which may hold a key.
pub(super) fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

/// Whether a host is a name of the public internet, and no address.
fn is_name(host: &str) -> bool {
    let is_local = host.eq_ignore_ascii_case("localhost") || !host.contains('.');
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    !is_local && !host.starts_with('[') && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_to_public_hosts_with_encryption_and_to_configured_ones() {
        let cdn = "http://127.0.0.1:5/c2c";
        for told in ["https://cdn.example/upload?a=b", "http://127.0.0.1:5/put?a=b"] {
            assert!(may_send_to(told, cdn), "{told}");
        }
        for told in [
            "http://cdn.example/upload",
            "http://127.0.0.1:6/put",
            "https://127.0.0.1:5/put",
            "https://[::1]/",
            "https://localhost/",
            "https://router/",
            "file:///etc",
            "/upload",
        ] {
            assert!(!may_send_to(told, cdn), "{told}");
        }
        assert_eq!(without_query("https://h/a?key=1"), "https://h/a");
    }
}
