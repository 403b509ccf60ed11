//! The kinds of adapters there are.

use super::mount::Connection;
use super::registry::Seat;
use super::{Context, Settings, State, loopback, onebot11, onebot12};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Every adapter, one a line.
pub static KINDS: [&Kind; 3] = [&onebot11::KIND, &onebot12::KIND, &loopback::KIND];

/// The kind of this name, as the configuration spells it.
pub fn kind(name: &str) -> Result<&'static Kind, String> {
    KINDS.into_iter().find(|kind| kind.name == name).ok_or_else(|| {
        let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
        format!("`kind` is `{name}`; give one of {}", names.join(", "))
    })
}

/// What makes an adapter of one kind.
pub struct Kind {
    /// As the configuration and `GET /api/platforms` spell it.
    pub name: &'static str,
    /// The platform where neither the configuration nor the implementation names one.
    pub platform: &'static str,
    /// The paths at which implementations dial in.
    pub mounts: &'static [&'static str],
    /// Whether a recipient could be a conversation of this kind at all.
    pub addresses: fn(&str) -> bool,
    /// Turns a recipient into a conversation, asking which ones are known; the error says how to
    /// write it.
    pub resolve: Resolve,
    /// Gets messages without a platform only where there is no other platform.
    pub is_fallback: bool,
    pub(super) run: Run,
}

/// Turns a recipient into a conversation, given what tells whether a conversation is known.
pub type Resolve = fn(&str, &dyn Fn(&str) -> bool) -> Result<String, String>;

/// How an adapter of a kind does its work.
pub(super) enum Run {
    /// One connection at a time, dialled or accepted.
    Connection(fn(Connection) -> Running<End>),
    /// All by itself.
    Alone(fn(Arc<Settings>, Seat, Context) -> Running<()>),
}

/// Work of an adapter under way.
pub(super) type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    /// `Error` where the other side refuses us, so that somebody has to mend it.
    pub(super) state: State,
    pub(super) reason: String,
}

impl End {
    pub(super) fn lost(reason: impl Into<String>) -> Self {
        Self { state: State::Disconnected, reason: reason.into() }
    }

    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self { state: State::Error, reason: reason.into() }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
