//! A server over HTTP: through TCP, or through the Unix socket next to its store.

mod accounts;
mod conversations;
mod media;
mod messages;
mod query;

use super::address::ServerAddress;
use super::connection::ClientConnection;
use super::export::Export;
use super::opening::{Begin, NotOpened};
use crate::error::{Error, Result};
use crate::protocol::event::EventKind;
use crate::protocol::http::{Backup, Health, Imported, QuarantinedEvents, StoredAgain};
use crate::protocol::overview::Stats;
use crate::store::MessageFilter;
use http_body_util::{Either, Full};
use hyper::Method;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use query::{query, stream_query};
use std::io;
use std::path::{Path, PathBuf};

/// Lines of JSON.
const LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// Header with the position at which a stream continues (HTML, section 9.2.4).
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A position that is in no store.
const UNKNOWN_POSITION: HeaderValue = HeaderValue::from_static("unknown");

/// A server, with one connection that is kept open between requests.
pub struct Remote(ClientConnection);

/// A server that gives one page again and again would be read for ever.
fn repeats(path: &str) -> Error {
    Error::failed(format!("{path}: the server gave the same page twice"))
        .hint("is it a rechat server? A proxy may keep its answers")
}

impl Remote {
    /// Connects to a server that the user named.
    pub(super) async fn connect(address: ServerAddress, token: Option<String>) -> Result<Self> {
        ClientConnection::connect(address, token).await.map(Self)
    }

    /// The server behind a Unix socket; `None` if no server listens there.
    pub(super) async fn at_socket(socket: &Path) -> Result<Option<Self>> {
        Ok(ClientConnection::at_socket(socket).await?.map(Self))
    }

    /// A server at an address, and its token.
    pub(super) async fn at(address: ServerAddress, token: Option<String>) -> io::Result<Self> {
        ClientConnection::at(address, token).await.map(Self)
    }

    /// Whether the connection is still open, as far as is known without a request.
    pub(super) fn is_open(&self) -> bool {
        self.0.is_open()
    }

    /// The same server, over another connection.
    pub(super) async fn reconnected(&self) -> Result<Self> {
        self.0.reconnected().await.map(Self)
    }

    pub(super) async fn health(&mut self) -> Result<Health> {
        self.0.get("/api/health").await
    }

    pub(super) async fn stats(
        &mut self,
        filter: &MessageFilter,
        since: Option<u64>,
    ) -> Result<Stats> {
        let since = since.map(|time| format!("&since={time}")).unwrap_or_default();
        self.0.get(&format!("/api/stats?{}{since}", query(filter, 0, 0, None))).await
    }

    /// Opens the stream of new messages with their cursors; its body goes on until the server ends
    /// it. Also gives the cursor at which it begins, unless it begins with `reset` or the server is
    /// older.
    pub(super) async fn stream(
        &mut self,
        filter: &MessageFilter,
        begin: Begin<'_>,
        events: &[EventKind],
    ) -> std::result::Result<(Incoming, Option<String>), NotOpened> {
        let (since, last) = match begin {
            Begin::Since(since) => (since, None),
            Begin::After(place) => (None, Some(&place.after)),
        };
        let path = format!("/api/stream?{}", stream_query(filter, since, events));
        let request = self.0.request(Method::GET, &path, None::<&()>);
        let mut request = request.map_err(NotOpened::Refused)?;
        request.headers_mut().insert(ACCEPT, LINES);
        // A position from the network may be invalid as a header; then the stream begins with `reset`.
        let last = last.map(|last| HeaderValue::from_str(last).unwrap_or(UNKNOWN_POSITION));
        request.headers_mut().extend(last.map(|last| (LAST_EVENT_ID, last)));
        let answer = self.0.open(request).await?;
        let begins_at = answer.headers().get(LAST_EVENT_ID).and_then(|place| place.to_str().ok());
        let begins_at = begins_at.map(str::to_owned);
        Ok((answer.into_body(), begins_at))
    }

    pub(super) async fn export(&mut self, filter: &MessageFilter) -> Result<Export> {
        let path = format!("/api/export?{}", query(filter, 0, 0, None));
        let request = self.0.request(Method::GET, &path, None::<&()>)?;
        Ok(Export::Remote(self.0.open(request).await?.into_body()))
    }

    pub(super) async fn import(&mut self, lines: Vec<u8>) -> Result<Imported> {
        let mut request = self.0.request(Method::POST, "/api/import", None::<&()>)?;
        request.headers_mut().insert(CONTENT_TYPE, LINES);
        *request.body_mut() = Either::Left(Full::from(lines));
        self.0.need(request).await
    }

    pub(super) async fn quarantine(&mut self) -> Result<QuarantinedEvents> {
        self.0.get("/api/quarantine").await
    }

    pub(super) async fn retry_quarantine(&mut self) -> Result<StoredAgain> {
        let request = self.0.request(Method::POST, "/api/quarantine/retry", None::<&()>)?;
        self.0.need(request).await
    }

    pub(super) async fn backup(&mut self, file: PathBuf) -> Result<()> {
        let body = Backup { file };
        let request = self.0.request(Method::POST, "/api/backup", Some(&body))?;
        self.0.wait(request).await
    }
}
