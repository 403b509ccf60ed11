//! One connection: its requests, until it ends or the server stops.

use super::RunningServer;
use crate::server::body::HttpResponse;
use crate::server::compress::AcceptedEncodings;
use crate::server::connection_facts::ConnectionFacts;
use crate::server::context::Incoming;
use crate::server::head_timer::HeadTimer;
use crate::server::on_wake::OnWake;
use crate::server::peer::Peer;
use crate::server::wire::{ConnectionPhase, Wire};
use futures_util::{FutureExt, stream};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;
use tokio_io_timeout::TimeoutStream;
use tower::{Layer, ServiceExt};
use tower_http::cors::CorsLayer;

/// Bytes of a request's head that are read, and bytes of an answer that wait to be written.
const CONNECTION_BUFFER: usize = 128 << 10;

impl RunningServer {
    pub(super) async fn connection<S>(self, stream: S, facts: ConnectionFacts)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let phase = Arc::new(ConnectionPhase::default());
        let requests = Arc::new(ConnectionRequests { server: self, facts, phase: phase.clone() });
        let RunningServer { context, cut, .. } = &requests.server;
        let limits = &context.config.limits;
        let head_limit = Duration::from_secs(limits.head_seconds);
        let service = service_fn(|request| {
            let requests = requests.clone();
            async move { Ok::<_, Infallible>(requests.answer(request).await) }
        });
        let heads = HeadTimer::default();
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(heads.clone())
            // A client that has closed its side may still read. One that is gone is noticed when it is
            // written to; streams without an end look at the socket where they have it. At the Unix socket
            // the end of what a client sends is its end.
            .half_close(matches!(requests.facts.peer, Peer::Tcp(_)))
            .header_read_timeout(head_limit)
            // The router refuses a head that is too large before hyper does, and its answer names
            // the limit.
            .max_buf_size(CONNECTION_BUFFER.max(2 * limits.head_bytes));
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(Some(Duration::from_secs(30)));
        // A peer that reads nothing for this time is considered gone.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(Duration::from_secs(limits.idle_seconds)));
        let connection = builder.serve_connection_with_upgrades(
            TokioIo::new(Wire::new(Box::pin(stream), phase.clone())),
            service,
        );
        tokio::pin!(connection);
        let stopping = stream::once(async {
            tokio::select! {
                () = silence(&phase, &heads, head_limit) => false,
                () = context.stop.cancelled() => true,
            }
        });
        tokio::pin!(stopping);
        let on_wake = OnWake::new();
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            is_stopping = on_wake.next(&mut stopping) => {
                if is_stopping != Some(true) {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = phase.stuck() => return,
                    () = cut.cancelled() => return,
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!("a connection ended: {error}");
        }
    }
}

/// Shared state of the requests of one connection.
struct ConnectionRequests {
    server: RunningServer,
    facts: ConnectionFacts,
    phase: Arc<ConnectionPhase>,
}

impl ConnectionRequests {
    async fn answer(&self, request: Incoming) -> HttpResponse {
        match &self.server.cors {
            None => self.answer_own(request).await,
            Some(cors) => self.answer_with(cors, request).await,
        }
    }

    /// The answer, with headers for pages of other origins. Boxed, because few servers have it, and
    /// the future of every request would be larger.
    fn answer_with<'a>(
        &'a self,
        cors: &'a CorsLayer,
        request: Incoming,
    ) -> Pin<Box<dyn Future<Output = HttpResponse> + Send + 'a>> {
        let own =
            tower::service_fn(async |request| Ok::<_, Infallible>(self.answer_own(request).await));
        let answered = cors.layer(own).oneshot(request);
        Box::pin(answered.map(|Ok(answer)| answer))
    }

    /// The answer to a request whose origin needs no further header.
    async fn answer_own(&self, request: Incoming) -> HttpResponse {
        let _running = self.phase.begin();
        let accepted = AcceptedEncodings::of(request.headers());
        let answer = self.server.router.answer(&self.server.context, &self.facts, request).await;
        accepted.compress(answer).await
    }
}

/// Waits until the head of a request has not come in time. hyper measures it only once it knows the HTTP version.
async fn silence(progress: &ConnectionPhase, heads: &HeadTimer, limit: Duration) {
    sleep(limit).await;
    if progress.has_begun() {
        heads.late(limit).await;
    }
}
