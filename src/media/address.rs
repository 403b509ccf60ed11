//! Addresses from which media may be fetched: those of the public internet, and configured hosts.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Hosts from which media may be fetched although their addresses are private.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    hosts: HashSet<String>,
}

impl Allowed {
    /// The hosts of `[media] allow_private`: names or IP addresses.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        Self { hosts: hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect() }
    }

    /// Whether media may be fetched from this host at this address.
    pub fn allows(&self, host: &str, address: IpAddr) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        is_public(address) || self.hosts.contains(&host.to_ascii_lowercase())
    }
}

/// Whether an address is in the public internet (IANA's special-purpose registries, RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 224
        // Shared by carriers (RFC 6598).
        || (a == 100 && (64..128).contains(&b))
        // Protocol assignments (RFC 6890) and benchmarks (RFC 2544).
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (b == 18 || b == 19));
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Global unicast without documentation (RFC 3849, RFC 9637), Teredo and benchmarks.
    first & 0xE000 == 0x2000
        && (first, second) != (0x2001, 0x0DB8)
        && !(first == 0x2001 && second < 0x0200)
        && first & 0xFFF0 != 0x3FF0
}

/// The IPv4 address inside an IPv6 address: mapped, translated (RFC 6052) or 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let from = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0 | 0xFFFF, high, low]
        | [0x64, 0xFF9B, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        let private = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
        ];
        for address in private {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "198.20.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_host_that_is_named_may_be_private() {
        let allowed = Allowed::new(["NAS.local".into(), "::1".into()]);
        let private: IpAddr = "192.168.1.5".parse().unwrap();
        assert!(allowed.allows("nas.LOCAL", private));
        assert!(!allowed.allows("other.local", private));
        assert!(allowed.allows("[::1]", "::1".parse().unwrap()));
    }
}
