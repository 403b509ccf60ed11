//! One `[[adapter]]` entry of the configuration.

use super::{Kind, kind};
use hyper::Uri;
use serde::Deserialize;
use std::num::NonZeroU32;
use std::time::Duration;

/// How one adapter is to be run: checked, with every default filled in.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Entry")]
pub struct Settings {
    /// What it speaks.
    pub kind: &'static Kind,
    /// The platform its messages belong to, where it is not to be what the kind or the
    /// implementation says.
    pub platform: Option<String>,
    /// How the connection comes about.
    pub way: Transport,
    /// The implementation's access token.
    pub token: Option<String>,
    /// How fast an account may talk.
    pub pace: Option<RateLimit>,
    /// What becomes of an attempt of which nobody can say how it ended.
    pub on_unknown: OnUnknown,
    /// What to fetch after a reconnect.
    pub history: History,
    /// How long an action may go unanswered.
    pub answer_timeout: Duration,
    /// The first pause before dialling again; the next ones grow.
    pub reconnect: Duration,
    /// The most bytes of one frame from the implementation; images come inside them as base64.
    pub max_frame: usize,
    /// How a file goes to a conversation.
    pub group_file: GroupFile,
    /// How a message is written in an action.
    pub message_format: MessageFormat,
    /// Whether loopback answers each message with the same one.
    pub echo: bool,
}

impl Settings {
    /// An adapter of this kind with nothing configured.
    pub fn new(kind: &'static Kind) -> Self {
        Self {
            kind,
            platform: None,
            way: Transport::Accept(None),
            token: None,
            pace: None,
            on_unknown: OnUnknown::Resend,
            history: History { messages: 20, conversations: 20 },
            answer_timeout: Duration::from_secs(15),
            reconnect: Duration::from_secs(1),
            max_frame: 16 * 1024 * 1024,
            group_file: GroupFile::Message,
            message_format: MessageFormat::Array,
            echo: false,
        }
    }

    /// The platform these settings stand for as long as no implementation names another.
    pub fn platform(&self) -> &str {
        self.platform.as_deref().unwrap_or(self.kind.platform)
    }
}

/// How a connection comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The implementation dials in: at this path, or at those of the kind.
    Accept(Option<String>),
    /// We dial out to this `ws://` or `wss://` address.
    Dial(Uri),
}

/// How fast an account may talk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Messages a second, more than 0.
    pub per_second: f64,
    /// How many may go at once after a silence.
    pub burst: NonZeroU32,
}

/// What becomes of an attempt of which nobody can say how it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// It is sent again: at least once.
    #[default]
    Resend,
    /// It fails: at most once.
    Fail,
}

/// What to fetch after a reconnect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// Messages of each conversation; 0 fetches nothing.
    pub messages: usize,
    /// The most conversations, the newest first.
    pub conversations: usize,
}

/// How a file goes to a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupFile {
    /// As a `file` segment of a message.
    #[default]
    Message,
    /// By `upload_group_file` and `upload_private_file`, which some implementations want.
    Upload,
}

/// How a message is written in an action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageFormat {
    /// As segments.
    #[default]
    Array,
    /// As a string, for implementations that know nothing else; plain text is marked as such.
    String,
}

/// The entry as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: String,
    platform: Option<String>,
    url: Option<String>,
    path: Option<String>,
    token: Option<String>,
    rate_limit: Option<f64>,
    burst: Option<NonZeroU32>,
    on_unknown: Option<OnUnknown>,
    history: Option<usize>,
    history_conversations: Option<usize>,
    answer_timeout: Option<f64>,
    reconnect: Option<f64>,
    max_frame: Option<usize>,
    group_file: Option<GroupFile>,
    message_format: Option<MessageFormat>,
    echo: Option<bool>,
}

impl TryFrom<Entry> for Settings {
    type Error = String;

    fn try_from(entry: Entry) -> Result<Self, String> {
        let kind = kind(&entry.kind)?;
        let default = Self::new(kind);
        if let Some(platform) = &entry.platform {
            crate::model::message::check_name("platform", platform)?;
        }
        Ok(Self {
            way: way(kind, entry.url, entry.path)?,
            platform: entry.platform,
            token: entry.token.filter(|token| !token.is_empty()),
            pace: pace(entry.rate_limit, entry.burst)?,
            on_unknown: entry.on_unknown.unwrap_or_default(),
            history: History {
                messages: entry.history.unwrap_or(default.history.messages),
                conversations: entry.history_conversations.unwrap_or(default.history.conversations),
            },
            answer_timeout: seconds(
                "answer_timeout",
                entry.answer_timeout,
                default.answer_timeout,
            )?,
            reconnect: seconds("reconnect", entry.reconnect, default.reconnect)?,
            max_frame: entry.max_frame.unwrap_or(default.max_frame),
            group_file: entry.group_file.unwrap_or_default(),
            message_format: entry.message_format.unwrap_or_default(),
            echo: entry.echo.unwrap_or_default(),
            ..default
        })
    }
}

fn way(kind: &Kind, url: Option<String>, path: Option<String>) -> Result<Transport, String> {
    if kind.mounts.is_empty() && (url.is_some() || path.is_some()) {
        return Err(format!("`{}` has no connections; leave out `url` and `path`", kind.name));
    }
    match (url, path) {
        (Some(_), Some(_)) => {
            Err("give `url` to dial out or `path` to be dialled, not both".into())
        }
        (Some(url), None) => match url.parse::<Uri>() {
            Ok(uri) if matches!(uri.scheme_str(), Some("ws" | "wss")) => Ok(Transport::Dial(uri)),
            _ => Err(format!("`url` is `{url}`; give it as ws://host:port/ or wss://host/")),
        },
        (None, Some(path)) if !path.starts_with('/') => {
            Err(format!("`path` is `{path}`; begin it with `/`"))
        }
        (None, path) => Ok(Transport::Accept(path)),
    }
}

fn pace(rate: Option<f64>, burst: Option<NonZeroU32>) -> Result<Option<RateLimit>, String> {
    match rate {
        None if burst.is_some() => Err("`burst` needs a `rate_limit`".into()),
        None => Ok(None),
        Some(per_second) if per_second.is_finite() && per_second > 0.0 => {
            Ok(Some(RateLimit { per_second, burst: burst.unwrap_or(NonZeroU32::MIN) }))
        }
        Some(rate) => Err(format!("`rate_limit` is {rate}; give messages per second, above 0")),
    }
}

fn seconds(field: &str, given: Option<f64>, default: Duration) -> Result<Duration, String> {
    const DAY: f64 = 86_400.0;
    match given {
        None => Ok(default),
        Some(seconds) if seconds > 0.0 && seconds <= DAY => Ok(Duration::from_secs_f64(seconds)),
        Some(seconds) => {
            Err(format!("`{field}` is {seconds}; give seconds, above 0, at most a day"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn an_entry_needs_only_its_kind() {
        let settings = read("kind = 'onebot11'").unwrap();
        assert_eq!(settings.platform(), "qq");
        assert_eq!(settings.way, Transport::Accept(None));
        assert_eq!(settings.answer_timeout, Duration::from_secs(15));
        assert_eq!(settings.history, History { messages: 20, conversations: 20 });
    }

    #[test]
    fn everything_can_be_set() {
        let settings = read(
            "kind = 'onebot11'\nplatform = 'qq2'\nurl = 'ws://127.0.0.1:6700/'\ntoken = 't'\n\
             rate_limit = 0.5\nburst = 3\non_unknown = 'fail'\nhistory = 0\n\
             history_conversations = 5\nanswer_timeout = 2.5\nreconnect = 0.1\n\
             max_frame = 1024\ngroup_file = 'upload'\nmessage_format = 'string'",
        )
        .unwrap();
        assert_eq!(settings.platform(), "qq2");
        assert!(matches!(&settings.way, Transport::Dial(uri) if uri.port_u16() == Some(6700)));
        assert_eq!(settings.pace.map(|pace| pace.burst.get()), Some(3));
        assert_eq!(settings.on_unknown, OnUnknown::Fail);
        assert_eq!(settings.answer_timeout, Duration::from_millis(2500));
        assert_eq!(settings.message_format, MessageFormat::String);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (entry, word) in [
            ("kind = 'icq'", "onebot11"),
            ("kind = 'onebot11'\nspeed = 1", "speed"),
            ("kind = 'onebot11'\nurl = 'http://x/'", "ws://"),
            ("kind = 'onebot11'\nurl = 'ws://x/'\npath = '/x'", "not both"),
            ("kind = 'onebot11'\npath = 'x'", "begin it with"),
            ("kind = 'onebot11'\nrate_limit = 0", "above 0"),
            ("kind = 'onebot11'\nburst = 2", "rate_limit"),
            ("kind = 'onebot11'\nanswer_timeout = -1", "seconds"),
            ("kind = 'onebot11'\nplatform = ''", "platform"),
            ("kind = 'loopback'\nurl = 'ws://x/'", "leave out"),
        ] {
            let error = read(entry).unwrap_err();
            assert!(error.contains(word), "{entry}: {error}");
        }
    }
}
