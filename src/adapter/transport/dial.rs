//! Connections that we dial, again and again.

use super::connection::{Connection, ConnectionEnd, ServeConnection};
use super::socket::{Socket, socket_config};
use crate::adapter::api::Settings;
use crate::adapter::context::Context;
use crate::adapter::registry::ConfiguredEntry;
use crate::backoff::Backoff;
use crate::protocol::platform::PlatformState;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::{StatusCode, Uri};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_mins(1);
/// A connection that held this long, its handshake included, makes the pauses begin small again.
const STABLE_AFTER: Duration = Duration::from_secs(20);

/// One configured adapter that dials out.
#[derive(Clone, Debug)]
pub(in crate::adapter) struct Dialled {
    pub(in crate::adapter) url: Uri,
    pub(in crate::adapter) settings: Arc<Settings>,
    pub(in crate::adapter) service: Arc<dyn ServeConnection>,
    pub(in crate::adapter) entry: ConfiguredEntry,
    pub(in crate::adapter) context: Context,
}

/// Keeps a connection to an address, until the context stops.
pub(in crate::adapter) async fn keep_connected(dialled: Dialled) {
    let Dialled { url, settings, entry, context, .. } = &dialled;
    let stop = &context.stop;
    let shown = shown(url);
    entry.set_state(PlatformState::Connecting, None);
    let mut backoff = self::backoff(settings);
    while !stop.is_cancelled() {
        let began = Instant::now();
        let end = dialled.connect_once().await;
        if stop.is_cancelled() {
            break;
        }
        if end.state == PlatformState::Disconnected && began.elapsed() >= STABLE_AFTER {
            backoff = self::backoff(settings);
        }
        tracing::warn!(url = shown, reason = end.reason, "not connected; trying again");
        let state = if end.state == PlatformState::Error {
            PlatformState::Error
        } else {
            PlatformState::Connecting
        };
        entry.set_state(state, Some(&end.reason));
        stop.run_until_cancelled(sleep(backoff.pause())).await;
    }
    entry.set_state(PlatformState::Disconnected, Some("rechat is stopping"));
}

fn backoff(settings: &Settings) -> Backoff {
    Backoff::with_jitter(settings.reconnect, MAX_PAUSE)
}

impl Dialled {
    /// One connection, from the dialling to its end.
    async fn connect_once(&self) -> ConnectionEnd {
        let Self { url, settings, service, entry, context } = self;
        let socket = tokio::select! {
            () = context.stop.cancelled() => return ConnectionEnd::lost("rechat is stopping"),
            dialled = timeout(HANDSHAKE_TIMEOUT, dial(url, settings)) => dialled,
        };
        let socket = match socket {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => return refusal(&shown(url), &error),
            Err(_) => return ConnectionEnd::lost(format!("{} does not answer", shown(url))),
        };
        let connection = Connection {
            socket,
            handshake: None,
            settings: Arc::clone(settings),
            entry: Some(entry.clone()),
            context: context.clone(),
        };
        Arc::clone(service).serve(connection).await
    }
}

async fn dial(url: &Uri, settings: &Settings) -> Result<Socket, Error> {
    let mut request = url.into_client_request()?;
    if let Some(token) = &settings.token {
        let value = HeaderValue::try_from(format!("Bearer {token}"))?;
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let config = socket_config(settings.max_frame);
    let (stream, _) = connect_async_with_config(request, Some(config), true).await?;
    Ok(Socket::new(stream))
}

/// The address without its user and query, which may hold secrets.
fn shown(url: &Uri) -> String {
    let host = url.host().unwrap_or_default();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{host}{port}{}", url.scheme_str().unwrap_or("ws"), url.path())
}

fn refusal(url: &str, error: &Error) -> ConnectionEnd {
    match error {
        Error::Http(response)
            if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) =>
        {
            let status = response.status();
            ConnectionEnd::refused(format!(
                "{url} refused the token ({status}); set `token` to its own"
            ))
        }
        error => ConnectionEnd::lost(format!("{url}: {error}")),
    }
}
