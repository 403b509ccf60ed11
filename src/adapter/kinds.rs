//! The list of all adapters, and the `[[adapter]]` entries of the configuration.

use super::api::{Kind, Settings, SettingsEntry};
use super::definition::{Adapter, Service};
use super::{loopback, onebot, wechat};
use serde::Deserialize;
use std::sync::Arc;

/// Every adapter, one a line.
pub(super) static ADAPTERS: [&Adapter; 4] =
    [&onebot::v11::ADAPTER, &onebot::v12::ADAPTER, &wechat::ADAPTER, &loopback::ADAPTER];

/// One `[[adapter]]` entry: checked, and ready to be started.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "SettingsEntry")]
pub struct AdapterConfig {
    /// Settings that every kind has.
    pub settings: Arc<Settings>,
    pub(super) service: Service,
}

impl TryFrom<SettingsEntry> for AdapterConfig {
    type Error = String;

    fn try_from(mut entry: SettingsEntry) -> Result<Self, String> {
        let mut own = std::mem::take(&mut entry.own);
        let adapter = adapter(&entry.kind)?;
        if adapter.logs_in {
            let unfit = [("path", &entry.path), ("token", &entry.token)];
            if let Some((key, _)) = unfit.into_iter().find(|(_, value)| value.is_some()) {
                return Err(format!(
                    "`{}` logs in by `rechat login`; leave out `{key}`",
                    adapter.kind.name
                ));
            }
            own.extend(entry.url.take().map(|url| ("url".to_owned(), url.into())));
        }
        let mut settings = Settings::read(&adapter.kind, entry)?;
        let service = (adapter.configure)(own).map_err(|error| with_common_keys(&error))?;
        if let Service::Standalone(service) = &service {
            settings.time_to_live = service.time_to_live();
        }
        Ok(Self { settings: Arc::new(settings), service })
    }
}

/// Adds the keys that every kind has to an error that lists those of one kind.
fn with_common_keys(error: &str) -> String {
    if !error.starts_with("unknown field") {
        return error.to_owned();
    }
    let common = SettingsEntry::KEYS.map(|key| format!("`{key}`")).join(", ");
    match error.strip_suffix(", there are no fields") {
        Some(error) => format!("{error}, expected one of {common}"),
        None => format!("{error}, or one of {common}"),
    }
}

/// Every kind of adapter.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    ADAPTERS.iter().map(|adapter| &adapter.kind)
}

/// The kinds of adapters that people log in to.
pub fn login_kinds() -> impl Iterator<Item = &'static Kind> {
    ADAPTERS.iter().filter(|adapter| adapter.logs_in).map(|adapter| &adapter.kind)
}

/// The adapter of this name, as the configuration spells it.
fn adapter(name: &str) -> Result<&'static Adapter, String> {
    ADAPTERS.into_iter().find(|adapter| adapter.kind.name == name).ok_or_else(|| {
        let names: Vec<_> = kinds().map(|kind| kind.name).collect();
        format!("`kind` is `{name}`; give one of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::super::api::{OnUnknown, OwnSettings, Transport};
    use super::*;
    use std::time::Duration;

    fn read(text: &str) -> Result<AdapterConfig, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn an_entry_needs_only_its_kind() {
        let settings = read("kind = 'onebot11'").unwrap().settings;
        assert_eq!(settings.platform(), "qq");
        assert_eq!(settings.transport, Transport::Accept(None));
        assert_eq!(settings.answer_timeout, Duration::from_secs(15));
        for adapter in ADAPTERS {
            assert!((adapter.configure)(OwnSettings::new()).is_ok(), "{:?}", adapter.kind);
        }
    }

    #[test]
    fn everything_can_be_set() {
        let settings = read(
            "kind = 'onebot11'\nplatform = 'qq2'\nurl = 'ws://127.0.0.1:6700/'\ntoken = 't'\n\
             account = ['1', 2]\nrate_limit = 0.5\nburst = 3\non_unknown = 'fail'\nhistory = 0\n\
             history_conversations = 5\nanswer_timeout = 2.5\nreconnect = 0.1\n\
             max_frame = 1024\ngroup_file = 'upload'\nmessage_format = 'string'",
        )
        .unwrap()
        .settings;
        assert_eq!(settings.platform(), "qq2");
        assert!(
            matches!(&settings.transport, Transport::Dial(uri) if uri.port_u16() == Some(6700))
        );
        assert_eq!(settings.rate_limit.map(|limit| limit.burst.get()), Some(3));
        assert_eq!(settings.on_unknown, OnUnknown::Fail);
        assert_eq!(settings.answer_timeout, Duration::from_millis(2500));
        assert_eq!(settings.accounts, ["1", "2"]);
    }

    #[test]
    fn an_error_names_the_key_and_what_is_right() {
        for (entry, word) in [
            ("kind = 'icq'", "onebot11"),
            ("kind = 'onebot11'\nspeed = 1", "speed"),
            ("kind = 'onebot11'\nspeed = 1", "`history`"),
            ("kind = 'onebot11'\nspeed = 1", "`rate_limit`"),
            ("kind = 'onebot12'\ngroup_file = 'upload'", "group_file"),
            ("kind = 'onebot11'\ngroup_file = 'mail'", "group_file"),
            ("kind = 'onebot11'\nhistory = 'x'", "history"),
            ("kind = 'onebot11'\nurl = 'http://x/'", "ws://"),
            ("kind = 'onebot11'\nurl = 'ws://x/'\npath = '/x'", "not both"),
            ("kind = 'onebot11'\npath = 'x'", "begin it with"),
            ("kind = 'onebot11'\nrate_limit = 0", "above 0"),
            ("kind = 'onebot11'\nburst = 2", "rate_limit"),
            ("kind = 'onebot11'\nanswer_timeout = -1", "seconds"),
            ("kind = 'onebot11'\nplatform = ''", "platform"),
            ("kind = 'onebot11'\naccount = ['']", "account"),
            ("kind = 'onebot11'\naccount = { id = 1 }", "account"),
            ("kind = 'loopback'\nurl = 'ws://x/'", "leave out"),
            ("kind = 'ilink'\nurl = 'ws://x/'", "https://"),
            ("kind = 'ilink'\ntoken = 'x'", "leave out `token`"),
            ("kind = 'ilink'\npath = '/x'", "leave out `path`"),
        ] {
            let error = read(entry).unwrap_err();
            assert!(error.contains(word), "{entry}: {error}");
        }
    }

    #[test]
    fn every_common_key_is_listed() {
        let example = |key: &str| match key {
            "kind" => "'onebot11'".to_owned(),
            "platform" | "account" | "token" => "'x'".to_owned(),
            "url" => "'ws://x/'".to_owned(),
            "path" => "'/x'".to_owned(),
            "on_unknown" => "'fail'".to_owned(),
            _ => "1".to_owned(),
        };
        for key in SettingsEntry::KEYS {
            let line = format!("{key} = {}\n", example(key));
            let entry = format!("kind = 'onebot11'\nrate_limit = 1\n{line}");
            let entry = match key {
                "kind" => line,
                "rate_limit" => format!("kind = 'onebot11'\n{line}"),
                _ => entry,
            };
            let read = read(&entry);
            assert!(read.is_ok(), "{entry}: {read:?}");
        }
    }
}
