//! `GET /api/stream`: the live messages for curl, browsers and scripts, as Server-Sent Events or
//! as JSON lines (contract, Part 2, item 17).

use super::body::{Answer, Body, Broken};
use super::context::Context;
use super::error::{ErrorResponse, Result};
use super::lifetime::Lifetime;
use super::limit::Permit;
use super::operation::Call;
use super::query::seq_of;
use crate::hub::Subscriber;
use crate::hub::frame::{Frame, Subject};
use crate::model::subscription::Names;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame as Piece;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

/// How an event looks on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Events,
    Lines,
}

/// What the stream needs for as long as it lasts.
struct Watching {
    context: Arc<Context>,
    lifetime: Lifetime,
    watcher: Subscriber,
    format: Format,
    has_begun: bool,
    _place: OwnedSemaphorePermit,
    _permit: Option<Permit>,
}

/// Opens the stream; it ends when the client goes, or the server stops.
pub fn open(call: &Call<'_>) -> Result<Answer> {
    let (context, request) = (call.context, &call.request);
    let format = format(request.headers());
    let view = context.store.view()?;
    let (mut platforms, mut conversations, mut since) = (Vec::new(), Vec::new(), None);
    for (name, value) in
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
    {
        match &*name {
            "platform" | "conversation" if value.is_empty() => {}
            "platform" => platforms.push(value.into_owned()),
            "conversation" => conversations.push(value.into_owned()),
            "since" => since = Some(seq_of("since", &value, &view)?),
            _ => {}
        }
    }
    // A browser that reconnects knows better than the address it was opened with.
    if let Some(last) = request.headers().get("last-event-id") {
        let last = last.to_str().unwrap_or_default();
        since = Some(seq_of("Last-Event-ID", last, &view)?);
    }
    let place = context.sessions.acquire()?;
    let mut watcher = context.hub.watch();
    let limit_or_head = |refused| ErrorResponse::bad_request(super::socket::refusal(refused));
    watcher
        .subscribe(&Names::listed(platforms), &Names::listed(conversations), since)
        .map_err(limit_or_head)?;
    let watching = Watching {
        context: context.clone(),
        lifetime: Lifetime::new(context.stop.clone(), call.granted.revoked.clone()),
        watcher,
        format,
        has_begun: false,
        _place: place,
        _permit: request.extensions().get::<Permit>().cloned(),
    };
    let body: Body =
        Body::Stream(StreamBody::new(stream::unfold(watching, Watching::next)).boxed_unsync());
    let mut answer = Response::new(body);
    let media_type = match format {
        Format::Events => "text/event-stream",
        Format::Lines => "application/x-ndjson",
    };
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    // nginx would hold the events back otherwise.
    answer.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(answer)
}

fn format(headers: &HeaderMap) -> Format {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/x-ndjson") { Format::Lines } else { Format::Events }
}

type Next = Option<(std::result::Result<Piece<Bytes>, Broken>, Watching)>;

impl Watching {
    async fn next(mut self) -> Next {
        if !std::mem::replace(&mut self.has_begun, true) && self.format == Format::Events {
            // Tells the client at once that it is connected, and how soon to come back.
            return self.piece("retry: 1000\n\n".into());
        }
        let keep_alive = Duration::from_secs(self.context.config.limits.ping_seconds.max(1));
        loop {
            let waited = tokio::select! {
                _ = self.lifetime.ended() => return None,
                waited = timeout(keep_alive, self.watcher.next(&self.context.store)) => waited,
            };
            let mut text = String::new();
            match waited {
                Ok(batches) => {
                    let frames = batches.iter().flat_map(|batch| batch.frames());
                    frames.for_each(|frame| self.format.write(&mut text, frame));
                }
                Err(_) if self.format == Format::Events => text.push_str(": alive\n\n"),
                // An empty line is no JSON value, and readers of JSON lines pass over it.
                Err(_) => text.push('\n'),
            }
            if !text.is_empty() {
                return self.piece(text);
            }
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "the shape that a stream asks for")]
    fn piece(self, text: String) -> Next {
        Some((Ok(Piece::data(text.into())), self))
    }
}

impl Format {
    fn write(self, text: &mut String, frame: &Frame) {
        let Subject::Message(seq) = frame.subject else { return };
        match self {
            Self::Events => {
                text.push_str("id: ");
                text.push_str(&seq.to_string());
                text.push_str("\ndata: ");
                text.push_str(&frame.text);
                text.push_str("\n\n");
            }
            Self::Lines => {
                text.push_str(&frame.text);
                text.push('\n');
            }
        }
    }
}
