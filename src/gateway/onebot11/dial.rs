//! Reverse WebSocket: rechat dials the framework, one connection for each account
//! (communication/ws-reverse.md).

use super::session::BotSession;
use crate::gateway::backoff::backoff;
use crate::gateway::socket::{BotSocket, socket_config};
use crate::protocol::platform::PlatformState;
use crate::text::without_secrets;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use hyper::{StatusCode, Uri};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// After a connection that lasted this long, the pauses begin again with the shortest.
const STABLE_AFTER: Duration = Duration::from_secs(20);

/// Keeps a connection to the framework until the bot ends or does not use the account any more.
pub(super) async fn keep_connected(session: BotSession, url: Uri) {
    let stop = session.account.stop.clone();
    let name = session.bot.name();
    let mut pauses = backoff();
    let mut failures: u64 = 0;
    while !stop.is_cancelled() {
        #[cfg(test)]
        session.bot.panic_if_wanted();
        let dialled = stop.run_until_cancelled(timeout(HANDSHAKE_TIMEOUT, dial(&url, &session)));
        let (state, reason) = match Box::pin(dialled).await {
            None => break,
            Some(Ok(Ok(socket))) => {
                let began = Instant::now();
                let reason = session.serve(socket, stop.child_token()).await;
                if began.elapsed() >= STABLE_AFTER {
                    (pauses, failures) = (backoff(), 0);
                }
                (PlatformState::Connecting, reason)
            }
            Some(Ok(Err(error))) => refusal(&url, &error),
            Some(Err(_)) => (
                PlatformState::Connecting,
                format!("{} does not answer", without_secrets(&url.to_string())),
            ),
        };
        if stop.is_cancelled() {
            break;
        }
        session.bot.failed(state, &reason);
        failures += 1;
        if failures.is_power_of_two() {
            let account = &session.account.account;
            tracing::warn!(bot = name, account, failures, reason, "not connected; trying again");
        }
        stop.run_until_cancelled(sleep(pauses.pause())).await;
    }
}

async fn dial(url: &Uri, session: &BotSession) -> Result<BotSocket, Error> {
    let mut request = url.into_client_request()?;
    let headers = request.headers_mut();
    let self_id = HeaderValue::from(session.account.self_id);
    headers.insert(HeaderName::from_static("x-self-id"), self_id);
    // Exactly in this spelling: some frameworks compare it.
    let role = HeaderValue::from_static("Universal");
    headers.insert(HeaderName::from_static("x-client-role"), role);
    let agent = concat!("OneBot/11 rechat/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    if let Some(token) = session.bot.token() {
        headers.insert(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}"))?);
    }
    let (stream, _) = connect_async_with_config(request, Some(socket_config()), true).await?;
    Ok(BotSocket::new(stream))
}

fn refusal(url: &Uri, error: &Error) -> (PlatformState, String) {
    let url = without_secrets(&url.to_string());
    match error {
        Error::Http(response) => {
            let status = response.status();
            let advice = match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    "set `token` of this bot to the framework's own"
                }
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                    "the path of `url` is another one there"
                }
                _ => "the framework does not take it",
            };
            (PlatformState::Error, format!("{url} answered {status}: {advice}"))
        }
        error => (PlatformState::Connecting, format!("{url}: {error}")),
    }
}
