//! Names under which browsers reach the server.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A configured name: a host, perhaps with a port, perhaps with a scheme before it.
///
/// Without a port it stands for the default port of the scheme, without a scheme for `http` and
/// `https`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicHost {
    scheme: Option<String>,
    name: String,
    port: Option<String>,
}

impl PublicHost {
    /// Whether an authority (`Host`) has this name, whatever its port.
    pub fn is_named(&self, authority: &str) -> bool {
        self.name.eq_ignore_ascii_case(Self::without_port(authority))
    }

    /// Whether an authority (`Host`) is this name with its port.
    pub fn admits_host(&self, authority: &str) -> bool {
        let mut schemes = ["http", "https"].into_iter().filter(|scheme| self.has_scheme(scheme));
        self.is_named(authority)
            && schemes.any(|scheme| {
                let port = port_of(authority).unwrap_or(default_port(scheme));
                port == self.port.as_deref().unwrap_or(default_port(scheme))
            })
    }

    /// Whether a page's origin, split into scheme and authority, is this name.
    pub fn admits_origin(&self, scheme: &str, authority: &str) -> bool {
        let default = default_port(scheme);
        let port = port_of(authority).unwrap_or(default);
        self.is_named(authority)
            && self.has_scheme(scheme)
            && port == self.port.as_deref().unwrap_or(default)
    }

    fn has_scheme(&self, scheme: &str) -> bool {
        self.scheme.as_deref().is_none_or(|known| known == scheme)
    }

    /// The host, and its port where one is configured.
    pub fn authority(&self) -> String {
        self.port.as_ref().map_or_else(|| self.name.clone(), |port| format!("{}:{port}", self.name))
    }

    /// The name in an authority.
    pub fn without_port(authority: &str) -> &str {
        match port_of(authority) {
            Some(port) => &authority[..authority.len() - port.len() - 1],
            None => authority,
        }
    }
}

fn port_of(authority: &str) -> Option<&str> {
    let (_, port) = authority.rsplit_once(':')?;
    (!port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())).then_some(port)
}

fn default_port(scheme: &str) -> &'static str {
    if scheme == "https" { "443" } else { "80" }
}

impl FromStr for PublicHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, authority) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let name = Self::without_port(authority).to_owned();
        let is_known = scheme.as_deref().is_none_or(|scheme| matches!(scheme, "http" | "https"));
        let is_name = authority.parse::<hyper::http::uri::Authority>().is_ok();
        if !is_known || !is_name || name.is_empty() || name.contains('@') {
            // A name and a password may stand before it.
            let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
            return Err(format!(
                "`public_hosts`: {text:?} is no host name; write it as chat.example.com or https://chat.example.com"
            ));
        }
        let port = port_of(authority).map(str::to_owned);
        Ok(Self { scheme, name, port })
    }
}

impl TryFrom<String> for PublicHost {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PublicHost> for String {
    fn from(host: PublicHost) -> Self {
        host.to_string()
    }
}

impl fmt::Display for PublicHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = &self.scheme {
            write!(f, "{scheme}://")?;
        }
        f.write_str(&self.name)?;
        self.port.as_ref().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_shown_alike() {
        for text in ["chat.example.com", "https://chat.example.com", "[::1]:8443", "lan:80"] {
            assert_eq!(text.parse::<PublicHost>().unwrap().to_string(), text);
        }
        for wrong in ["", "chat.example.com/rechat", "ftp://x", "https://", "a b", "user@host"] {
            assert!(wrong.parse::<PublicHost>().is_err(), "{wrong}");
        }
    }
}
