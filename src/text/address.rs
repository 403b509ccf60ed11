//! Addresses that are shown to people.

/// An address without the secrets that it may contain: stars replace the user, and the value of
/// each part of the query. A text that is not an address is accepted, too.
pub fn without_secrets(address: &str) -> String {
    let (place, query) = address.split_at(address.find(['?', '#']).unwrap_or(address.len()));
    let mut shown = String::with_capacity(address.len());
    match place.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            shown.extend([scheme, "://"]);
            match host.rsplit_once('@') {
                Some((_, host)) => shown.extend(["***@", host]),
                None => shown.push_str(host),
            }
            shown.push_str(path);
        }
        None => match place.rsplit_once('@') {
            Some((_, rest)) => shown.extend(["***@", rest]),
            None => shown.push_str(place),
        },
    }
    for part in query.split_inclusive(['?', '#', '&']) {
        let (part, end) = match part.strip_suffix(['?', '#', '&']) {
            Some(rest) => (rest, &part[rest.len()..]),
            None => (part, ""),
        };
        match part.split_once('=') {
            Some((name, _)) => shown.extend([name, "=***"]),
            None if part.is_empty() => {}
            None => shown.push_str("***"),
        }
        shown.push_str(end);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_what_may_be_a_secret() {
        for (address, shown) in [
            ("ws://host:8081/onebot/v11/ws", "ws://host:8081/onebot/v11/ws"),
            ("wss://me:hidden@host/ws?access_token=hidden", "wss://***@host/ws?access_token=***"),
            ("ws://h?a=hidden&b=hidden=x&hidden", "ws://h?a=***&b=***&***"),
            ("ws://hidden@x@h/p@q#token=hidden", "ws://***@h/p@q#token=***"),
            ("me:hidden@host/ws?hidden", "***@host/ws?***"),
            ("no address", "no address"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(address), shown, "{address}");
        }
    }
}
