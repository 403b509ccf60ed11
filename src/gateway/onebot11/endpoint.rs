//! Frameworks that connect to rechat: WebSocket (communication/ws.md) and HTTP
//! (communication/http.md).

use super::action;
use super::session::BotSession;
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use crate::gateway::endpoint::{BotEndpoint, DialInRequest};
use crate::gateway::socket::BotSocket;
use hyper::StatusCode;
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The path of OneBot 11 after that of a bot.
const PATH: &str = "onebot/v11";

/// The connection that a request opened.
pub(in crate::gateway) enum OpenedOneBot11 {
    /// A WebSocket, of events, actions or both.
    Socket(SocketOpening),
    /// An action over HTTP.
    Action(ActionOpening),
}

/// A WebSocket to be served.
pub struct SocketOpening(BotSession);

/// An action to be carried out.
pub struct ActionOpening {
    session: BotSession,
    name: String,
}

/// The connection for a request; the error is the status and a text for people.
pub(in crate::gateway) fn open(
    endpoint: BotEndpoint,
    request: &DialInRequest<'_>,
) -> Result<OpenedOneBot11, (StatusCode, String)> {
    let rest =
        endpoint.rest.strip_prefix(PATH).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let Some(rest) = rest else {
        let words = format!("this bot's path is /bots/{}/{PATH}", endpoint.bot.name());
        return Err((StatusCode::NOT_FOUND, words));
    };
    let part = rest.trim_start_matches('/');
    let account = account(&endpoint.bot, request.query)?;
    let session = BotSession::new(endpoint.bot, account);
    if !request.is_upgrade && !part.is_empty() {
        let name = part.to_owned();
        return Ok(OpenedOneBot11::Action(ActionOpening { session, name }));
    }
    let (has_actions, has_events) = match part {
        "" | "ws" => (true, true),
        "api" => (true, false),
        "event" => (false, true),
        _ => return Err((StatusCode::NOT_FOUND, format!("there is no WebSocket at {part}"))),
    };
    Ok(OpenedOneBot11::Socket(SocketOpening(BotSession { has_actions, has_events, ..session })))
}

/// The account that the query names, or the one that is meant without a name.
fn account(
    bot: &ConfiguredBot,
    query: &[(String, String)],
) -> Result<Arc<ServedAccount>, (StatusCode, String)> {
    let accounts = bot.accounts();
    let named = query.iter().find(|(key, _)| key == "self_id").map(|(_, value)| value);
    if let Some(named) = named {
        let is_it = |account: &&Arc<ServedAccount>| account.self_id.to_string() == *named;
        return accounts.iter().find(is_it).cloned().ok_or_else(|| {
            (StatusCode::NOT_FOUND, format!("this bot has no account with the `self_id` {named}"))
        });
    }
    bot.presumed(&accounts).ok_or_else(|| {
        if accounts.is_empty() {
            let words = "no account of this bot has ever been connected; try again later";
            return (StatusCode::SERVICE_UNAVAILABLE, words.to_owned());
        }
        let ids: Vec<_> = accounts.iter().map(|known| known.self_id.to_string()).collect();
        let words = format!("name one account with `?self_id=`: {}", ids.join(", "));
        (StatusCode::BAD_REQUEST, words)
    })
}

impl SocketOpening {
    /// Serves the connection until it ends or `stop` is cancelled.
    pub async fn serve(self, socket: BotSocket, stop: CancellationToken) {
        let Self(session) = self;
        let serving = Box::pin(session.serve(socket, stop.clone()));
        session.bot.serve_while(&session.account.stop, serving, &stop).await;
    }
}

impl ActionOpening {
    /// Carries the action out with these parameters: a JSON object, or the pairs of a form.
    pub async fn carry_out(self, params: Option<&RawValue>, pairs: &[(String, String)]) -> String {
        let from_pairs = params.is_none().then(|| action::params_of(pairs)).flatten();
        let BotSession { bot, account, .. } = &self.session;
        let params = params.or(from_pairs.as_deref());
        action::carry_out(bot, account, &self.name, params).await.write(None)
    }
}
