//! Actions of a framework (api/public.md): messages are sent by rechat; all other actions go to the
//! account's OneBot implementation, if it speaks OneBot 11.

use super::answer::{ActionAnswer, BAD_REQUEST, FAILED, NO_SUCH_ACTION, NOT_CONNECTED};
use super::message::{conversation_of_group, conversation_of_person, find, own_segments};
use super::{forward, own_actions};
use crate::adapter::{ActionError, BotMessage};
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use crate::gateway::raw_object::{RawObject, text_of};
use crate::gateway::send::{BotSendOutcome, BotSending, send};
use serde_json::json;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Answers a frame with an action.
pub(super) async fn answer(
    bot: &Arc<ConfiguredBot>,
    account: &Arc<ServedAccount>,
    frame: &str,
) -> String {
    let Some(request) = RawObject::parse(frame) else {
        let words = "a frame must be a JSON object with `action` and `params`".to_owned();
        return ActionAnswer::Failed(BAD_REQUEST, words).write(None);
    };
    let name = request.text("action").unwrap_or_default();
    let answer = carry_out(bot, account, &name, request.get("params")).await;
    answer.write(request.get("echo"))
}

/// Carries out an action.
pub(in crate::gateway) async fn carry_out(
    bot: &Arc<ConfiguredBot>,
    account: &Arc<ServedAccount>,
    name: &str,
    params: Option<&RawValue>,
) -> ActionAnswer {
    let params = params.map_or("{}", RawValue::get);
    let Some(fields) = RawObject::parse(params) else {
        return ActionAnswer::Failed(BAD_REQUEST, "`params` must be an object".into());
    };
    let is_native = bot.shared.speaks_onebot11(&account.platform, &account.account);
    let plain = name.strip_suffix("_rate_limited").unwrap_or(name);
    let (plain, is_async) = match plain.strip_suffix("_async") {
        Some(plain) => (plain, true),
        None => (plain, false),
    };
    // A OneBot 11 program handles forwards itself.
    let plain = if is_native { plain } else { of_forward(plain).unwrap_or(plain) };
    match plain {
        "send_msg" | "send_private_msg" | "send_group_msg" => {
            let sending = match sending(bot, account, plain, &fields, is_native) {
                Ok(sending) => sending,
                Err(reason) => return ActionAnswer::Failed(BAD_REQUEST, reason),
            };
            if is_async {
                return send_unwatched(bot, account, sending);
            }
            sent(send(bot, account, sending).await, is_native)
        }
        "delete_msg" => match recall(bot, account, &fields, is_native).await {
            Some(answer) => answer,
            None if is_native => through(bot, account, name, params, &fields).await,
            None => ActionAnswer::Failed(FAILED, "there is no such message".into()),
        },
        _ if is_native => through(bot, account, name, params, &fields).await,
        _ => own_actions::answer(bot, account, plain, &fields).await,
    }
}

/// The action that sends a message to the same people as an action that sends a forward.
fn of_forward(name: &str) -> Option<&'static str> {
    match name {
        "send_forward_msg" => Some("send_msg"),
        "send_private_forward_msg" => Some("send_private_msg"),
        "send_group_forward_msg" => Some("send_group_msg"),
        _ => None,
    }
}

/// Sends a message whose outcome the bot does not wait for (api/README.md, "异步调用").
fn send_unwatched(
    bot: &Arc<ConfiguredBot>,
    account: &Arc<ServedAccount>,
    sending: BotSending,
) -> ActionAnswer {
    let Ok(permit) = bot.unwatched.clone().try_acquire_owned() else {
        let words = "too many messages of this bot are being sent; wait for the answers of some";
        return ActionAnswer::Failed(FAILED, words.into());
    };
    let (bot, account) = (bot.clone(), account.clone());
    bot.shared.core.tasks.clone().spawn(async move {
        drop(send(&bot, &account, sending).await);
        drop(permit);
    });
    ActionAnswer::Async(None)
}

/// The message that an action sends.
fn sending(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    action: &str,
    fields: &RawObject<'_>,
    is_native: bool,
) -> Result<BotSending, String> {
    let (group, person) = (fields.id("group_id"), fields.id("user_id"));
    let is_private = match (action, fields.text("message_type").as_deref()) {
        ("send_private_msg", _) | ("send_msg", Some("private")) => true,
        ("send_group_msg", _) | ("send_msg", Some("group")) => false,
        _ => group.is_none(),
    };
    let conversation = match (is_private, group, person) {
        (false, Some(group), _) => conversation_of_group(&bot.shared, account, &group),
        (true, _, Some(person)) => conversation_of_person(&bot.shared, account, &person),
        (false, None, _) => return Err("`group_id` is missing".into()),
        (true, _, None) => return Err("`user_id` is missing".into()),
    };
    let nodes = fields.get("messages").filter(|_| !is_native);
    let message = nodes.or_else(|| fields.get("message")).ok_or("`message` is missing")?;
    let auto_escape = fields.is_true("auto_escape");
    let written = BotMessage::read(message, auto_escape, &account.self_id.to_string())?;
    let known = |id: &str| {
        let view = bot.shared.core.store.view().ok()?;
        find(&view, account, id, is_native).ok().flatten()
    };
    let content = match (is_native, nodes) {
        (true, _) => written.content,
        (false, Some(_)) => forward::merged(&bot.shared, account, &written.content, &known)?,
        (false, None) => own_segments(&bot.shared, account, &written.content)?,
    };
    let answered = written.reply_to.and_then(|id| known(&id));
    let reply_to = answered.map(|message| message.id);
    let original = is_native.then_some(written.original);
    Ok(BotSending { conversation, content, reply_to, original })
}

/// The answer for an outcome.
fn sent(outcome: BotSendOutcome, is_native: bool) -> ActionAnswer {
    match outcome {
        BotSendOutcome::Sent(message) => {
            let external = message.external_id.filter(|_| is_native);
            let id = match (is_native, external) {
                (true, Some(id)) => id.parse::<i64>().map_or_else(|_| json!(id), |id| json!(id)),
                // The OneBot implementation gave none.
                (true, None) => json!(0),
                (false, _) => json!(message.seq),
            };
            ActionAnswer::Done(json!({ "message_id": id }))
        }
        BotSendOutcome::Failed(reason) => ActionAnswer::Failed(FAILED, reason),
        BotSendOutcome::UnderWay(last_error) => ActionAnswer::Async(last_error),
        BotSendOutcome::Unknown(reason) => ActionAnswer::Async(Some(reason)),
    }
}

/// Recalls a message that is in the store; `None` if it is not.
async fn recall(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    fields: &RawObject<'_>,
    is_native: bool,
) -> Option<ActionAnswer> {
    let core = &bot.shared.core;
    let id = fields.id("message_id")?;
    let found = core.store.view().and_then(|view| find(&view, account, &id, is_native));
    let message = found.ok().flatten()?;
    Some(match core.actions.recall(message.id).await {
        Ok(_) => ActionAnswer::Done(json!(null)),
        Err(error) => ActionAnswer::Failed(FAILED, error.to_string()),
    })
}

/// Passes an action to the OneBot implementation, and returns its answer unchanged. While the account is
/// not connected, rechat answers the actions that only read and that it can answer itself.
async fn through(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    name: &str,
    params: &str,
    fields: &RawObject<'_>,
) -> ActionAnswer {
    let core = &bot.shared.core;
    let handle = core.registry.handle(&account.platform, Some(&account.account));
    let handle = handle.filter(|handle| handle.account.as_ref() == Some(&account.account));
    let called = match (handle, RawValue::from_string(params.to_owned())) {
        (Some(handle), Ok(params)) => handle.call(name.to_owned(), params).await,
        _ => Err(ActionError::NotConnected),
    };
    let not_connected =
        || ActionAnswer::Failed(NOT_CONNECTED, ActionError::NotConnected.to_string());
    let reads = ["get_", "can_"].iter().any(|verb| name.starts_with(verb));
    match called {
        Ok(frame) => ActionAnswer::AsItCame(frame),
        Err(ActionError::NotConnected) if !reads => not_connected(),
        Err(ActionError::NotConnected) => {
            match own_actions::answer(bot, account, name, fields).await {
                ActionAnswer::Failed(NO_SUCH_ACTION, _) => not_connected(),
                answer => answer,
            }
        }
        Err(ActionError::Unsupported) => {
            ActionAnswer::Failed(NO_SUCH_ACTION, ActionError::Unsupported.to_string())
        }
        Err(error) => ActionAnswer::Failed(FAILED, error.to_string()),
    }
}

/// The values of a query or a form, as parameters (communication/http.md).
pub(in crate::gateway) fn params_of(pairs: &[(String, String)]) -> Option<Box<RawValue>> {
    let value = |text: &String| match serde_json::from_str::<&RawValue>(text) {
        // Numbers, lists and objects are written as JSON; every other value is a text.
        Ok(raw) if !text.starts_with('"') && (text_of(raw).is_none() || is_number(text)) => {
            raw.to_owned()
        }
        _ => serde_json::value::to_raw_value(text).unwrap_or_default(),
    };
    let mut object = serde_json::Map::new();
    let is_param = |key: &str| key != "access_token" && key != "self_id";
    for (key, text) in pairs.iter().filter(|(key, _)| is_param(key)) {
        object.insert(key.clone(), serde_json::from_str(value(text).get()).ok()?);
    }
    serde_json::value::to_raw_value(&object).ok()
}

fn is_number(text: &str) -> bool {
    text.parse::<i64>().is_ok()
}
