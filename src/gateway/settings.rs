//! `[[bot]]` entries of the configuration.

use super::filter::BotFilter;
use crate::model::message::check_name;
use crate::text::without_secrets;
use hyper::Uri;
use serde::Deserialize;
use std::fmt;

/// Default of `catch_up_seconds`.
const CATCH_UP_SECONDS: u64 = 300;

/// The protocol of a bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BotKind {
    /// OneBot 11, which frameworks for QQ use.
    OneBot11,
    /// Satori 1; the framework connects to rechat.
    Satori,
}

impl BotKind {
    /// The name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneBot11 => "onebot11",
            Self::Satori => "satori",
        }
    }
}

/// One `[[bot]]` entry: checked, with the defaults.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BotEntry")]
pub struct BotConfig {
    /// The name of the bot, which is unique.
    pub name: String,
    /// The protocol that its framework speaks.
    pub kind: BotKind,
    /// The address of the framework, if rechat connects to it or posts to it.
    pub url: Option<Uri>,
    /// The bot's own token.
    pub token: Option<String>,
    /// The server's own token, with which rechat connects to a framework for a bot without a token. It is
    /// part of the settings, so that a new token takes effect.
    pub server_token: Option<String>,
    /// Platform and account; empty means every account.
    pub accounts: Vec<(String, String)>,
    /// Greatest age of events that a bot gets when it reconnects; 0 means none of them.
    pub catch_up_seconds: u64,
    /// The events that the bot gets.
    pub filter: BotFilter,
}

impl fmt::Debug for BotConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BotConfig").field("name", &self.name).finish_non_exhaustive()
    }
}

impl BotConfig {
    /// Whether the change from these settings to the new ones needs a new connection.
    pub(super) fn needs_restart(&self, new: &Self) -> bool {
        let connection = |config: &Self| {
            let Self { kind, url, token, server_token, accounts, .. } = config.clone();
            // A program that dials shows the server's tokens, which the server checks itself.
            let server_token = server_token.filter(|_| url.is_some() && token.is_none());
            (kind, url, token, server_token, accounts)
        };
        connection(self) != connection(new)
    }

    /// Whether the bot may use an account.
    pub(super) fn has_account(&self, platform: &str, account: &str) -> bool {
        let is_it =
            |(its_platform, its): &(String, String)| its_platform == platform && its == account;
        self.accounts.is_empty() || self.accounts.iter().any(is_it)
    }
}

/// An entry as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BotEntry {
    name: String,
    kind: BotKind,
    url: Option<String>,
    token: Option<String>,
    #[serde(default)]
    accounts: Vec<String>,
    catch_up_seconds: Option<u64>,
    #[serde(default)]
    conversations: Vec<String>,
    #[serde(default)]
    senders: Vec<String>,
    #[serde(default)]
    prefixes: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
}

impl TryFrom<BotEntry> for BotConfig {
    type Error = String;

    fn try_from(entry: BotEntry) -> Result<Self, String> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if entry.name.is_empty() || !entry.name.chars().all(is_plain) {
            return Err(format!(
                "`name` of a bot is `{}`; write it with small letters, digits and `-`",
                entry.name
            ));
        }
        let pair = |written: &String| {
            let pair = written.split_once('/').filter(|(platform, id)| {
                check_name("platform", platform).is_ok() && check_name("account", id).is_ok()
            });
            pair.map(|(platform, id)| (platform.to_owned(), id.to_owned()))
        };
        let accounts = entry.accounts.iter().map(|written| {
            pair(written).ok_or_else(|| {
                format!("`accounts` has `{written}`; write it as <platform>/<account>")
            })
        });
        let accounts = accounts.collect::<Result<_, _>>()?;
        if let Some(wrong) = entry.conversations.iter().find(|written| pair(written).is_none()) {
            return Err(format!(
                "`conversations` has `{wrong}`; write it as <platform>/<conversation>"
            ));
        }
        let url = entry.url.as_deref().map(|url| url_of(entry.kind, &entry.name, url));
        let url = url.transpose()?;
        let filter = BotFilter {
            conversations: entry.conversations,
            senders: entry.senders,
            prefixes: entry.prefixes,
            exclude: entry.exclude,
        };
        Ok(Self {
            name: entry.name,
            kind: entry.kind,
            url,
            token: entry.token.filter(|token| !token.is_empty()),
            server_token: None,
            accounts,
            catch_up_seconds: entry.catch_up_seconds.unwrap_or(CATCH_UP_SECONDS),
            filter,
        })
    }
}

fn url_of(kind: BotKind, name: &str, url: &str) -> Result<Uri, String> {
    let (schemes, advice) = match kind {
        BotKind::OneBot11 => {
            (["ws", "wss"], "give it as ws://host:port/path or wss://host/path".to_owned())
        }
        BotKind::Satori => (
            ["http", "https"],
            format!(
                "it is that of a webhook, http://host:port/path or https://host/path; without one \
                 the framework connects to /bots/{name}/satori"
            ),
        ),
    };
    match url.parse::<Uri>() {
        Ok(uri) if uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme)) => Ok(uri),
        _ => Err(format!("`url` is `{}`; {advice}", without_secrets(url))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BotConfig, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn an_entry_needs_a_name_and_a_kind() {
        let config = read("name = 'my-bot'\nkind = 'onebot11'").unwrap();
        assert_eq!((config.catch_up_seconds, config.url.clone()), (300, None));
        assert!(config.has_account("qq", "1"));
        let one = read("name = 'a'\nkind = 'onebot11'\naccounts = ['qq/1']").unwrap();
        assert!(one.has_account("qq", "1") && !one.has_account("qq", "2"));
    }

    #[test]
    fn mistakes_are_named() {
        for (lines, word) in [
            ("name = 'My ConfiguredBot'\nkind = 'onebot11'", "small letters"),
            ("name = 'a'\nkind = 'onebot11'\nurl = 'http://x'", "ws://"),
            ("name = 'a'\nkind = 'icq'", "onebot11"),
            ("name = 'a'\nkind = 'satori'\nurl = 'ws://x'", "/bots/a/satori"),
            ("name = 'a'\nkind = 'onebot11'\naccounts = ['1']", "<platform>/<account>"),
            ("name = 'a'\nkind = 'onebot11'\nconversations = ['group_1']", "<platform>/<conv"),
            ("name = 'a'\nkind = 'onebot11'\nprefix = '/'", "unknown field"),
        ] {
            let error = read(lines).unwrap_err();
            assert!(error.contains(word), "{lines}: {error}");
        }
    }

    #[test]
    fn only_what_the_connection_is_made_of_needs_a_new_one() {
        let base = "name = 'a'\nkind = 'onebot11'\n";
        let old = read(base).unwrap();
        for (line, needs) in
            [("prefixes = ['/']", false), ("catch_up_seconds = 0", false), ("token = 't'", true)]
        {
            assert_eq!(old.needs_restart(&read(&format!("{base}{line}")).unwrap()), needs);
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let config = read("name = 'a'\nkind = 'onebot11'\ntoken = 'hidden'").unwrap();
        assert!(!format!("{config:?}").contains("hidden"));
        let url = "http://u:hidden@x/?access_token=hidden";
        let error = read(&format!("name = 'a'\nkind = 'onebot11'\nurl = '{url}'")).unwrap_err();
        assert!(error.contains("`http://***@x/?access_token=***`"), "{error}");
    }
}
