//! The paths of Satori (protocol/api.md, protocol/events.md).

use super::call::{CallOpening, CallTarget};
use super::methods::CallKind;
use super::request::RefusedCall;
use super::session::EventsOpening;
use super::{media, methods};
use crate::gateway::bot::{ConfiguredBot, ServedAccount, only_one};
use crate::gateway::endpoint::{BotEndpoint, DialInRequest, TokenSource};
use hyper::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;
use std::sync::Arc;

/// The path of Satori after that of a bot; the version follows.
const PATH: &str = "satori";
const VERSION: &str = "/v1/";

/// The connection that a request opened.
pub(in crate::gateway) enum OpenedSatori {
    /// The WebSocket of events.
    Events(EventsOpening),
    /// A call over HTTP.
    Call(CallOpening),
    /// A file, served at this path and query.
    File(String),
}

/// The path after the version.
fn part(rest: &str) -> Option<&str> {
    rest.strip_prefix(PATH)?.strip_prefix(VERSION)
}

/// The file at a path of a proxy route or an internal route (advanced/resource.md).
fn file(part: &str) -> Option<String> {
    if let Some(url) = part.strip_prefix("proxy/") {
        let (scheme, path) = url.split_at_checked(url.find('/')?)?;
        let scheme = percent_decode_str(scheme).decode_utf8().ok()?;
        return media::path_of(&format!("{}{path}", scheme.strip_prefix(media::SCHEME)?));
    }
    media::path_of(part.strip_prefix("internal/")?)
}

/// Position of the token in a request.
pub(in crate::gateway) fn token_source(rest: &str, is_upgrade: bool) -> TokenSource {
    match part(rest) {
        Some("events") if is_upgrade => TokenSource::FirstFrame,
        Some(part) if !is_upgrade && file(part).is_some() => TokenSource::Signature,
        _ => TokenSource::Head,
    }
}

/// The connection for a request; the error is the status and a text for people.
pub(in crate::gateway) fn open(
    endpoint: BotEndpoint,
    request: &DialInRequest<'_>,
) -> Result<OpenedSatori, RefusedCall> {
    let BotEndpoint { bot, rest } = endpoint;
    let not_found = |words: String| Err((StatusCode::NOT_FOUND, words));
    let Some(part) = part(&rest) else {
        return not_found(format!("this bot's path is /bots/{}/{PATH}{VERSION}", bot.name()));
    };
    if part == "events" || request.is_upgrade {
        return match (part, request.is_upgrade) {
            ("events", true) if bot.config.load().url.is_some() => {
                let words = "this bot has a `url`: it is told by its webhook";
                Err((StatusCode::CONFLICT, words.into()))
            }
            ("events", true) => Ok(OpenedSatori::Events(EventsOpening(bot))),
            ("events", false) => {
                Err((StatusCode::UPGRADE_REQUIRED, "events come by a WebSocket".into()))
            }
            _ => not_found(format!("there is no WebSocket at {part}; events are at events")),
        };
    }
    if let Some(path) = file(part) {
        return Ok(OpenedSatori::File(path));
    }
    if part.starts_with("proxy/") {
        let words = "only internal links are fetched for others";
        return Err((StatusCode::FORBIDDEN, words.into()));
    }
    if let Some(method) = part.strip_prefix("internal/") {
        let account = account(&bot, request.headers, CallKind::MayChange)?;
        // Some frameworks also write the account into the path (advanced/resource.md, "内部链接").
        let own = format!("{}/{}/", account.platform, account.account);
        let method = method.strip_prefix(&own).unwrap_or(method).to_owned();
        let target = CallTarget::Internal(account, method, request.query.to_vec());
        return Ok(OpenedSatori::Call(CallOpening { bot, target }));
    }
    let method = methods::find(part);
    if method.is_none() && part != "meta" {
        return not_found(format!("there is no method `{part}`"));
    }
    if request.method != Method::POST {
        return Err((StatusCode::METHOD_NOT_ALLOWED, "ask by POST".into()));
    }
    let target = match method {
        Some(method) => {
            let account = account(&bot, request.headers, methods::kind(method))?;
            CallTarget::Method(account, method)
        }
        None => CallTarget::Meta,
    };
    Ok(OpenedSatori::Call(CallOpening { bot, target }))
}

/// The account that the headers name, or the one that is meant without a name. A call that may change
/// something has to name one of several, because the one that is meant may be away. The older header names
/// are those before 1.2.
fn account(
    bot: &ConfiguredBot,
    headers: &HeaderMap,
    kind: CallKind,
) -> Result<Arc<ServedAccount>, RefusedCall> {
    let header = |names: [&str; 2]| {
        let value = names.into_iter().find_map(|name| headers.get(name))?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let platform = header(["satori-platform", "x-platform"]);
    let user = header(["satori-user-id", "x-self-id"]);
    let mut accounts = bot.accounts();
    accounts.retain(|account| {
        platform.as_ref().is_none_or(|platform| *platform == account.platform)
            && user.as_ref().is_none_or(|user| *user == account.account)
    });
    let is_named = platform.is_some() && user.is_some();
    match &accounts[..] {
        [] if bot.accounts().is_empty() => {
            let words = "no account of this bot has ever been connected; try again later";
            Err((StatusCode::SERVICE_UNAVAILABLE, words.into()))
        }
        [] => {
            let words = "this bot has no login with that `Satori-Platform` and `Satori-User-ID`";
            Err((StatusCode::FORBIDDEN, words.into()))
        }
        _ if is_named => Ok(accounts.swap_remove(0)),
        several => match kind {
            CallKind::Reads => bot.presumed(several),
            CallKind::MayChange => only_one(several),
        }
        .ok_or_else(|| {
            let words = "name one login with `Satori-Platform` and `Satori-User-ID`";
            (StatusCode::BAD_REQUEST, words.into())
        }),
    }
}
