//! HTTP requests with limits, which tell whether a request may have arrived.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection that nobody uses is kept.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// A client, made when it is first used: it reads the certificates of the system.
#[derive(Clone, Debug, Default)]
pub(super) struct Http {
    client: Arc<OnceLock<Client<HttpsConnector<HttpConnector>, Full<Bytes>>>>,
}

/// A request.
#[derive(Debug)]
pub(super) struct HttpCall {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(HeaderName, String)>,
    /// The media type of the body; empty where there is none.
    pub(super) media_type: &'static str,
    pub(super) body: Bytes,
    /// How long all of it may take.
    pub(super) limit: Duration,
    /// The most bytes of the answer.
    pub(super) max_bytes: usize,
}

/// An answer, whole.
#[derive(Debug)]
pub(super) struct WholeResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoResponse {
    /// The request was never sent.
    NotSent(String),
    /// The request may have arrived.
    Lost(String),
    /// As before; the time ran out, perhaps after an answer began.
    Late,
    /// An answer began, and cannot be read to its end.
    Broken(String),
    /// The answer has more than so many bytes.
    TooLarge(usize),
}

impl NoResponse {
    /// The reason, for people.
    pub(super) fn reason(self) -> String {
        match self {
            Self::NotSent(reason) | Self::Lost(reason) => reason,
            Self::Broken(reason) => format!("the answer broke off: {reason}"),
            Self::Late => "no answer came in time".to_owned(),
            Self::TooLarge(bytes) => {
                format!("the answer has more than {bytes} bytes; raise `max_frame` of the adapter")
            }
        }
    }
}

impl Http {
    /// Sends a request, and reads the whole answer.
    pub(super) async fn send(&self, call: HttpCall) -> Result<WholeResponse, NoResponse> {
        let client = self.client().map_err(|error| NoResponse::NotSent(error.to_string()))?;
        let (until, max_bytes) = (Instant::now() + call.limit, call.max_bytes);
        let request = request(call).map_err(NoResponse::NotSent)?;
        let answer = timeout_at(until, client.request(request)).await;
        let answer = answer.map_err(|_| NoResponse::Late)?.map_err(|error| {
            let text = chain(&error);
            if error.is_connect() {
                let advice = "check the network and the DNS of the server's host";
                NoResponse::NotSent(format!("{text}; {advice}"))
            } else {
                NoResponse::Lost(text)
            }
        })?;
        let (head, body) = answer.into_parts();
        let body = match timeout_at(until, Limited::new(body, max_bytes).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            // The text of a gateway beside its status is of no use.
            _ if head.status.is_server_error() => Bytes::new(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                return Err(NoResponse::TooLarge(max_bytes));
            }
            Ok(Err(error)) => return Err(NoResponse::Broken(chain(&*error))),
            // A server may hold a poll after the head of its answer.
            Err(_) => return Err(NoResponse::Late),
        };
        Ok(WholeResponse { status: head.status, headers: head.headers, body })
    }

    fn client(&self) -> io::Result<&Client<HttpsConnector<HttpConnector>, Full<Bytes>>> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.enforce_http(false);
        let provider = rustls::crypto::ring::default_provider();
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(self.client.get_or_init(|| client))
    }
}

fn request(call: HttpCall) -> Result<Request<Full<Bytes>>, String> {
    let uri: Uri = call.url.parse().map_err(|_| format!("`{}` is no address", call.url))?;
    let mut request = Request::new(Full::new(call.body));
    *request.method_mut() = call.method;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    if !call.media_type.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(call.media_type));
    }
    for (name, value) in call.headers {
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| format!("the header `{name}` has characters that it must not"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(request)
}

/// An error with its causes: the outermost alone says little.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn an_answer_that_begins_and_does_not_end_in_time_is_late() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let held = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1_000]).await.unwrap() > 0, "the request came");
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head).await.unwrap();
            stream
        });
        let call = HttpCall {
            method: Method::POST,
            url: format!("http://{address}/"),
            headers: Vec::new(),
            media_type: "",
            body: Bytes::new(),
            limit: Duration::from_millis(200),
            max_bytes: 1_000,
        };
        let answer = Http::default().send(call).await;
        assert_eq!(answer.unwrap_err(), NoResponse::Late);
        held.await.unwrap();
    }
}
