//! Forward connections: we dial the implementation, again and again.

use super::kind::{End, Run};
use super::mount::Connection;
use super::registry::Seat;
use super::{Context, Settings, Socket, State, config};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::{StatusCode, Uri};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// A connection that lived this long, its handshake included, was a good one: pauses begin small again.
const GOOD: Duration = Duration::from_secs(20);

/// Keeps a connection to `url`, until the process stops.
pub(super) async fn keep(url: Uri, settings: Arc<Settings>, seat: Seat, context: Context) {
    let stop = context.stop.clone();
    let shown = shown(&url);
    let work = async {
        seat.absent(State::Connecting, None);
        let mut pauses = pauses(&settings);
        loop {
            let began = Instant::now();
            let end = connection(&url, &settings, &seat, &context).await;
            if stop.is_cancelled() {
                return;
            }
            if end.state == State::Disconnected && began.elapsed() >= GOOD {
                pauses = self::pauses(&settings);
            }
            tracing::warn!(url = shown, reason = end.reason, "not connected; dialling again");
            let state = if end.state == State::Error { State::Error } else { State::Connecting };
            seat.absent(state, Some(&end.reason));
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(pauses.next().unwrap_or(LONGEST_PAUSE)) => {}
            }
        }
    };
    work.await;
    seat.absent(State::Disconnected, Some("rechat is stopping"));
}

fn pauses(settings: &Settings) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(settings.reconnect)
        .with_max_delay(LONGEST_PAUSE.max(settings.reconnect))
        .with_jitter()
        .without_max_times()
        .build()
}

/// One connection, from the dialling to its end.
async fn connection(url: &Uri, settings: &Arc<Settings>, seat: &Seat, context: &Context) -> End {
    let Run::Connection(run) = &settings.kind.run else {
        return End::refused("this kind has no connections");
    };
    let dialled = tokio::select! {
        () = context.stop.cancelled() => return End::lost("rechat is stopping"),
        dialled = timeout(HANDSHAKE, dial(url, settings)) => dialled,
    };
    let socket = match dialled {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => return refusal(&shown(url), &error),
        Err(_) => return End::lost(format!("{} does not answer", shown(url))),
    };
    let settings = Arc::clone(settings);
    let (seat, context) = (Some(seat.clone()), context.clone());
    run(Connection { socket, dial_in: None, settings, seat, context }).await
}

async fn dial(url: &Uri, settings: &Settings) -> Result<Socket, Error> {
    let mut request = url.into_client_request()?;
    if let Some(token) = &settings.token {
        let value = HeaderValue::try_from(format!("Bearer {token}"))?;
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let config = config(settings.max_frame);
    let (stream, _) = connect_async_with_config(request, Some(config), true).await?;
    Ok(Socket::new(stream))
}

/// The address without what may be secret in it: a user, and a query.
fn shown(url: &Uri) -> String {
    let host = url.host().unwrap_or_default();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{host}{port}{}", url.scheme_str().unwrap_or("ws"), url.path())
}

fn refusal(url: &str, error: &Error) -> End {
    match error {
        Error::Http(response)
            if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) =>
        {
            let status = response.status();
            End::refused(format!("{url} refused the token ({status}); set `token` to its own"))
        }
        error => End::lost(format!("{url}: {error}")),
    }
}
