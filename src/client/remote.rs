//! A server, asked over HTTP: through TCP, or through the Unix socket beside its store.

use super::address::Address;
use super::export::Export;
use super::history::{HistoryPage, HistoryQuery};
use super::missing::{no_media, no_message};
use super::opening::{Begin, NotOpened};
use crate::error::{Error, Result};
use crate::media::{Hash, Upload};
use crate::model::message::{Message, Status};
use crate::protocol::http::{
    AdapterStatus, Backup, Conversation, Conversations, Deleted, ErrorBody, Health, Imported,
    Listing, MAX_LIMIT, MediaList, MediaRemoved, MessageChange, NewMessage, Platforms,
    SetConversation, Uploaded,
};
use crate::protocol::login::{LoggedOut, LoginDigits, LoginStatus};
use crate::protocol::overview::Stats;
use crate::store::{ConversationQuery, Filter, Page};
use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// Lines of JSON.
const LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// Where a stream goes on (HTML, section 9.2.4).
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A place that no store knows.
const UNKNOWN_PLACE: HeaderValue = HeaderValue::from_static("unknown");

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// How long sending a file may take.
const UPLOAD_TIMEOUT: Duration = Duration::from_hours(1);

/// How long a server that has taken a connection may take to show that it is there.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// The most bytes of an answer: a page of 200 messages of 1 MiB each, with room for escapes.
const MAX_ANSWER_BYTES: usize = 512 << 20;

/// Bytes of a request from which on it may be larger than a server takes.
const LARGE_BYTES: u64 = 512 << 10;

/// Advice on a request that is too large.
const TOO_LARGE: &str = "is it too large? The server takes `limits.body_bytes` (1 MiB unless it is \
                         configured), and a file needs a third more than its size";

/// The most bytes of an error that a server tells.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// One connection to a server, kept open between requests.
pub struct Remote {
    requests: SendRequest<Full<Bytes>>,
    address: Address,
    token: Option<String>,
}

impl Remote {
    /// Connects to a server that was named.
    pub(super) async fn connect(address: Address, token: Option<String>) -> Result<Self> {
        let requests = address.open().await.map_err(|error| unreachable(&address, &error))?;
        Ok(Self { requests, address, token })
    }

    /// The server behind a Unix socket; `None` where nobody listens there.
    pub(super) async fn beside(socket: &Path) -> Result<Option<Self>> {
        let address = Address::Unix(socket.to_owned());
        match address.open().await {
            Ok(requests) => {
                let mut remote = Self { requests, address, token: None };
                // A server that is about to end may still take a connection, and answers nothing.
                Ok(remote.is_there().await.then_some(remote))
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                // Without a right to the folder it cannot even be seen whether a server is there.
                let what = match socket.try_exists() {
                    Ok(_) => "a server runs here, and its socket is not for this user",
                    Err(_) => "the store's folder is not for this user",
                };
                Err(Error::failed(format!("{what}: {}", address.name()))
                    .hint("ask as the user it belongs to, or use --server and --token"))
            }
            Err(_) => Ok(None),
        }
    }

    /// A server at an address, and the token it wants.
    pub(super) async fn at(address: Address, token: Option<String>) -> io::Result<Self> {
        Ok(Self { requests: address.open().await?, address, token })
    }

    /// Whether the server answers at all.
    async fn is_there(&mut self) -> bool {
        let Ok(request) = self.request(Method::GET, "/api/health", None::<&()>) else {
            return false;
        };
        let answer = timeout(PROBE_TIMEOUT, self.requests.send_request(request)).await;
        match answer {
            // It is there, and busy.
            Err(_) => true,
            Ok(Ok(answer)) => read(answer.into_body(), MAX_ERROR_BYTES).await.is_ok(),
            Ok(Err(_)) => false,
        }
    }

    /// Whether the connection still stands, as far as one can tell without asking.
    pub(super) fn is_open(&self) -> bool {
        !self.requests.is_closed()
    }

    /// The same server once more, over a connection of its own.
    pub(super) async fn again(&self) -> Result<Self> {
        let opened = self.address.open().await;
        let requests = opened.map_err(|error| unreachable(&self.address, &error))?;
        Ok(Self { requests, address: self.address.clone(), token: self.token.clone() })
    }

    pub(super) async fn create(
        &mut self,
        message: &NewMessage,
        key: Option<&str>,
    ) -> Result<Message> {
        let mut request = self.request(Method::POST, "/api/messages", Some(message))?;
        if let Some(key) = key {
            let value =
                key.parse().map_err(|_| Error::usage("an idempotency key must be plain ASCII"))?;
            request.headers_mut().insert("idempotency-key", value);
        }
        self.ask(request).await?.ok_or_else(|| self.not_found())
    }

    /// Asks for page after page, for a server gives at most [`MAX_LIMIT`] at once.
    pub(super) async fn list(
        &mut self,
        filter: &Filter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        let mut before = before.map(str::to_owned);
        let mut offset = page.offset;
        loop {
            let limit = (page.limit - messages.len()).min(MAX_LIMIT);
            let path = format!("/api/messages?{}", query(filter, offset, limit, before.as_deref()));
            let request = self.request(Method::GET, &path, None::<&()>)?;
            let listing: Listing = self.ask(request).await?.ok_or_else(|| self.not_found())?;
            let is_last = listing.messages.len() < limit;
            messages.extend(listing.messages);
            if is_last || messages.len() >= page.limit {
                return Ok(messages);
            }
            // From here on by the last message seen, which costs the same however deep it lies.
            before = messages.last().map(|message| message.id.to_string());
            offset = 0;
        }
    }

    /// Messages with a text in them. A server whose index is not whole yet says how far it looked.
    pub(super) async fn search(
        &mut self,
        text: &str,
        filter: &Filter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let text: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let mut messages = Vec::new();
        let mut before = before.map(str::to_owned);
        let all = page.limit.saturating_add(page.offset as usize);
        while messages.len() < all {
            let limit = (all - messages.len()).min(MAX_LIMIT);
            let query = query(filter, 0, limit, before.as_deref());
            let request =
                self.request(Method::GET, &format!("/api/messages?{query}&q={text}"), None::<&()>)?;
            let listing: Listing = self.ask(request).await?.ok_or_else(|| self.not_found())?;
            let is_full = listing.messages.len() >= limit;
            messages.extend(listing.messages);
            before = match listing.searched_to {
                Some(seq) => Some(seq.to_string()),
                None if is_full => messages.last().map(|message| message.id.to_string()),
                None => break,
            };
        }
        messages.drain(..messages.len().min(page.offset as usize));
        Ok(messages)
    }

    /// One page of the history, the newest first.
    pub(super) async fn page(&mut self, query: &HistoryQuery) -> Result<HistoryPage> {
        let path = format!("/api/messages?{}", query.query());
        let request = self.request(Method::GET, &path, None::<&()>)?;
        self.ask(request).await?.ok_or_else(|| self.not_found())
    }

    /// Asks for page after page, for a server gives at most [`MAX_LIMIT`] at once.
    pub(super) async fn conversations(
        &mut self,
        query: &ConversationQuery,
    ) -> Result<Vec<Conversation>> {
        let mut found: Vec<Conversation> = Vec::new();
        let mut before = query.before;
        let all = query.limit.unwrap_or(usize::MAX);
        while found.len() < all {
            let limit = (all - found.len()).min(MAX_LIMIT);
            let path = format!("/api/conversations?{}", page_of(query, limit, before));
            let request = self.request(Method::GET, &path, None::<&()>)?;
            let answer: Option<Conversations> = self.ask(request).await?;
            let page = answer.ok_or_else(|| self.not_found())?.conversations;
            let is_last = page.len() != limit;
            found.extend(page);
            if is_last {
                break;
            }
            before = found.last().map(|known| known.last_seq);
        }
        Ok(found)
    }

    pub(super) async fn conversation(
        &mut self,
        platform: &str,
        conversation: &str,
    ) -> Result<Option<Conversation>> {
        let path = path_of(platform, conversation);
        let request = self.request(Method::GET, &path, None::<&()>)?;
        self.ask(request).await
    }

    pub(super) async fn set_conversation(
        &mut self,
        platform: &str,
        conversation: &str,
        set: &SetConversation,
    ) -> Result<Option<Conversation>> {
        let request = self.request(Method::PATCH, &path_of(platform, conversation), Some(set))?;
        self.ask(request).await
    }

    pub(super) async fn platforms(&mut self) -> Result<Vec<AdapterStatus>> {
        let request = self.request(Method::GET, "/api/platforms", None::<&()>)?;
        let answer: Option<Platforms> = self.ask(request).await?;
        answer.map(|answer| answer.platforms).ok_or_else(|| self.not_found())
    }

    pub(super) async fn begin_login(&mut self, platform: &str) -> Result<LoginStatus> {
        let path = format!("/api/login/{}", escaped(platform));
        let request = self.request(Method::POST, &path, None::<&()>)?;
        self.ask(request).await?.ok_or_else(|| self.not_found())
    }

    /// How a login goes; `None` where the server does not know it any more.
    pub(super) async fn login(&mut self, platform: &str, id: &str) -> Result<Option<LoginStatus>> {
        let path = format!("/api/login/{}/{}", escaped(platform), escaped(id));
        let request = self.request(Method::GET, &path, None::<&()>)?;
        self.ask(request).await
    }

    pub(super) async fn give_login_digits(
        &mut self,
        platform: &str,
        id: &str,
        digits: String,
    ) -> Result<()> {
        let path = format!("/api/login/{}/{}", escaped(platform), escaped(id));
        let request = self.request(Method::POST, &path, Some(&LoginDigits { digits }))?;
        self.ask::<LoginStatus>(request).await.map(drop)
    }

    /// Logs an account out; `None` where it is not logged in.
    pub(super) async fn log_out(
        &mut self,
        platform: &str,
        account: Option<&str>,
    ) -> Result<Option<LoggedOut>> {
        let mut path = format!("/api/login/{}", escaped(platform));
        if let Some(account) = account {
            let mut query = form_urlencoded::Serializer::new(String::new());
            path = format!("{path}?{}", query.append_pair("account", account).finish());
        }
        let request = self.request(Method::DELETE, &path, None::<&()>)?;
        self.ask(request).await
    }

    pub(super) async fn get(&mut self, id: Uuid) -> Result<Message> {
        self.find(id).await?.ok_or_else(|| no_message(id))
    }

    /// A message, or `None` where it was deleted or never was.
    pub(super) async fn find(&mut self, id: Uuid) -> Result<Option<Message>> {
        let request = self.request(Method::GET, &format!("/api/messages/{id}"), None::<&()>)?;
        self.ask(request).await
    }

    pub(super) async fn set_status(&mut self, id: Uuid, status: Status) -> Result<Message> {
        let body = MessageChange { status: Some(status.to_string()), ..MessageChange::default() };
        let request = self.request(Method::PATCH, &format!("/api/messages/{id}"), Some(&body))?;
        self.ask(request).await?.ok_or_else(|| no_message(id))
    }

    pub(super) async fn delete(&mut self, id: Uuid) -> Result<()> {
        let request = self.request(Method::DELETE, &format!("/api/messages/{id}"), None::<&()>)?;
        self.ask::<Deleted>(request).await?.map(drop).ok_or_else(|| no_message(id))
    }

    pub(super) async fn health(&mut self) -> Result<Health> {
        let request = self.request(Method::GET, "/api/health", None::<&()>)?;
        self.ask(request).await?.ok_or_else(|| self.not_found())
    }

    pub(super) async fn stats(&mut self) -> Result<Stats> {
        let request = self.request(Method::GET, "/api/stats", None::<&()>)?;
        self.ask(request).await?.ok_or_else(|| self.not_found())
    }

    /// Opens the stream of new messages with their cursors; its body goes on until the server ends
    /// it.
    pub(super) async fn stream(
        &mut self,
        filter: &Filter,
        begin: Begin<'_>,
    ) -> std::result::Result<Incoming, NotOpened> {
        let (since, last) = match begin {
            Begin::Since(since) => (since, None),
            Begin::After(place) => (None, Some(place)),
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("events", "").extend_pairs(since.map(|since| ("since", since)));
        query.extend_pairs(filter.platform.iter().map(|name| ("platform", name)));
        query.extend_pairs(filter.conversation.iter().map(|name| ("conversation", name)));
        let path = format!("/api/stream?{}", query.finish());
        let request = self.request(Method::GET, &path, None::<&()>);
        let mut request = request.map_err(NotOpened::Refused)?;
        request.headers_mut().insert(ACCEPT, LINES);
        // A place that came over the network may be no header; then the stream begins with `reset`.
        let last = last.map(|last| HeaderValue::from_str(last).unwrap_or(UNKNOWN_PLACE));
        request.headers_mut().extend(last.map(|last| (LAST_EVENT_ID, last)));
        self.open(request).await
    }

    pub(super) async fn export(&mut self, filter: &Filter) -> Result<Export> {
        let path = format!("/api/export?{}", query(filter, 0, 0, None));
        let request = self.request(Method::GET, &path, None::<&()>)?;
        Ok(Export::Remote(self.open(request).await?))
    }

    pub(super) async fn import(&mut self, lines: Vec<u8>) -> Result<Imported> {
        let mut request = self.request(Method::POST, "/api/import", None::<&()>)?;
        request.headers_mut().insert(CONTENT_TYPE, LINES);
        *request.body_mut() = Full::from(lines);
        self.ask(request).await?.ok_or_else(|| self.not_found())
    }

    pub(super) async fn backup(&mut self, file: PathBuf) -> Result<()> {
        let body = Backup { file };
        let request = self.request(Method::POST, "/api/backup", Some(&body))?;
        // However long it takes: the whole store is copied.
        let answer = self.requests.send_request(request).await;
        let answer = answer.map_err(|error| self.address.broken(&error))?;
        let status = answer.status();
        let bytes = read(answer.into_body(), MAX_ERROR_BYTES).await;
        if status.is_success() { Ok(()) } else { Err(refused(status, &bytes.unwrap_or_default())) }
    }

    pub(super) async fn media(&mut self, limit: u64) -> Result<MediaList> {
        let request =
            self.request(Method::GET, &format!("/api/media?limit={limit}"), None::<&()>)?;
        self.ask(request).await?.ok_or_else(|| self.not_found())
    }

    pub(super) async fn upload(&mut self, name: Option<&str>, bytes: Vec<u8>) -> Result<Uploaded> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(name.map(|name| ("name", name)));
        let path = format!("/api/media?{}", query.finish());
        let mut request = self.request(Method::POST, &path, None::<&()>)?;
        *request.body_mut() = Full::from(bytes);
        self.requests.ready().await.map_err(|error| self.address.broken(&error))?;
        let sent = timeout(UPLOAD_TIMEOUT, self.requests.send_request(request)).await;
        let answer = sent.map_err(|_| self.broken(&io::Error::from(io::ErrorKind::TimedOut)))?;
        let answer = answer.map_err(|error| self.address.broken(&error))?;
        let status = answer.status();
        let bytes = read(answer.into_body(), MAX_ERROR_BYTES).await;
        let bytes = bytes.map_err(|error| self.broken(&error))?;
        match status {
            StatusCode::CREATED => serde_json::from_slice(&bytes)
                .map_err(|error| self.broken(&format_args!("cannot read the answer: {error}"))),
            StatusCode::NOT_FOUND => Err(self.not_found()),
            status => Err(refused_media(status, &bytes)),
        }
    }

    pub(super) async fn download(&mut self, media: Hash, to: &mut Upload) -> Result<bool> {
        let request = self.request(Method::GET, &format!("/api/media/{media}"), None::<&()>)?;
        self.requests.ready().await.map_err(|error| self.address.broken(&error))?;
        let answer = timeout(ANSWER_TIMEOUT, self.requests.send_request(request)).await;
        let answer = answer.map_err(|_| self.broken(&io::Error::from(io::ErrorKind::TimedOut)))?;
        let answer = answer.map_err(|error| self.address.broken(&error))?;
        let status = answer.status();
        let mut body = answer.into_body();
        if !status.is_success() {
            let bytes = read(body, MAX_ERROR_BYTES).await.unwrap_or_default();
            let is_missing = status == StatusCode::NOT_FOUND;
            return if is_missing { Ok(false) } else { Err(refused(status, &bytes)) };
        }
        loop {
            let frame = timeout(ANSWER_TIMEOUT, body.frame()).await;
            let frame =
                frame.map_err(|_| self.broken(&io::Error::from(io::ErrorKind::TimedOut)))?;
            let Some(frame) = frame else { return Ok(true) };
            let frame = frame.map_err(|error| self.address.broken(&error))?;
            let written = frame.data_ref().map_or(Ok(()), |bytes| to.write(bytes));
            written.map_err(|refused| Error::failed(refused.to_string()))?;
        }
    }

    pub(super) async fn remove_media(&mut self, media: Hash) -> Result<MediaRemoved> {
        let request = self.request(Method::DELETE, &format!("/api/media/{media}"), None::<&()>)?;
        self.ask(request).await?.ok_or_else(|| no_media(media))
    }

    /// The body of an answer that goes on.
    async fn open(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> std::result::Result<Incoming, NotOpened> {
        let answer = match timeout(ANSWER_TIMEOUT, self.requests.send_request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(NotOpened::Away(self.address.broken(&error))),
            Err(_) => {
                let error = io::Error::from(io::ErrorKind::TimedOut);
                return Err(NotOpened::Away(self.broken(&error)));
            }
        };
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let status = answer.status();
        let bytes = read(answer.into_body(), MAX_ERROR_BYTES).await;
        let error = refused(status, &bytes.unwrap_or_default());
        let is_lasting = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
        Err(if is_lasting { NotOpened::Refused(error) } else { NotOpened::Away(error) })
    }

    fn request<T: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&T>,
    ) -> Result<Request<Full<Bytes>>> {
        let body = body.map(serde_json::to_vec).transpose();
        let body =
            body.map_err(|error| Error::failed(format!("cannot write the request: {error}")))?;
        let path = format!("{}{path}", self.address.prefix());
        let mut request =
            Request::builder().method(method).uri(path).header(HOST, self.address.host());
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        request
            .body(Full::from(body.unwrap_or_default()))
            .map_err(|_| Error::usage("the token has characters that HTTP does not allow"))
    }

    /// The answer's body; `None` for 404.
    async fn ask<T: DeserializeOwned>(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Option<T>> {
        let size = request.body().size_hint().exact().unwrap_or_default();
        let exchange = async {
            self.requests.ready().await?;
            self.requests.send_request(request).await
        };
        let answer = match timeout(ANSWER_TIMEOUT, exchange).await {
            Ok(Ok(answer)) => answer,
            // A server refuses a body that is too large by closing, and its answer may be lost.
            Ok(Err(error)) if size > LARGE_BYTES => {
                return Err(self.address.broken(&error).hint(TOO_LARGE));
            }
            Ok(Err(error)) => return Err(self.address.broken(&error)),
            Err(_) => return Err(self.broken(&io::Error::from(io::ErrorKind::TimedOut))),
        };
        let status = answer.status();
        let body = timeout(ANSWER_TIMEOUT, read(answer.into_body(), MAX_ANSWER_BYTES)).await;
        let bytes = body
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| self.broken(&error))?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| self.broken(&format_args!("cannot read the answer: {error}"))),
            status => Err(refused(status, &bytes)),
        }
    }

    fn broken(&self, what: &dyn std::fmt::Display) -> Error {
        Error::failed(format!("{}: {what}", self.address.name()))
    }

    fn not_found(&self) -> Error {
        Error::failed(format!("{} answers 404: is it a rechat server?", self.address.name()))
    }
}

/// A part of a path, escaped.
fn escaped(part: &str) -> impl std::fmt::Display + '_ {
    percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC)
}

/// A whole body of at most so many bytes.
async fn read(body: Incoming, most: usize) -> io::Result<Bytes> {
    let body = Limited::new(body, most).collect().await;
    body.map(Collected::to_bytes).map_err(|error| match error.downcast::<hyper::Error>() {
        Ok(error) => io::Error::other(error),
        Err(_) => io::Error::other(format!("the answer has more than {most} bytes")),
    })
}

/// The error of a command that has no connection to its server.
fn unreachable(address: &Address, error: &io::Error) -> Error {
    let away = address.away(error);
    if away.has_hint() {
        return away;
    }
    away.hint("start one with `rechat serve`, or leave --server out to use the local store")
}

/// The text of an error with which a server answered a file.
fn refused_media(status: StatusCode, body: &[u8]) -> Error {
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(body) => Error::failed(body.error),
        Err(_) => refused(status, body),
    }
}

/// The text of an error that a server answered.
fn refused(status: StatusCode, body: &[u8]) -> Error {
    let problem = serde_json::from_slice::<ErrorBody>(body);
    let error = Error::failed(problem.map_or_else(|_| status.to_string(), |problem| problem.error));
    match status {
        StatusCode::UNAUTHORIZED => error.hint("give it with --token, or in RECHAT_TOKEN"),
        StatusCode::PAYLOAD_TOO_LARGE => error.hint(TOO_LARGE),
        _ => error,
    }
}

fn page_of(query: &ConversationQuery, limit: usize, before: Option<u64>) -> String {
    let mut page = form_urlencoded::Serializer::new(String::new());
    page.append_pair("limit", &limit.to_string());
    page.extend_pairs(query.platform.iter().map(|name| ("platform", name)));
    page.extend_pairs(query.text.iter().map(|text| ("q", text)));
    page.extend_pairs(before.map(|seq| ("before", seq.to_string())));
    page.finish()
}

/// The path of a conversation.
fn path_of(platform: &str, conversation: &str) -> String {
    let [platform, conversation] =
        [platform, conversation].map(|name| utf8_percent_encode(name, NON_ALPHANUMERIC));
    format!("/api/conversations/{platform}/{conversation}")
}

fn query(filter: &Filter, offset: u64, limit: usize, before: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string());
    if offset > 0 {
        query.append_pair("offset", &offset.to_string());
    }
    let named = [
        ("status", filter.status.map(Status::as_str)),
        ("direction", filter.direction.map(crate::model::message::Direction::as_str)),
        ("platform", filter.platform.as_deref()),
        ("conversation", filter.conversation.as_deref()),
        ("before", before),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}
