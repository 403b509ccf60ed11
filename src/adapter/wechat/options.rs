//! The settings of iLink's own, read and checked.

use crate::adapter::api::OwnSettings;
use crate::adapter::definition::read_own;
use hyper::Uri;
use serde::Deserialize;
use std::time::Duration;

/// The official addresses.
const URL: &str = "https://ilinkai.weixin.qq.com";
const CDN: &str = "https://novac2c.cdn.weixin.qq.com/c2c";

/// How long a message waits for a person to write.
const WINDOW_TTL: Duration = Duration::from_hours(7 * 24);

/// The most characters of one text: a longer one may be cut in silence.
const MAX_TEXT: usize = 2_000;

/// The keys of an `[[adapter]]` entry that only this kind has.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Own {
    url: Option<String>,
    cdn: Option<String>,
    window_ttl: Option<u64>,
    max_text: Option<usize>,
    join_texts: bool,
}

/// The settings of this kind, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IlinkOptions {
    /// The address of the interface.
    pub(super) url: String,
    /// The address of the media.
    pub(super) cdn: String,
    /// How long a message waits for a person to write.
    pub(super) window_ttl: Duration,
    /// The most characters of one text.
    pub(super) max_text: usize,
    /// Texts that wait one after the other go out as one.
    pub(super) join_texts: bool,
}

impl IlinkOptions {
    /// Reads them; the error names the key.
    pub(super) fn read(own: OwnSettings) -> Result<Self, String> {
        let own: Own = read_own(own)?;
        let window_ttl = own.window_ttl.map_or(WINDOW_TTL, Duration::from_secs);
        let max_text = own.max_text.unwrap_or(MAX_TEXT);
        if window_ttl.is_zero() {
            return Err("`window_ttl` is 0; give seconds, above 0".into());
        }
        if max_text == 0 {
            return Err("`max_text` is 0; give characters, above 0".into());
        }
        Ok(Self {
            url: address("url", own.url, URL)?,
            cdn: address("cdn", own.cdn, CDN)?,
            window_ttl,
            max_text,
            join_texts: own.join_texts,
        })
    }

    /// The most characters of a text that several are joined to; `None` where they are not.
    pub(super) fn join_limit(&self) -> Option<usize> {
        self.join_texts.then_some(self.max_text)
    }
}

/// An address of the web, without the slash at its end.
fn address(key: &str, given: Option<String>, default: &str) -> Result<String, String> {
    let Some(given) = given else { return Ok(default.to_owned()) };
    let is_web = given.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none()
    });
    if is_web {
        Ok(given.trim_end_matches('/').to_owned())
    } else {
        Err(format!("`{key}` is `{given}`; give it as https://host/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<IlinkOptions, String> {
        IlinkOptions::read(toml::from_str(text).unwrap())
    }

    #[test]
    fn the_defaults_are_the_official_addresses() {
        let options = options("").unwrap();
        assert_eq!((&*options.url, &*options.cdn), (URL, CDN));
        assert_eq!(options.window_ttl, Duration::from_hours(7 * 24));
        assert_eq!(options.join_limit(), None);
    }

    #[test]
    fn an_error_names_the_key() {
        assert_eq!(options("url = 'http://h:1/'").unwrap().url, "http://h:1");
        for (text, key) in [
            ("url = 'ws://h/'", "`url`"),
            ("cdn = 'h'", "`cdn`"),
            ("window_ttl = 0", "`window_ttl`"),
            ("window_ttl = 'x'", "`window_ttl`"),
            ("max_text = 0", "`max_text`"),
            ("join_texts = 1", "join_texts"),
            ("speed = 1", "speed"),
        ] {
            let error = options(text).unwrap_err();
            assert!(error.contains(key), "{text}: {error}");
        }
    }
}
