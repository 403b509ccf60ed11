//! Frameworks that dial rechat: WebSocket (communication/ws.md) and HTTP (communication/http.md).

use super::action;
use super::session::BotSession;
use crate::gateway::bot::ServedAccount;
use crate::gateway::endpoint::BotEndpoint;
use crate::gateway::socket::BotSocket;
use hyper::StatusCode;
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The path of OneBot 11 behind that of a bot.
const PATH: &str = "onebot/v11";

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialInRequest<'a> {
    /// It asks for a WebSocket.
    pub is_upgrade: bool,
    /// The pairs of the query, decoded.
    pub query: &'a [(String, String)],
}

/// What a request opens.
pub enum Opening {
    /// A WebSocket.
    Socket(SocketOpening),
    /// An action by HTTP.
    Action(ActionOpening),
}

/// A WebSocket that is to be served.
pub struct SocketOpening(BotSession);

/// An action that is to be carried out.
pub struct ActionOpening {
    session: BotSession,
    name: String,
}

impl BotEndpoint {
    /// What a request opens here; the error is the status and words for people.
    pub fn open(self, request: &DialInRequest<'_>) -> Result<Opening, (StatusCode, String)> {
        let rest =
            self.rest.strip_prefix(PATH).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some(rest) = rest else {
            let words = format!("this bot's path is /bots/{}/{PATH}", self.bot.name());
            return Err((StatusCode::NOT_FOUND, words));
        };
        let part = rest.trim_start_matches('/');
        let account = self.account(request.query)?;
        let session = BotSession::new(self.bot, account);
        if !request.is_upgrade && !part.is_empty() {
            let name = part.to_owned();
            return Ok(Opening::Action(ActionOpening { session, name }));
        }
        let (has_actions, has_events) = match part {
            "" | "ws" => (true, true),
            "api" => (true, false),
            "event" => (false, true),
            _ => return Err((StatusCode::NOT_FOUND, format!("there is no WebSocket at {part}"))),
        };
        Ok(Opening::Socket(SocketOpening(BotSession { has_actions, has_events, ..session })))
    }

    /// The account that a query names, or the only one.
    fn account(
        &self,
        query: &[(String, String)],
    ) -> Result<Arc<ServedAccount>, (StatusCode, String)> {
        let accounts = self.bot.accounts();
        let named = query.iter().find(|(key, _)| key == "self_id").map(|(_, value)| value);
        if let Some(named) = named {
            let is_it = |account: &&Arc<ServedAccount>| account.self_id.to_string() == *named;
            return accounts.iter().find(is_it).cloned().ok_or_else(|| {
                (
                    StatusCode::NOT_FOUND,
                    format!("this bot has no account with the `self_id` {named}"),
                )
            });
        }
        match &accounts[..] {
            [account] => Ok(account.clone()),
            [] => {
                let words = "no account of this bot has ever been connected; try again later";
                Err((StatusCode::SERVICE_UNAVAILABLE, words.to_owned()))
            }
            several => {
                let ids: Vec<_> = several.iter().map(|known| known.self_id.to_string()).collect();
                let words = format!("name one account with `?self_id=`: {}", ids.join(", "));
                Err((StatusCode::BAD_REQUEST, words))
            }
        }
    }
}

impl SocketOpening {
    /// Serves the connection until it ends, or `stop` does it.
    pub async fn serve(self, socket: BotSocket, stop: CancellationToken) {
        let Self(session) = self;
        let ended = session.bot.stop.clone();
        let ending = stop.clone();
        let serve = async {
            let reason = session.serve(socket, stop).await;
            session.bot.failed(crate::protocol::platform::PlatformState::Disconnected, &reason);
        };
        tokio::pin!(serve);
        tokio::select! {
            () = &mut serve => return,
            () = ended.cancelled() => ending.cancel(),
        }
        serve.await;
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
