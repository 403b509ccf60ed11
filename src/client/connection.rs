//! One connection to a server: requests over HTTP, through TCP or the Unix socket next to a store.

use super::address::ServerAddress;
use super::body::RequestBody;
use super::opening::NotOpened;
use crate::error::{Error, Result};
use crate::media::Upload;
use crate::protocol::http::ErrorBody;
use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Either, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// The longest time for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// The longest time for sending a file.
const UPLOAD_TIMEOUT: Duration = Duration::from_hours(1);

/// The longest time for a server's first answer on a new connection.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// The most bytes of an answer: a page of 200 messages of 1 MiB each, with room for escapes.
pub(super) const MAX_ANSWER_BYTES: usize = 512 << 20;

/// Size from which a request may be larger than a server accepts.
const LARGE_BYTES: u64 = 512 << 10;

/// Advice on a request that is too large.
const TOO_LARGE: &str =
    "is it too large? The server takes `limits.body_bytes` (1 MiB unless it is configured)";

/// Advice on a request that is too large for a program between us and the server.
const TOO_LARGE_FOR_PROXY: &str = "rechat did not answer this: a reverse proxy before it takes less; \
                                   raise its limit (nginx: `client_max_body_size`)";

/// The most bytes of an error from a server.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// One connection to a server, kept open between requests.
pub(super) struct ClientConnection {
    requests: SendRequest<RequestBody>,
    address: ServerAddress,
    token: Option<String>,
}

impl ClientConnection {
    /// Connects to a server that the user named.
    pub(super) async fn connect(address: ServerAddress, token: Option<String>) -> Result<Self> {
        let requests = address.open().await.map_err(|error| unreachable(&address, &error))?;
        Ok(Self { requests, address, token })
    }

    /// The server behind a Unix socket; `None` if no server listens there.
    pub(super) async fn at_socket(socket: &Path) -> Result<Option<Self>> {
        let address = ServerAddress::Unix(socket.to_owned());
        match address.open().await {
            Ok(requests) => {
                let mut connection = Self { requests, address, token: None };
                // A server that is stopping may still accept a connection, and not answer.
                Ok(connection.is_there().await.then_some(connection))
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                // Without permission for the folder, it is unknown whether there is a server.
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

    /// A server at an address, and its token.
    pub(super) async fn at(address: ServerAddress, token: Option<String>) -> io::Result<Self> {
        Ok(Self { requests: address.open().await?, address, token })
    }

    /// Whether the server answers.
    async fn is_there(&mut self) -> bool {
        let Ok(request) = self.request(Method::GET, "/api/health", None::<&()>) else {
            return false;
        };
        let answer = timeout(PROBE_TIMEOUT, self.requests.send_request(request)).await;
        match answer {
            // There is a server, but it is busy.
            Err(_) => true,
            Ok(Ok(answer)) => read(answer.into_body(), MAX_ERROR_BYTES).await.is_ok(),
            Ok(Err(_)) => false,
        }
    }

    /// Whether the connection is still open, as far as is known without a request.
    pub(super) fn is_open(&self) -> bool {
        !self.requests.is_closed()
    }

    /// The server's URL; `None` over the Unix socket.
    pub(super) fn url(&self) -> Option<&str> {
        self.address.url()
    }

    /// Another connection to the same server.
    pub(super) async fn reconnected(&self) -> Result<Self> {
        let opened = self.address.open().await;
        let requests = opened.map_err(|error| unreachable(&self.address, &error))?;
        Ok(Self { requests, address: self.address.clone(), token: self.token.clone() })
    }

    /// The body of an answer that is a stream.
    pub(super) async fn open(
        &mut self,
        request: Request<RequestBody>,
    ) -> std::result::Result<Response<Incoming>, NotOpened> {
        let answer = match timeout(ANSWER_TIMEOUT, self.requests.send_request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(NotOpened::Away(self.address.broken(&error))),
            Err(_) => {
                let error = io::Error::from(io::ErrorKind::TimedOut);
                return Err(NotOpened::Away(self.broken(&error)));
            }
        };
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let bytes = read(answer.into_body(), MAX_ERROR_BYTES).await;
        let error = refused(status, &bytes.unwrap_or_default());
        let is_lasting = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
        Err(if is_lasting { NotOpened::Refused(error) } else { NotOpened::Away(error) })
    }

    /// A request with a JSON body, or without a body.
    pub(super) fn request<T: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&T>,
    ) -> Result<Request<RequestBody>> {
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
            .body(Either::Left(Full::from(body.unwrap_or_default())))
            .map_err(|_| Error::usage("the token has characters that HTTP does not allow"))
    }

    /// The answer for a path.
    pub(super) async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        let request = self.request(Method::GET, path, None::<&()>)?;
        self.need(request).await
    }

    /// The answer's body, for a path that every rechat has.
    pub(super) async fn need<T: DeserializeOwned>(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<T> {
        self.ask(request).await?.ok_or_else(|| {
            let name = self.address.name();
            Error::failed(format!("{name} answers 404: is it a rechat server?"))
        })
    }

    /// Waits for the answer without a time limit.
    pub(super) async fn wait(&mut self, request: Request<RequestBody>) -> Result<()> {
        let answer = self.requests.send_request(request).await;
        let answer = answer.map_err(|error| self.address.broken(&error))?;
        let status = answer.status();
        let bytes = read(answer.into_body(), MAX_ERROR_BYTES).await;
        if status.is_success() { Ok(()) } else { Err(refused(status, &bytes.unwrap_or_default())) }
    }

    /// The answer's body; `None` for 404.
    pub(super) async fn ask<T: DeserializeOwned>(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Option<T>> {
        let size = request.body().size_hint().exact().unwrap_or_default();
        let exchange = async {
            self.requests.ready().await?;
            self.requests.send_request(request).await
        };
        let answer = match timeout(ANSWER_TIMEOUT, exchange).await {
            Ok(Ok(answer)) => answer,
            // A server refuses a body that is too large by closing the connection, and its answer
            // may be lost.
            Ok(Err(error)) if size > LARGE_BYTES => {
                return Err(self.address.broken(&error).hint(TOO_LARGE));
            }
            Ok(Err(error)) => return Err(self.address.broken(&error)),
            Err(_) => return Err(self.broken(&io::Error::from(io::ErrorKind::TimedOut))),
        };
        let status = answer.status();
        let body = timeout(ANSWER_TIMEOUT, read(answer.into_body(), MAX_ANSWER_BYTES)).await;
        let body = body.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let bytes = body.map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => {
                self.broken(&error).hint("ask for fewer messages, with --limit")
            }
            _ => self.broken(&error),
        })?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| self.broken(&format_args!("cannot read the answer: {error}"))),
            status => Err(refused(status, &bytes)),
        }
    }

    /// Sends a file, and returns the answer.
    pub(super) async fn upload<T: DeserializeOwned>(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<T> {
        let answer = self.answer(request, UPLOAD_TIMEOUT).await?;
        let status = answer.status();
        let bytes = read(answer.into_body(), MAX_ERROR_BYTES).await;
        let bytes = bytes.map_err(|error| self.broken(&error))?;
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map_err(|error| self.broken(&format_args!("cannot read the answer: {error}")));
        }
        Err(file_refused(status, &bytes))
    }

    /// Sends a part of an upload. The error is `Away` if another attempt may help.
    pub(super) async fn part(
        &mut self,
        request: Request<RequestBody>,
    ) -> std::result::Result<(), NotOpened> {
        let answer = self.answer(request, UPLOAD_TIMEOUT).await.map_err(NotOpened::Away)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let bytes = read(answer.into_body(), MAX_ERROR_BYTES).await.unwrap_or_default();
        let error = file_refused(status, &bytes);
        // The part came too late, has another offset, or an earlier request still writes it.
        let is_passing = [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::CONFLICT,
            StatusCode::LOCKED,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        let is_lasting = status.is_client_error() && !is_passing.contains(&status)
            || status == StatusCode::INSUFFICIENT_STORAGE;
        Err(if is_lasting { NotOpened::Refused(error) } else { NotOpened::Away(error) })
    }

    /// A whole file of at most this number of bytes; `None` if the server answers 404.
    pub(super) async fn file(
        &mut self,
        request: Request<RequestBody>,
        most: usize,
    ) -> Result<Option<Bytes>> {
        let answer = self.answer(request, ANSWER_TIMEOUT).await?;
        let status = answer.status();
        let body = timeout(UPLOAD_TIMEOUT, read(answer.into_body(), most)).await;
        let body = body.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let bytes = body.map_err(|error| self.broken(&error))?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(bytes)),
            status => Err(refused(status, &bytes)),
        }
    }

    /// Copies a file; false if the server answers 404.
    pub(super) async fn download(
        &mut self,
        request: Request<RequestBody>,
        to: &mut Upload,
    ) -> Result<bool> {
        let answer = self.answer(request, ANSWER_TIMEOUT).await?;
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

    /// The answer to a request, whose body has not been read.
    async fn answer(
        &mut self,
        request: Request<RequestBody>,
        within: Duration,
    ) -> Result<Response<Incoming>> {
        let exchange = async {
            self.requests.ready().await?;
            self.requests.send_request(request).await
        };
        match timeout(within, exchange).await {
            Ok(answer) => answer.map_err(|error| self.address.broken(&error)),
            Err(_) => Err(self.broken(&io::Error::from(io::ErrorKind::TimedOut))),
        }
    }

    fn broken(&self, what: &dyn std::fmt::Display) -> Error {
        Error::failed(format!("{}: {what}", self.address.name()))
    }
}

/// A whole body of at most this number of bytes.
async fn read(body: Incoming, most: usize) -> io::Result<Bytes> {
    let body = Limited::new(body, most).collect().await;
    body.map(Collected::to_bytes).map_err(|error| match error.downcast::<hyper::Error>() {
        Ok(error) => io::Error::other(error),
        Err(_) => io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("the answer has more than {most} bytes"),
        ),
    })
}

/// The error of a command that cannot connect to its server.
fn unreachable(address: &ServerAddress, error: &io::Error) -> Error {
    let away = address.away(error);
    if away.has_hint() {
        return away;
    }
    away.hint("start one with `rechat serve`, or leave --server out to use the local store")
}

/// The text of an error from a server.
fn refused(status: StatusCode, body: &[u8]) -> Error {
    let (error, too_large) = match serde_json::from_slice::<ErrorBody>(body) {
        Ok(problem) => (Error::failed(problem.error).named(problem.code), TOO_LARGE),
        Err(_) => (Error::failed(status.to_string()), TOO_LARGE_FOR_PROXY),
    };
    match status {
        StatusCode::UNAUTHORIZED => error.hint("give it with --token, or in RECHAT_TOKEN"),
        StatusCode::PAYLOAD_TOO_LARGE => error.hint(too_large),
        _ => error,
    }
}

/// The text of an error about a file, which `limits.body_bytes` does not limit.
fn file_refused(status: StatusCode, body: &[u8]) -> Error {
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(problem) if status == StatusCode::PAYLOAD_TOO_LARGE => {
            Error::failed(problem.error).named(problem.code)
        }
        _ => refused(status, body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_on_a_request_that_is_too_large_names_the_limit_that_it_hit() {
        let ours = br#"{"error": "too large", "code": "too_large"}"#;
        let (status, page) = (StatusCode::PAYLOAD_TOO_LARGE, b"<html>nginx</html>");
        assert!(refused(status, ours).to_string().contains("limits.body_bytes"));
        assert_eq!(file_refused(status, ours).to_string(), "too large");
        for error in [refused(status, page), file_refused(status, page)] {
            let text = error.to_string();
            assert!(text.contains("413") && text.contains("client_max_body_size"), "{text}");
            assert!(!text.contains("body_bytes"), "{text}");
        }
    }
}
