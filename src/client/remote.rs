//! A server, asked over HTTP: through TCP, or through the Unix socket beside its store.

use super::no_message;
use crate::api::{Deleted, Listing, MOST_LIMIT, NewMessage, NewStatus, Problem};
use crate::error::{Error, Result};
use crate::message::{Message, Status};
use crate::store::{Filter, Page, Stats};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use uuid::Uuid;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(60);

/// One connection to a server, kept open between requests.
pub struct Remote {
    requests: SendRequest<Full<Bytes>>,
    /// What people know the server by.
    name: String,
    host: String,
    token: Option<String>,
}

impl Remote {
    /// Connects to `http://host:port`.
    pub(super) async fn connect(url: &str, token: Option<String>) -> Result<Self> {
        let wrong = || {
            Error::usage(format!("{url} is no server's URL")).hint("write it as http://host:8080")
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong());
        };
        let address =
            (authority.host().trim_matches(['[', ']']), authority.port_u16().unwrap_or(80));
        let stream = match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(unreachable(url, &error)),
            Err(_) => return Err(unreachable(url, &io::ErrorKind::TimedOut.into())),
        };
        let _ = stream.set_nodelay(true);
        Self::over(stream, url.to_owned(), authority.to_string(), token).await
    }

    /// The server behind a Unix socket; `None` where nobody listens there.
    pub(super) async fn beside(socket: &Path) -> Result<Option<Self>> {
        match UnixStream::connect(socket).await {
            Ok(stream) => {
                let name = socket.display().to_string();
                Self::over(stream, name, "localhost".into(), None).await.map(Some)
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let text =
                    format!("a server runs here, and {} is not for this user", socket.display());
                Err(Error::failed(text)
                    .hint("ask as the user it runs as, or use --server and --token"))
            }
            Err(_) => Ok(None),
        }
    }

    async fn over<S>(stream: S, name: String, host: String, token: Option<String>) -> Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (requests, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Error::failed(format!("{name} does not speak HTTP: {error}")))?;
        // Its errors are told by the request that they break.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { requests, name, host, token })
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
        self.ask(request).await?.ok_or_else(|| self.strange("404"))
    }

    /// Asks for page after page, for a server gives at most [`MOST_LIMIT`] at once.
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
            let wanted = (page.limit - messages.len()).min(MOST_LIMIT);
            let query = query(filter, offset, wanted, before.as_deref());
            let request =
                self.request(Method::GET, &format!("/api/messages?{query}"), None::<&()>)?;
            let listing: Listing = self.ask(request).await?.ok_or_else(|| self.strange("404"))?;
            let is_last = listing.messages.len() < wanted;
            messages.extend(listing.messages);
            if is_last || messages.len() >= page.limit {
                return Ok(messages);
            }
            // From here on by the last message seen, which costs the same however deep it lies.
            before = messages.last().map(|message| message.id.to_string());
            offset = 0;
        }
    }

    pub(super) async fn get(&mut self, id: Uuid) -> Result<Message> {
        let request = self.request(Method::GET, &format!("/api/messages/{id}"), None::<&()>)?;
        self.ask(request).await?.ok_or_else(|| no_message(id))
    }

    pub(super) async fn set_status(&mut self, id: Uuid, status: Status) -> Result<Message> {
        let body = NewStatus { status: status.to_string() };
        let request = self.request(Method::PATCH, &format!("/api/messages/{id}"), Some(&body))?;
        self.ask(request).await?.ok_or_else(|| no_message(id))
    }

    pub(super) async fn delete(&mut self, id: Uuid) -> Result<()> {
        let request = self.request(Method::DELETE, &format!("/api/messages/{id}"), None::<&()>)?;
        self.ask::<Deleted>(request).await?.map(drop).ok_or_else(|| no_message(id))
    }

    pub(super) async fn stats(&mut self) -> Result<Stats> {
        let request = self.request(Method::GET, "/api/stats", None::<&()>)?;
        self.ask(request).await?.ok_or_else(|| self.strange("404"))
    }

    fn request<T: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&T>,
    ) -> Result<Request<Full<Bytes>>> {
        let body = body.map(serde_json::to_vec).transpose();
        let body =
            body.map_err(|error| Error::failed(format!("the request cannot be written: {error}")))?;
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.host);
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
        let broken = |what: &dyn std::fmt::Display| Error::failed(format!("{}: {what}", self.name));
        let exchange = async {
            self.requests.ready().await?;
            let answer = self.requests.send_request(request).await?;
            let status = answer.status();
            Ok::<_, hyper::Error>((status, answer.into_body().collect().await?.to_bytes()))
        };
        let (status, bytes) = match timeout(ANSWER, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(broken(&format!("the connection broke: {error}"))),
            Err(_) => return Err(broken(&format!("no answer within {} s", ANSWER.as_secs()))),
        };
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| broken(&format!("the answer cannot be read: {error}")));
        }
        let problem = serde_json::from_slice::<Problem>(&bytes);
        let text = problem.map_or_else(|_| format!("{status}"), |problem| problem.error);
        let error = Error::failed(text);
        Err(match status {
            StatusCode::UNAUTHORIZED => error.hint("give it with --token, or in RECHAT_TOKEN"),
            _ => error,
        })
    }

    fn strange(&self, what: &str) -> Error {
        Error::failed(format!("{} answers {what}: is it a rechat server?", self.name))
    }
}

fn query(filter: &Filter, offset: u64, limit: usize, before: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string());
    if offset > 0 {
        query.append_pair("offset", &offset.to_string());
    }
    let named = [
        ("status", filter.status.map(|status| status.as_str())),
        ("direction", filter.direction.map(|direction| direction.as_str())),
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

fn unreachable(url: &str, error: &io::Error) -> Error {
    Error::failed(format!("no server answers at {url}: {error}"))
        .hint("start one with `rechat serve`, or leave --server out to use the local store")
}
