//! Frameworks that connect to rechat: WebSocket (communication/ws.md) and HTTP
//! (communication/http.md).

use super::action;
use super::answer::{ActionAnswer, BAD_REQUEST, FAILED};
use super::session::BotSession;
use super::unnamed_account::{find_account, no_account};
use crate::gateway::bot::{ConfiguredBot, ServedAccount, only_one};
use crate::gateway::endpoint::{BotEndpoint, DialInRequest};
use crate::gateway::raw_object::RawObject;
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
    bot: Arc<ConfiguredBot>,
    /// The account that is named, or all that may be meant.
    accounts: Vec<Arc<ServedAccount>>,
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
    let BotEndpoint { bot, .. } = endpoint;
    let accounts = accounts(&bot, request.query)?;
    if !request.is_upgrade && !part.is_empty() {
        let name = part.to_owned();
        return Ok(OpenedOneBot11::Action(ActionOpening { bot, accounts, name }));
    }
    let (has_actions, has_events) = match part {
        "" | "ws" => (true, true),
        "api" => (true, false),
        "event" => (false, true),
        _ => return Err((StatusCode::NOT_FOUND, format!("there is no WebSocket at {part}"))),
    };
    // Events tell the framework which account is meant.
    let account = if has_events { bot.presumed(&accounts) } else { only_one(&accounts) };
    let account = account.ok_or_else(|| (StatusCode::BAD_REQUEST, no_account(&accounts)))?;
    let session = BotSession { bot, account, has_actions, has_events };
    Ok(OpenedOneBot11::Socket(SocketOpening(session)))
}

/// The account that the query names, or all accounts of the bot.
fn accounts(
    bot: &ConfiguredBot,
    query: &[(String, String)],
) -> Result<Vec<Arc<ServedAccount>>, (StatusCode, String)> {
    let mut accounts = bot.accounts();
    if accounts.is_empty() {
        let words = "no account of this bot has ever been connected; try again later";
        return Err((StatusCode::SERVICE_UNAVAILABLE, words.to_owned()));
    }
    let named = query.iter().find(|(key, _)| key == "self_id").map(|(_, value)| value);
    if let Some(named) = named {
        accounts.retain(|account| account.self_id.to_string() == *named);
        if accounts.is_empty() {
            let words = format!("this bot has no account with the `self_id` {named}");
            return Err((StatusCode::NOT_FOUND, words));
        }
    }
    Ok(accounts)
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
        let params = params.or(from_pairs.as_deref());
        let answer = match self.account(params) {
            Ok(account) => action::carry_out(&self.bot, &account, &self.name, params).await,
            Err(refused) => refused,
        };
        answer.write(None)
    }

    fn account(&self, params: Option<&RawValue>) -> Result<Arc<ServedAccount>, ActionAnswer> {
        let Self { bot, accounts, name } = self;
        if let [only] = &accounts[..] {
            return Ok(only.clone());
        }
        let fields = params.and_then(|params| RawObject::parse(params.get())).unwrap_or_default();
        let found = find_account(bot, accounts, name, &fields)
            .map_err(|error| ActionAnswer::Failed(FAILED, error.to_string()))?;
        found.ok_or_else(|| {
            let words = no_account(accounts);
            bot.names_no_account.call_once(|| {
                tracing::warn!(bot = bot.name(), action = name, "an action was refused: {words}");
            });
            ActionAnswer::Failed(BAD_REQUEST, words)
        })
    }
}
