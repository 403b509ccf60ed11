//! A server, asked over HTTP: through TCP, or through the Unix socket beside its store.

use super::address::ServerAddress;
use super::body::FileBody;
use super::connection::ClientConnection;
use super::export::Export;
use super::history::{HistoryPage, HistoryQuery};
use super::missing::{no_media, no_message};
use super::opening::{Begin, NotOpened};
use crate::error::{Error, Result};
use crate::media::{Hash, Upload};
use crate::model::id_prefix::IdPrefix;
use crate::model::message::{Message, Status};
use crate::protocol::bots::{Bot, Bots};
use crate::protocol::event::EventKind;
use crate::protocol::http::{
    AdapterStatus, Backup, Conversation, Conversations, Deleted, Health, Imported, Listing,
    MAX_LIMIT, MediaList, MediaRemoved, MessageChange, NewMessage, Platforms, Request,
    RequestAnswer, Requests, SetConversation, Uploaded,
};
use crate::protocol::login::{LoggedOut, LoginDigits, LoginStatus};
use crate::protocol::overview::Stats;
use crate::protocol::sign_in::SignInCode;
use crate::search::Conditions;
use crate::store::{ConversationQuery, MessageFilter, Order, Page};
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::Method;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use std::io;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Lines of JSON.
const LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// Where a stream goes on (HTML, section 9.2.4).
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A place that no store knows.
const UNKNOWN_PLACE: HeaderValue = HeaderValue::from_static("unknown");

/// A server, over one connection that is kept open between requests.
pub struct Remote(ClientConnection);

impl Remote {
    /// Connects to a server that was named.
    pub(super) async fn connect(address: ServerAddress, token: Option<String>) -> Result<Self> {
        ClientConnection::connect(address, token).await.map(Self)
    }

    /// The server behind a Unix socket; `None` if no server listens there.
    pub(super) async fn beside(socket: &Path) -> Result<Option<Self>> {
        Ok(ClientConnection::beside(socket).await?.map(Self))
    }

    /// A server at an address, and the token it wants.
    pub(super) async fn at(address: ServerAddress, token: Option<String>) -> io::Result<Self> {
        ClientConnection::at(address, token).await.map(Self)
    }

    /// Whether the connection still stands, as far as one can tell without asking.
    pub(super) fn is_open(&self) -> bool {
        self.0.is_open()
    }

    /// The same server once more, over a connection of its own.
    pub(super) async fn again(&self) -> Result<Self> {
        self.0.again().await.map(Self)
    }

    pub(super) async fn create(
        &mut self,
        message: &NewMessage,
        key: Option<&str>,
    ) -> Result<Message> {
        let mut request = self.0.request(Method::POST, "/api/messages", Some(message))?;
        if let Some(key) = key {
            let value =
                key.parse().map_err(|_| Error::usage("an idempotency key must be plain ASCII"))?;
            request.headers_mut().insert("idempotency-key", value);
        }
        self.0.need(request).await
    }

    /// Asks for page after page, for a server gives at most [`MAX_LIMIT`] at once.
    pub(super) async fn list(
        &mut self,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        let mut before = before.map(str::to_owned);
        let mut offset = page.offset;
        loop {
            let limit = (page.limit - messages.len()).min(MAX_LIMIT);
            let path = format!("/api/messages?{}", query(filter, offset, limit, before.as_deref()));
            let listing: Listing = self.0.get(&path).await?;
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

    /// Messages after a place, the oldest first, at most [`MAX_LIMIT`].
    pub(super) async fn list_after(
        &mut self,
        filter: &MessageFilter,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let after: String = form_urlencoded::byte_serialize(after.as_bytes()).collect();
        let query = query(filter, 0, limit, None);
        let listing: Listing = self.0.get(&format!("/api/messages?{query}&after={after}")).await?;
        Ok(listing.messages)
    }

    /// Messages that meet conditions. A server that had to read many says how far it looked.
    pub(super) async fn search(
        &mut self,
        conditions: &Conditions,
        order: Order,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let conditions = query_of(conditions, order);
        let mut messages = Vec::new();
        let mut before = before.map(str::to_owned);
        let all = page.limit.saturating_add(page.offset as usize);
        while messages.len() < all {
            let limit = (all - messages.len()).min(MAX_LIMIT);
            let query = query(filter, 0, limit, before.as_deref());
            let listing: Listing =
                self.0.get(&format!("/api/messages?{query}&{conditions}")).await?;
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

    /// Messages whose ID begins so, the newest first.
    pub(super) async fn by_prefix(
        &mut self,
        prefix: IdPrefix,
        filter: &MessageFilter,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let query = query(filter, 0, limit, None);
        let listing: Listing =
            self.0.get(&format!("/api/messages?{query}&id_prefix={prefix}")).await?;
        // A server of before this parameter passes it over.
        let is_one = |message: &Message| prefix.matches(message.id);
        Ok(listing.messages.into_iter().filter(is_one).collect())
    }

    /// One page of the history that goes backwards, the newest first.
    pub(super) async fn page(&mut self, query: &HistoryQuery) -> Result<HistoryPage> {
        self.0.get(&format!("/api/messages?{}", query.query())).await
    }

    /// The inbound message that so many others came after.
    pub(super) async fn inbound_at(
        &mut self,
        query: &HistoryQuery,
        offset: u64,
    ) -> Result<Option<Message>> {
        let one = HistoryQuery { limit: 1, ..query.clone() }.query();
        let path = format!("/api/messages?{one}&direction=Inbound&offset={offset}");
        let found: HistoryPage = self.0.get(&path).await?;
        Ok(found.messages.into_iter().next())
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
            let answer: Conversations = self.0.get(&path).await?;
            let is_last = answer.conversations.len() != limit;
            found.extend(answer.conversations);
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
        let request = self.0.request(Method::GET, &path, None::<&()>)?;
        self.0.ask(request).await
    }

    pub(super) async fn set_conversation(
        &mut self,
        platform: &str,
        conversation: &str,
        set: &SetConversation,
    ) -> Result<Option<Conversation>> {
        let path = path_of(platform, conversation);
        let request = self.0.request(Method::PATCH, &path, Some(set))?;
        self.0.ask(request).await
    }

    pub(super) async fn platforms(&mut self) -> Result<Vec<AdapterStatus>> {
        let answer: Platforms = self.0.get("/api/platforms").await?;
        Ok(answer.platforms)
    }

    pub(super) async fn bots(&mut self) -> Result<Vec<Bot>> {
        let answer: Bots = self.0.get("/api/bots").await?;
        Ok(answer.bots)
    }

    pub(super) async fn begin_login(&mut self, platform: &str) -> Result<LoginStatus> {
        let path = format!("/api/login/{}", escaped(platform));
        let request = self.0.request(Method::POST, &path, None::<&()>)?;
        self.0.need(request).await
    }

    /// How a login goes; `None` where the server does not know it any more.
    pub(super) async fn login(&mut self, platform: &str, id: &str) -> Result<Option<LoginStatus>> {
        let path = format!("/api/login/{}/{}", escaped(platform), escaped(id));
        let request = self.0.request(Method::GET, &path, None::<&()>)?;
        self.0.ask(request).await
    }

    pub(super) async fn give_login_digits(
        &mut self,
        platform: &str,
        id: &str,
        digits: String,
    ) -> Result<()> {
        let path = format!("/api/login/{}/{}", escaped(platform), escaped(id));
        let request = self.0.request(Method::POST, &path, Some(&LoginDigits { digits }))?;
        self.0.ask::<LoginStatus>(request).await.map(drop)
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
        let request = self.0.request(Method::DELETE, &path, None::<&()>)?;
        self.0.ask(request).await
    }

    pub(super) async fn make_sign_in_code(&mut self) -> Result<SignInCode> {
        let request = self.0.request(Method::POST, "/api/sign-in/code", None::<&()>)?;
        let made: SignInCode = self.0.need(request).await?;
        // A server behind a proxy does not know the address by which it was reached.
        let page = self.0.url().map(|url| format!("{url}/"));
        Ok(SignInCode { page: page.unwrap_or(made.page), ..made })
    }

    pub(super) async fn get(&mut self, id: Uuid) -> Result<Message> {
        self.find(id).await?.ok_or_else(|| no_message(id))
    }

    /// A message, or `None` where it was deleted or never was.
    pub(super) async fn find(&mut self, id: Uuid) -> Result<Option<Message>> {
        let request = self.0.request(Method::GET, &format!("/api/messages/{id}"), None::<&()>)?;
        self.0.ask(request).await
    }

    pub(super) async fn set_status(&mut self, id: Uuid, status: Status) -> Result<Message> {
        let status = Some(status.to_string());
        self.change(id, &MessageChange { status, ..MessageChange::default() }).await
    }

    pub(super) async fn change(&mut self, id: Uuid, change: &MessageChange) -> Result<Message> {
        let path = format!("/api/messages/{id}");
        let request = self.0.request(Method::PATCH, &path, Some(change))?;
        self.0.ask(request).await?.ok_or_else(|| no_message(id))
    }

    pub(super) async fn recall(&mut self, id: Uuid) -> Result<Message> {
        let path = format!("/api/messages/{id}/recall");
        let request = self.0.request(Method::POST, &path, None::<&()>)?;
        self.0.ask(request).await?.ok_or_else(|| no_message(id))
    }

    pub(super) async fn react(&mut self, id: Uuid, emoji: &str, on: bool) -> Result<Message> {
        let method = if on { Method::PUT } else { Method::DELETE };
        let path = format!("/api/messages/{id}/reactions/{}", escaped(emoji));
        let request = self.0.request(method, &path, None::<&()>)?;
        self.0.ask(request).await?.ok_or_else(|| no_message(id))
    }

    pub(super) async fn requests(&mut self) -> Result<Vec<Request>> {
        let answer: Requests = self.0.get("/api/requests").await?;
        Ok(answer.requests)
    }

    pub(super) async fn answer_request(
        &mut self,
        id: u64,
        answer: &RequestAnswer,
    ) -> Result<Request> {
        let path = format!("/api/requests/{id}");
        let request = self.0.request(Method::POST, &path, Some(answer))?;
        self.0.ask(request).await?.ok_or_else(|| {
            Error::failed(format!("no request {id} waits for an answer"))
                .hint("`rechat requests` lists them")
        })
    }

    pub(super) async fn delete(&mut self, id: Uuid) -> Result<()> {
        let request =
            self.0.request(Method::DELETE, &format!("/api/messages/{id}"), None::<&()>)?;
        self.0.ask::<Deleted>(request).await?.map(drop).ok_or_else(|| no_message(id))
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
    /// it.
    pub(super) async fn stream(
        &mut self,
        filter: &MessageFilter,
        begin: Begin<'_>,
        events: &[EventKind],
    ) -> std::result::Result<Incoming, NotOpened> {
        let (since, last) = match begin {
            Begin::Since(since) => (since, None),
            Begin::After(place) => (None, Some(place)),
        };
        let path = format!("/api/stream?{}", stream_query(filter, since, events));
        let request = self.0.request(Method::GET, &path, None::<&()>);
        let mut request = request.map_err(NotOpened::Refused)?;
        request.headers_mut().insert(ACCEPT, LINES);
        // A place that came over the network may be no header; then the stream begins with `reset`.
        let last = last.map(|last| HeaderValue::from_str(last).unwrap_or(UNKNOWN_PLACE));
        request.headers_mut().extend(last.map(|last| (LAST_EVENT_ID, last)));
        self.0.open(request).await
    }

    pub(super) async fn export(&mut self, filter: &MessageFilter) -> Result<Export> {
        let path = format!("/api/export?{}", query(filter, 0, 0, None));
        let request = self.0.request(Method::GET, &path, None::<&()>)?;
        Ok(Export::Remote(self.0.open(request).await?))
    }

    pub(super) async fn import(&mut self, lines: Vec<u8>) -> Result<Imported> {
        let mut request = self.0.request(Method::POST, "/api/import", None::<&()>)?;
        request.headers_mut().insert(CONTENT_TYPE, LINES);
        *request.body_mut() = Either::Left(Full::from(lines));
        self.0.need(request).await
    }

    pub(super) async fn backup(&mut self, file: PathBuf) -> Result<()> {
        let body = Backup { file };
        let request = self.0.request(Method::POST, "/api/backup", Some(&body))?;
        self.0.wait(request).await
    }

    pub(super) async fn media(&mut self, limit: u64) -> Result<MediaList> {
        self.0.get(&format!("/api/media?limit={limit}")).await
    }

    pub(super) async fn upload(&mut self, name: Option<&str>, file: FileBody) -> Result<Uploaded> {
        let path = upload_path(name);
        let mut request = self.0.request(Method::POST, &path, None::<&()>)?;
        *request.body_mut() = Either::Right(file);
        self.0.upload(request).await
    }

    pub(super) async fn download(&mut self, media: Hash, to: &mut Upload) -> Result<bool> {
        let request = self.0.request(Method::GET, &format!("/api/media/{media}"), None::<&()>)?;
        self.0.download(request, to).await
    }

    /// The bytes of a file, so many at most; `None` where it is not kept.
    pub(super) async fn media_bytes(&mut self, media: Hash, most: usize) -> Result<Option<Bytes>> {
        let request = self.0.request(Method::GET, &format!("/api/media/{media}"), None::<&()>)?;
        self.0.file(request, most).await
    }

    /// Lets the server fetch the files of a message that it does not keep yet.
    pub(super) async fn fetch_media(&mut self, id: Uuid) -> Result<Message> {
        let path = format!("/api/messages/{id}/media");
        let request = self.0.request(Method::POST, &path, None::<&()>)?;
        self.0.ask(request).await?.ok_or_else(|| no_message(id))
    }

    pub(super) async fn remove_media(&mut self, media: Hash) -> Result<MediaRemoved> {
        let request =
            self.0.request(Method::DELETE, &format!("/api/media/{media}"), None::<&()>)?;
        self.0.ask(request).await?.ok_or_else(|| no_media(media))
    }
}

/// The path that takes a file of a name.
fn upload_path(name: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(name.map(|name| ("name", name)));
    format!("/api/media?{}", query.finish())
}

/// A part of a path, escaped.
fn escaped(part: &str) -> impl std::fmt::Display + '_ {
    percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC)
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
    format!("/api/conversations/{}/{}", escaped(platform), escaped(conversation))
}

fn query(filter: &MessageFilter, offset: u64, limit: usize, before: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string());
    if offset > 0 {
        query.append_pair("offset", &offset.to_string());
    }
    let named = [
        ("direction", filter.direction.map(crate::model::message::Direction::as_str)),
        ("platform", filter.platform.as_deref()),
        ("conversation", filter.conversation.as_deref()),
        ("before", before),
    ];
    query.extend_pairs(filter.statuses.iter().map(|status| ("status", status.as_str())));
    for (name, value) in named {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

fn stream_query(filter: &MessageFilter, since: Option<&str>, events: &[EventKind]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let events: Vec<_> = events.iter().map(|kind| kind.as_str()).collect();
    query
        .append_pair("events", &events.join(","))
        .extend_pairs(since.map(|since| ("since", since)));
    query.extend_pairs(filter.platform.iter().map(|name| ("platform", name)));
    query.extend_pairs(filter.conversation.iter().map(|name| ("conversation", name)));
    query.finish()
}

fn query_of(conditions: &Conditions, order: Order) -> String {
    let Conditions { text, message_type, sender, since, until } = conditions;
    let pairs = [
        ("q", text.clone()),
        ("message_type", message_type.map(|wanted| wanted.to_string())),
        ("sender", sender.clone()),
        ("since", since.map(|since| since.to_string())),
        ("until", until.map(|until| until.to_string())),
        ("order", (order == Order::Time).then(|| "time".to_owned())),
    ];
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.into_iter().filter_map(|(name, value)| Some((name, value?))));
    query.finish()
}
