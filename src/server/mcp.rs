//! `/mcp`: agents, with the Model Context Protocol over streamable HTTP (contract, item 37).
//!
//! Each request stands alone: there are no sessions, in any version of the protocol.

use super::access::AccessGrant;
use super::body::{Body, HttpResponse, json};
use super::context::ServerContext;
use super::error::{ErrorResponse, Result};
use super::forward;
use super::lifetime::{Ended, Lifetime};
use super::limit::RETRY_AFTER;
use super::list::on_a_thread;
use super::messages::write;
use super::operation::Call;
use super::query::seq_of;
use super::request::read_body;
use super::waiting;
use crate::cli;
use crate::clock::now;
use crate::error::{self, Error};
use crate::health;
use crate::hub::{CursorGone, FrameForm, ReplayStart, SubscribeRequest, Subscriber};
use crate::mcp::{Agent, Chats, Source, Watch, read_message};
use crate::media::Hash;
use crate::model::message::Message;
use crate::model::subscription::NameList;
use crate::protocol::http::{AdapterStatus, Conversation, NO_REPLY_TARGET, NewMessage};
use crate::search::{Conditions, Search};
use crate::store::{self, Command, ConversationQuery, Idempotency, MessageFilter, Page, View};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use hyper::{Request, Response, StatusCode};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use uuid::Uuid;

/// `POST /mcp`
pub async fn answer(call: Call<'_>) -> Result<HttpResponse> {
    let Call { context, granted, request, .. } = call;
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let body = read_body(context, request, "application/json").await?;
    if let Err(Some(refused)) = read_message(&body) {
        // The SDK would answer a request that is not a message with plain text.
        return Ok(json(StatusCode::BAD_REQUEST, &refused));
    }
    let mut request = Request::post(uri)
        .body(Full::new(body))
        .map_err(|error| ErrorResponse::bad_request(error.to_string()))?;
    *request.headers_mut() = headers;
    let agent = agent(context, &granted);
    let sessions = Arc::new(NeverSessionManager::default());
    // `Host`, `Origin` and the size of the body were checked before.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(None)
        .with_max_request_body_bytes(usize::MAX)
        .disable_allowed_hosts();
    let service = StreamableHttpService::new(move || Ok(agent.clone()), sessions, config);
    let lifetime = Lifetime::new(context.stop.clone(), granted.revoked.clone());
    let answering = async {
        let (head, body) = service.handle(request).await.into_parts();
        let bytes = body.collect().await.map(http_body_util::Collected::to_bytes);
        (head, bytes.unwrap_or_else(|never| match never {}))
    };
    let (mut head, bytes) = lifetime.run(answering).await.map_err(|ended| match ended {
        Ended::Stopping => ErrorResponse::unavailable("the server is stopping", RETRY_AFTER),
        Ended::Revoked => ErrorResponse::unauthorized("this token is not accepted any more"),
    })?;
    if is_plain_error(head.status, &head.headers) {
        return Err(ErrorResponse::new(head.status, String::from_utf8_lossy(&bytes)));
    }
    head.headers.remove(CONTENT_LENGTH);
    head.headers.remove(TRANSFER_ENCODING);
    Ok(Response::from_parts(head, Body::Whole(bytes)))
}

/// Whether the SDK answered with an error as plain text; here it has to be JSON (contract, item 2).
fn is_plain_error(status: StatusCode, headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).map(hyper::http::HeaderValue::as_bytes);
    !status.is_success() && media_type != Some(b"application/json")
}

/// The agent of one request.
fn agent(context: &Arc<ServerContext>, granted: &AccessGrant) -> Agent<OwnStore> {
    let source = OwnStore(context.clone());
    let token = granted.token.clone();
    let asked = crate::mcp::AgentContext::new(source, context.agents.clone(), token);
    Agent::new(Arc::new(asked), cli::VERSION)
}

/// The server's own store.
#[derive(Clone)]
struct OwnStore(Arc<ServerContext>);

impl OwnStore {
    fn view(&self) -> error::Result<Arc<View>> {
        Ok(self.0.store.view()?)
    }

    /// Sets the reasons why messages wait.
    async fn filled(&self, mut messages: Vec<Message>, view: &View) -> Vec<Message> {
        waiting::fill(&self.0, &mut messages, view).await;
        messages
    }

    async fn search_all(
        &self,
        search: &Search,
        filter: &MessageFilter,
        mut page: Page,
    ) -> error::Result<Vec<Message>> {
        let limit = page.limit;
        let mut messages = Vec::new();
        while messages.len() < limit {
            page.limit = limit - messages.len();
            let (filter, search) = (filter.clone(), search.clone());
            let (index, store) = (self.0.search.clone(), self.0.store.clone());
            let found = on_a_thread(move || index.search(&store, &filter, &search, page)).await?;
            messages.extend(found.messages);
            if found.searched_to.is_none() {
                break;
            }
            page.before = found.searched_to;
        }
        Ok(messages)
    }
}

impl Source for OwnStore {
    type Chats = Self;
    type Watch = OwnChanges;

    async fn open(&self, _: store::Access) -> error::Result<Self> {
        Ok(self.clone())
    }

    async fn watch(&self, filter: &MessageFilter) -> error::Result<OwnChanges> {
        let permit = self.0.sessions.acquire().map_err(|error| failed(&error))?;
        let subscriber = self.0.hub.subscriber(FrameForm::Stream);
        let names = |name: &Option<String>| NameList::listed(name.iter().cloned());
        let asked = SubscribeRequest {
            platforms: names(&filter.platform),
            conversations: names(&filter.conversation),
            since: ReplayStart::Now,
            events: None,
        };
        let mut changes =
            OwnChanges { subscriber, asked, context: self.0.clone(), _permit: permit };
        changes.subscribe().await?;
        Ok(changes)
    }
}

/// Changes in the server's own store.
struct OwnChanges {
    subscriber: Subscriber,
    asked: SubscribeRequest,
    context: Arc<ServerContext>,
    _permit: OwnedSemaphorePermit,
}

impl OwnChanges {
    async fn subscribe(&mut self) -> error::Result<()> {
        let subscribed = self.subscriber.subscribe(self.asked.clone(), &self.context.store).await;
        subscribed.map(drop).map_err(|why| Error::failed(super::socket::refused(&why).0))
    }
}

impl Watch for OwnChanges {
    async fn changed(&mut self) -> error::Result<()> {
        match self.subscriber.next(&self.context.store).await {
            Ok(_) => Ok(()),
            // The hub lost its position and stopped sending. Subscribe again; messages from the time
            // between are read from the store.
            Err(CursorGone) => self.subscribe().await,
        }
    }
}

impl Chats for OwnStore {
    fn is_served(&self) -> bool {
        true
    }

    async fn conversations(
        &mut self,
        query: &ConversationQuery,
    ) -> error::Result<Vec<Conversation>> {
        let (view, query) = (self.view()?, query.clone());
        Ok(on_a_thread(move || view.conversations(&query)).await?)
    }

    async fn conversation(
        &mut self,
        platform: &str,
        conversation: &str,
    ) -> error::Result<Option<Conversation>> {
        Ok(self.view()?.conversation(platform, conversation)?)
    }

    async fn list(
        &mut self,
        filter: &MessageFilter,
        limit: usize,
        before: Option<&str>,
    ) -> error::Result<Vec<Message>> {
        let view = self.view()?;
        let page = Page { offset: 0, limit, before: position(before, &view)? };
        let messages = view.list(filter, page)?;
        Ok(self.filled(messages, &view).await)
    }

    async fn list_after(
        &mut self,
        filter: &MessageFilter,
        after: &str,
        limit: usize,
    ) -> error::Result<Vec<Message>> {
        let view = self.view()?;
        let after = position(Some(after), &view)?.unwrap_or_default();
        let messages = view.list_after(filter, after, limit)?;
        Ok(self.filled(messages, &view).await)
    }

    async fn search(
        &mut self,
        conditions: &Conditions,
        filter: &MessageFilter,
        limit: usize,
        before: Option<&str>,
    ) -> error::Result<Vec<Message>> {
        let Some(search) = Search::of(conditions.clone()) else {
            return self.list(filter, limit, before).await;
        };
        let view = self.view()?;
        let page = Page { offset: 0, limit, before: position(before, &view)? };
        let patience = Duration::from_secs(self.0.config.limits.answer_seconds);
        let found = timeout(patience, self.search_all(&search, filter, page)).await;
        let messages = found.map_err(|_| {
            Error::failed("the search takes too long; name a conversation or a time")
        })??;
        Ok(self.filled(messages, &view).await)
    }

    async fn find(&mut self, id: Uuid) -> error::Result<Option<Message>> {
        let view = self.view()?;
        let mut found = view.by_id(id)?;
        waiting::fill(&self.0, &mut found, &view).await;
        Ok(found)
    }

    async fn media(&mut self, media: Hash, most: u64) -> error::Result<Option<Bytes>> {
        let blobs = self.0.blobs.clone();
        let read = health::blocking("reading of media", move || blobs.read(media, most)).await;
        let read = read.map_err(|error| Error::failed(error.to_string()))?;
        read.map_err(|error| Error::failed(format!("the file cannot be read: {error}")))
    }

    async fn platforms(&mut self) -> error::Result<Vec<AdapterStatus>> {
        if self.0.follows() {
            return forward::adapters(&self.0).await.map_err(|error| failed(&error));
        }
        Ok(self.0.registry.platforms())
    }

    async fn create(&mut self, message: NewMessage, key: &str) -> error::Result<Message> {
        if self.0.follows() {
            let made = forward::make_once(&self.0, &message, key).await;
            return made.map_err(|error| failed(&error));
        }
        let draft = message.into_draft().map_err(Error::failed)?;
        let idempotency = Some(Idempotency::new(key, &draft.fingerprint()));
        let facts = self.0.routing_facts();
        let command = Command::Create { draft, at: now(), idempotency, facts };
        match write(&self.0, command).await.map_err(|error| failed(&error))? {
            store::Answer::Message(message) | store::Answer::Repeated(message) => Ok(message),
            store::Answer::NoReplyTarget => Err(Error::failed(NO_REPLY_TARGET)),
            _ => Err(Error::failed(
                "this idempotency key was used with another message within the last 24 h",
            )
            .hint("use another `idempotency_key`")),
        }
    }
}

fn position(text: Option<&str>, view: &View) -> error::Result<Option<u64>> {
    let position = text.map(|text| seq_of("cursor", text, view)).transpose();
    position.map_err(|error| failed(&error))
}

fn failed(error: &ErrorResponse) -> Error {
    Error::failed(error.text())
}
