//! One connection to an implementation, as an adapter is given it.

use super::socket::Socket;
use crate::adapter::api::Settings;
use crate::adapter::context::Context;
use crate::adapter::registry::ConfiguredEntry;
use crate::protocol::platform::PlatformState;
use hyper::HeaderMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Work of an adapter under way.
pub(in crate::adapter) type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Serves connections of one kind.
pub(in crate::adapter) trait ServeConnection: fmt::Debug + Send + Sync {
    /// Serves one connection until it ends.
    fn serve(self: Arc<Self>, connection: Connection) -> Running<ConnectionEnd>;
}

/// One connection.
pub(in crate::adapter) struct Connection {
    pub(in crate::adapter) socket: Socket,
    /// The implementation's request, unless we dialled it.
    pub(in crate::adapter) handshake: Option<Handshake>,
    pub(in crate::adapter) settings: Arc<Settings>,
    /// The configured adapter that it belongs to, if one is configured.
    pub(in crate::adapter) entry: Option<ConfiguredEntry>,
    pub(in crate::adapter) context: Context,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::adapter) struct ConnectionEnd {
    /// `Error` if an operator must change something, else `Disconnected`.
    pub(in crate::adapter) state: PlatformState,
    pub(in crate::adapter) reason: String,
}

impl ConnectionEnd {
    pub(in crate::adapter) fn lost(reason: impl Into<String>) -> Self {
        Self { state: PlatformState::Disconnected, reason: reason.into() }
    }

    pub(in crate::adapter) fn refused(reason: impl Into<String>) -> Self {
        Self { state: PlatformState::Error, reason: reason.into() }
    }
}

/// The request with which an implementation dialled in.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    /// The path of the request, without the query.
    pub path: String,
    /// The query's pairs, decoded.
    pub query: Vec<(String, String)>,
    /// The headers of the request.
    pub headers: HeaderMap,
}

impl Handshake {
    /// A header, where it is set to something.
    pub(in crate::adapter) fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?.to_str().ok()?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// A query parameter, where it is set to something.
    pub(in crate::adapter) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value)
    }
}
