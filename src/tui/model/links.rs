//! Addresses of the web in what people write.

use std::ops::Range;

/// Characters that end an address, beside spaces.
const ADDRESS_ENDS: &[char] =
    &['<', '>', '"', '“', '”', '，', '。', '、', '！', '？', '）', '】', '》', '「', '」'];

/// Characters that an address does not end with.
const TRAILING: &[char] = &['.', ',', ';', ':', '!', '?', ')', ']', '}', '\'', '*'];

/// Where the addresses of a text are.
pub fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(place) = text[from..].find("http") {
        let start = from + place;
        let rest = &text[start..];
        let scheme = ["https://", "http://"].into_iter().find(|scheme| rest.starts_with(scheme));
        let Some(scheme) = scheme else {
            from = start + "http".len();
            continue;
        };
        let is_end = |c: char| c.is_whitespace() || c.is_control() || ADDRESS_ENDS.contains(&c);
        let end = rest.find(is_end).unwrap_or(rest.len());
        let mut address = rest[..end].trim_end_matches(TRAILING);
        // A bracket that was opened in the address belongs to it.
        if rest[address.len()..].starts_with(')') && address.contains('(') {
            address = &rest[..=address.len()];
        }
        from = start + address.len().max(scheme.len());
        if address.len() > scheme.len() {
            found.push(start..start + address.len());
        }
    }
    found
}

/// The host of an address.
pub fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit('@').next()?;
    (!host.is_empty()).then_some(host)
}

/// The file's name that an address ends with, where it looks like one.
pub fn file_name(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (_, path) = rest.split(['?', '#']).next()?.split_once('/')?;
    let name = path.rsplit('/').next()?;
    let (stem, extension) = name.rsplit_once('.')?;
    let is_name = !stem.is_empty()
        && stem.len() <= 80
        && (1..=5).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_without_what_stands_behind_them() {
        let of = |text: &'static str| find(text).into_iter().map(|r| &text[r]).collect::<Vec<_>>();
        assert_eq!(of("(see http://a.b/c). Or https://d"), ["http://a.b/c", "https://d"]);
        assert_eq!(of("看https://例子.cn/路。好"), ["https://例子.cn/路"]);
        assert_eq!(of("https://a/b_(c)."), ["https://a/b_(c)"]);
        assert!(of("http https:// nothing").is_empty());
    }

    #[test]
    fn names_and_hosts_are_read() {
        assert_eq!(host("https://me@a.b:80/c"), Some("a.b:80"));
        assert_eq!(file_name("https://a/b/c.tar.gz#x"), Some("c.tar.gz"));
        assert_eq!(file_name("https://a/b/download"), None);
        assert_eq!(file_name("https://a.png"), None);
    }
}
