//! Media: what is fetched, and how much is kept.

use crate::error::{Error, Result};
use crate::media::fetch_incoming::FetchPolicy;
use crate::media::{Allowed, BlobBounds};
use crate::model::message::MessageType;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Media that are fetched when they arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AutoFetch {
    /// Pictures.
    Image,
    /// Sounds.
    Audio,
    /// Videos.
    Video,
    /// Files of any other type.
    File,
    /// All of platforms whose media are only to be had for a while.
    Expiring,
}

/// Media that are kept beside the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaSettings {
    /// The media that are fetched when they arrive; others are when somebody asks.
    pub fetch: Vec<AutoFetch>,
    /// Bytes of a file.
    pub max_bytes: u64,
    /// Bytes of all files together; 0 sets no bound.
    pub quota_bytes: u64,
    /// Bytes of the disk that media leave free.
    pub reserve_bytes: u64,
    /// Days after which the bytes of a message's media are removed; 0 keeps them as long as it.
    pub days: f64,
    /// Hosts that may be fetched from although their addresses are private.
    pub allow_private: Vec<String>,
    /// The address of this server for implementations, such as `http://192.168.1.5:8080`.
    pub url: Option<String>,
    /// Seconds that fetching one file may take.
    pub fetch_seconds: u64,
    /// Messages whose media are fetched at one time.
    pub fetches: usize,
}

impl Default for MediaSettings {
    fn default() -> Self {
        Self {
            fetch: vec![AutoFetch::Image, AutoFetch::Expiring],
            max_bytes: 100 << 20,
            quota_bytes: 20 << 30,
            reserve_bytes: 256 << 20,
            days: 0.0,
            allow_private: Vec::new(),
            url: None,
            fetch_seconds: 120,
            fetches: 4,
        }
    }
}

impl MediaSettings {
    pub(super) fn check(&self) -> Result<()> {
        if !(0.0..1e9).contains(&self.days) {
            return Err(Error::failed("`media.days` must be 0 or more"));
        }
        let is_web = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        if !self.url.as_ref().is_none_or(is_web) {
            return Err(Error::failed("`media.url` must begin with http:// or https://"));
        }
        if self.max_bytes == 0 || self.fetch_seconds == 0 || self.fetches == 0 {
            return Err(Error::failed(
                "`media.max_bytes`, `media.fetch_seconds` and `media.fetches` must be at least 1",
            ));
        }
        Ok(())
    }

    /// Bounds of what is kept.
    pub fn bounds(&self) -> BlobBounds {
        let Self { max_bytes, quota_bytes, reserve_bytes, .. } = *self;
        BlobBounds { max_bytes, quota_bytes, reserve_bytes }
    }

    /// Hosts that may be fetched from although their addresses are private.
    pub fn allowed(&self) -> Allowed {
        Allowed::new(self.allow_private.iter().cloned())
    }

    /// Media that are fetched when they arrive.
    pub fn wanted(&self) -> FetchPolicy {
        let type_of = |fetched: &AutoFetch| match fetched {
            AutoFetch::Image => Some(MessageType::Image),
            AutoFetch::Audio => Some(MessageType::Audio),
            AutoFetch::Video => Some(MessageType::Video),
            AutoFetch::File => Some(MessageType::File),
            AutoFetch::Expiring => None,
        };
        FetchPolicy {
            types: self.fetch.iter().filter_map(type_of).collect(),
            expiring: self.fetch.contains(&AutoFetch::Expiring),
        }
    }

    /// How long fetching one file may take.
    pub fn fetch_timeout(&self) -> Duration {
        Duration::from_secs(self.fetch_seconds)
    }

    /// Seconds after which the bytes of a message's media are removed, where they are.
    pub fn age(&self) -> Option<u64> {
        let age = Duration::try_from_secs_f64(self.days * 86_400.0).unwrap_or_default().as_secs();
        (age > 0).then_some(age)
    }
}
