//! The greeting for a person who starts the server on a terminal.

use crate::adapter::{Kind, kinds};
use crate::config::{Config, PublicHost};
use crate::server::certificate_is_for;
use std::io::IsTerminal;
use std::net::SocketAddr;

/// Prints where the page is, where adapters dial in, and what to do next; at a terminal only.
#[allow(clippy::print_stderr, reason = "a word for people")]
pub(super) fn welcome(config: &Config, address: SocketAddr) {
    if std::io::stderr().is_terminal() {
        eprintln!("{}", text(config, address));
    }
}

/// The page's address, as this host reaches it.
pub(super) fn page(config: &Config, address: SocketAddr) -> String {
    format!("http{}/", base(config, address))
}

/// The part that the addresses of page and adapters share, after `http` or `ws`.
fn base(config: &Config, address: SocketAddr) -> String {
    let host = host(config, address);
    let tls = if config.tls.is_some() { "s" } else { "" };
    format!("{tls}://{host}{}", config.prefix)
}

/// The host and port by which this machine reaches the server: with HTTPS one that the certificate
/// names, where there is one.
fn host(config: &Config, address: SocketAddr) -> String {
    let local = format!("localhost:{}", address.port());
    let direct = if address.ip().is_unspecified() { local.clone() } else { address.to_string() };
    let Some(tls) = &config.tls else { return direct };
    let public = config.public_hosts.iter().map(PublicHost::authority);
    let mut hosts = [direct.clone(), local].into_iter().chain(public);
    let is_named = |host: &String| certificate_is_for(tls, PublicHost::without_port(host));
    hosts.find(is_named).unwrap_or(direct)
}

fn text(config: &Config, address: SocketAddr) -> String {
    let (page, base) = (page(config, address), base(config, address));
    let has_token = !config.tokens.is_empty();
    let token = if has_token { "  (access token: one that may connect as an adapter)" } else { "" };
    let endpoint = |kind: &Kind| {
        let path = kind.paths.first()?;
        Some(format!("  {:<14} ws{base}{path}{token}\n", kind.title))
    };
    let endpoints: String = kinds().filter_map(endpoint).collect();
    format!(
        "
  The page       {page}
{endpoints}
  In another terminal:  rechat open
                        rechat tui
                        rechat list --follow
                        rechat send -r group_123456 'Hello'
  Something is wrong?   rechat doctor
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_can_be_pasted_as_they_are() {
        let config = Config { prefix: "/chat".into(), ..Config::default() };
        let text = text(&config, "0.0.0.0:9000".parse().unwrap());
        assert!(
            text.contains("  OneBot 11      ws://localhost:9000/chat/onebot/v11/ws\n"),
            "{text}"
        );
        assert!(text.contains("http://localhost:9000/chat/\n"), "{text}");
    }
}
