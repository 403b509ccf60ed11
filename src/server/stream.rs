//! `GET /api/stream`: live events for curl, browsers and scripts, as Server-Sent Events or as JSON
//! lines (contract, items 17 and 29).

use super::body::{Body, Broken, HttpResponse};
use super::context::{NOT_HERE_YET, ServerContext};
use super::error::{ErrorResponse, Result};
use super::lifetime::Lifetime;
use super::limit::{Permit, RETRY_AFTER};
use super::operation::Call;
use super::query::{catch_up, seq_of};
use crate::hub::frame::Frame;
use crate::hub::resume::ResumePoint;
use crate::hub::{
    Batches, CursorGone, FrameForm, ReplayStart, SubscribeRefused, SubscribeRequest, Subscriber,
};
use crate::model::subscription::NameList;
use crate::protocol::event::{EventKinds, ResetReason, ServerEvent};
use crate::store::{Store, View};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame as Chunk;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use std::fmt::Write;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

/// The longest silence of a stream, because proxies close connections that are silent for longer.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The position after which a stream goes on, in a request, or begins, in an answer.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A position after the head of every store, so that the stream begins with `reset`.
const UNKNOWN: ReplayStart = ReplayStart::Message(u64::MAX);

/// Encoding of events on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StreamFormat {
    Events,
    Lines,
}

/// State of an open stream.
struct OpenStream {
    context: Arc<ServerContext>,
    lifetime: Lifetime,
    subscriber: Subscriber,
    asked: SubscribeRequest,
    format: StreamFormat,
    /// Text that is sent first.
    first: String,
    /// The socket, if its bytes are those of the connection.
    socket: Option<Arc<OwnedWriteHalf>>,
    _session: OwnedSemaphorePermit,
    _permit: Option<Permit>,
}

/// Opens the stream. It ends when the client disconnects, the token is revoked, or the server
/// stops.
pub async fn open(call: Call<'_>) -> Result<HttpResponse> {
    let (context, request) = (call.context, &call.request);
    let format = format(request.headers());
    catch_up(&context.store, request.uri().query().unwrap_or_default()).await;
    let asked = asked(request, &*context.store.view()?)?;
    let session = context.sessions.acquire()?;
    let mut subscriber = context.hub.subscriber(FrameForm::Stream);
    let mut first = String::new();
    if format == StreamFormat::Events {
        // Shows the client at once that it is connected, and sets its pause before reconnecting.
        first.push_str("retry: 1000\n");
    }
    // Where it begins, for a client whose connection breaks before the first event.
    let mut begins_at = None;
    match subscriber.subscribe(asked.clone(), &context.store).await {
        Ok(subscribed) => begins_at = Some(subscribed.resume.to_string()),
        // Another node may know it: the client comes again with the same position.
        Err(SubscribeRefused::OtherStore | SubscribeRefused::BeyondHead { .. })
            if context.is_behind() =>
        {
            return Err(
                ErrorResponse::unavailable(NOT_HERE_YET, RETRY_AFTER).named(Some("no_leader"))
            );
        }
        Err(why) => {
            let reason = reset_reason(&why).ok_or_else(|| refusal(why))?;
            if format == StreamFormat::Events {
                first.push('\n');
            }
            first.push_str(&reset(&mut subscriber, &asked, format, reason, &context.store).await?);
        }
    }
    if let (Some(position), StreamFormat::Events) = (&begins_at, format) {
        // Writing to memory cannot fail.
        let _ = writeln!(first, "id: {position}\n");
    }
    let stream = OpenStream {
        context: context.clone(),
        lifetime: Lifetime::new(context.stop.clone(), call.granted.revoked.clone()),
        subscriber,
        asked,
        format,
        first,
        socket: call.connection.socket_of(request),
        _session: session,
        _permit: call.connection.permit.clone(),
    };
    let body = StreamBody::new(stream::unfold(stream, OpenStream::next)).boxed_unsync();
    let mut answer = Response::new(Body::Stream(body));
    let media_type = match format {
        StreamFormat::Events => "text/event-stream",
        StreamFormat::Lines => "application/x-ndjson",
    };
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    // Readers of JSON lines see no IDs.
    let begins_at = begins_at.and_then(|position| HeaderValue::try_from(position).ok());
    answer.headers_mut().extend(begins_at.map(|position| (LAST_EVENT_ID, position)));
    // Without it nginx would buffer the events.
    answer.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(answer)
}

fn format(headers: &HeaderMap) -> StreamFormat {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/x-ndjson") { StreamFormat::Lines } else { StreamFormat::Events }
}

/// The subscription for the query and `Last-Event-ID`.
fn asked(request: &super::context::Incoming, view: &View) -> Result<SubscribeRequest> {
    let (mut platforms, mut conversations) = (Vec::new(), Vec::new());
    let (mut since, mut events) = (ReplayStart::Now, None);
    for (name, value) in
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
    {
        match &*name {
            "platform" | "conversation" if value.is_empty() => {}
            "platform" => platforms.push(value.into_owned()),
            "conversation" => conversations.push(value.into_owned()),
            "since" => since = ReplayStart::Message(seq_of("since", &value, view)?),
            "cursor" => {
                let point: std::result::Result<ResumePoint, _> = value.parse();
                since = point.map_or(UNKNOWN, ReplayStart::Event);
            }
            "events" => {
                let names = value.split(',').filter(|name| !name.is_empty());
                let named = EventKinds::named(names);
                let named =
                    named.map_err(|unknown| ErrorResponse::bad_request(unknown.to_string()))?;
                events = Some(events.unwrap_or_else(EventKinds::default).union(named));
            }
            _ => {}
        }
    }
    // A browser that reconnects has a newer position in the header than in the address.
    if let Some(last) = request.headers().get(LAST_EVENT_ID) {
        since = last_event(last.to_str().unwrap_or_default(), view);
    }
    let (platforms, conversations) = (NameList::listed(platforms), NameList::listed(conversations));
    Ok(SubscribeRequest { platforms, conversations, since, events })
}

/// The position in `Last-Event-ID`: a cursor, or a `seq` or message ID of an older server.
fn last_event(text: &str, view: &View) -> ReplayStart {
    if let Ok(point) = text.parse() {
        return ReplayStart::Event(point);
    }
    seq_of("Last-Event-ID", text, view).map_or(UNKNOWN, ReplayStart::Message)
}

/// The reason in `reset` for a stream whose position is not known; `None` if the stream is not opened.
fn reset_reason(why: &SubscribeRefused) -> Option<ResetReason> {
    match why {
        SubscribeRefused::CursorTooOld => Some(ResetReason::TooOld),
        SubscribeRefused::OtherStore | SubscribeRefused::BeyondHead { .. } => {
            Some(ResetReason::OtherStore)
        }
        _ => None,
    }
}

/// The error for a stream that is not opened.
fn refusal(why: SubscribeRefused) -> ErrorResponse {
    if let SubscribeRefused::Store(error) = why {
        return error.into();
    }
    let (text, code) = super::socket::refused(&why);
    ErrorResponse::bad_request(text).named(code)
}

/// Subscribes from now on instead; returns the `reset` event.
async fn reset(
    subscriber: &mut Subscriber,
    asked: &SubscribeRequest,
    format: StreamFormat,
    reason: ResetReason,
    store: &Store,
) -> Result<String> {
    let asked = SubscribeRequest { since: ReplayStart::Now, ..asked.clone() };
    let shows_cursor = asked.events.is_some();
    let subscribed = subscriber.subscribe(asked, store).await;
    let subscribed = subscribed.map_err(refusal)?;
    let cursor = subscribed.resume.to_string();
    let shown = (shows_cursor || format == StreamFormat::Lines).then(|| cursor.as_str().into());
    let event = ServerEvent::Reset { cursor: shown, reason: Some(reason) };
    let event = serde_json::to_string(&event).unwrap_or_default();
    Ok(match format {
        StreamFormat::Events => format!("event: reset\nid: {cursor}\ndata: {event}\n\n"),
        StreamFormat::Lines => format!("{event}\n"),
    })
}

/// The longest silence of a stream, for a configured pause between pings in seconds.
fn longest_silence(ping_seconds: u64) -> Duration {
    Duration::from_secs(ping_seconds.max(1)).min(KEEP_ALIVE)
}

/// Waits until the client has closed its side; never ends where that is not seen.
async fn closed_by_client(socket: Option<&OwnedWriteHalf>) {
    let Some(socket) = socket.map(AsRef::<TcpStream>::as_ref) else { return pending().await };
    // Bytes of a next request hide the end.
    if let Ok(1..) = socket.peek(&mut [0]).await {
        pending().await
    }
}

type NextFrame = Option<(std::result::Result<Chunk<Bytes>, Broken>, OpenStream)>;

impl OpenStream {
    async fn next(mut self) -> NextFrame {
        if !self.first.is_empty() {
            let first = std::mem::take(&mut self.first);
            return self.chunk(first.into());
        }
        let silence = longest_silence(self.context.config.limits.ping_seconds);
        loop {
            let next = tokio::select! {
                _ = self.lifetime.ended() => return None,
                () = closed_by_client(self.socket.as_deref()) => return None,
                next = timeout(silence, self.subscriber.next(&self.context.store)) => next,
            };
            let (mut text, mut from) = (String::new(), Batches::new());
            match next {
                Ok(Ok(batches)) => {
                    let frames = batches.iter().flat_map(|batch| batch.frames());
                    frames.for_each(|frame| self.write(&mut text, frame));
                    from = batches;
                }
                Ok(Err(CursorGone)) => {
                    let Self { subscriber, asked, format, context, .. } = &mut self;
                    let reason = ResetReason::TooOld;
                    text = reset(subscriber, asked, *format, reason, &context.store).await.ok()?;
                }
                Err(_) if self.format == StreamFormat::Events => text.push_str(": alive\n\n"),
                // Readers of JSON lines ignore an empty line.
                Err(_) => text.push('\n'),
            }
            if !text.is_empty() {
                let bytes = from.iter().fold(text.into(), |bytes, batch| batch.hold(bytes));
                return self.chunk(bytes);
            }
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "the shape that a stream asks for")]
    fn chunk(self, bytes: Bytes) -> NextFrame {
        Some((Ok(Chunk::data(bytes)), self))
    }

    fn write(&self, text: &mut String, frame: &Frame) {
        if frame.is_adapter {
            return;
        }
        // Writing to memory cannot fail.
        let _ = match self.format {
            StreamFormat::Events => write!(text, "id: {}\ndata: {}\n\n", frame.resume, frame.text),
            StreamFormat::Lines => writeln!(text, "{}", frame.text),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stream_is_silent_for_longer_than_15_s_whatever_is_configured() {
        let seconds = [0, 1, 15, 30, u64::MAX].map(|ping| longest_silence(ping).as_secs());
        assert_eq!(seconds, [1, 1, 15, 15, 15]);
    }
}
