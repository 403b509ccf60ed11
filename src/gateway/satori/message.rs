//! Messages as objects (resources/message.md).

use super::channel::{channel, guild};
use super::elements::{self, escape_attribute};
use super::media;
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use crate::gateway::conversation::person_of;
use crate::model::message::{Direction, Message, Sender};
use crate::store::{Result, View};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use tokio::task::block_in_place;

/// The ID of a message for bots: the platform's own, else rechat's.
pub(super) fn id_of(message: &Message) -> String {
    message.external_id.clone().unwrap_or_else(|| message.id.to_string())
}

/// A message by such an ID.
pub(super) fn find(view: &View, account: &ServedAccount, id: &str) -> Result<Option<Message>> {
    // rechat's own ID first, because looking for a platform's ID reads the newest messages.
    if let Ok(id) = id.parse()
        && let Some(found) = view.by_id(id)?
    {
        return Ok(Some(found).filter(|message| account.has(message)));
    }
    block_in_place(|| view.by_external(&account.platform, &account.account, id))
}

/// The content of a message as elements.
pub(super) fn content(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    view: &View,
    message: &Message,
) -> Result<String> {
    let signer = &bot.shared.core.signer;
    let link = |hash: &str, name: Option<&str>| {
        hash.parse().map_or_else(|_| String::new(), |hash| media::link(signer, account, hash, name))
    };
    let mut text = String::new();
    if let Some(reply_to) = &message.reply_to {
        let id = match (&reply_to.external_id, reply_to.id) {
            (Some(id), _) => Some(id.clone()),
            // By the ID that the bot knows.
            (None, Some(id)) => view.by_id(id)?.as_ref().map(id_of),
            (None, None) => None,
        };
        if let Some(id) = id {
            let _ = write!(text, "<quote id=\"{}\">", escape_attribute(&id));
            if let Some(Sender { id, name }) = &reply_to.sender {
                let [id, name] = [id, name].map(|part| escape_attribute(part));
                let _ = write!(text, "<author id=\"{id}\" name=\"{name}\"/>");
            }
            let excerpt = reply_to.content.as_deref().unwrap_or_default();
            let _ = write!(text, "{}</quote>", escape_attribute(excerpt));
        }
    }
    Ok(text + &elements::write(&message.content.to_segments(), &account.account, &link))
}

/// A person.
pub(super) fn user(person: &Sender) -> Value {
    let mut user = json!({"id": person.id});
    if !person.name.is_empty() {
        user["name"] = json!(person.name);
    }
    user
}

/// The person who wrote a message.
pub(super) fn author(account: &ServedAccount, message: &Message) -> Sender {
    let own = || Sender { id: account.account.clone(), name: String::new() };
    match message.direction {
        Direction::Inbound => message.sender.clone().unwrap_or_default(),
        Direction::Outbound => own(),
    }
}

/// The parts of a message that are next to it in an event, and inside it elsewhere
/// (protocol/index.md, "资源").
pub(super) fn resources(account: &ServedAccount, message: &Message) -> Map<String, Value> {
    let mut parts = Map::new();
    let name = message.conversation_name.as_deref();
    parts.insert("channel".into(), channel(&message.recipient, name));
    parts.insert("guild".into(), guild(&message.recipient, name).unwrap_or_default());
    let author = author(account, message);
    parts.insert("user".into(), user(&author));
    if person_of(&message.recipient).is_none() && !author.name.is_empty() {
        parts.insert("member".into(), json!({"nick": author.name}));
    }
    parts.retain(|_, part| !part.is_null());
    parts
}

/// A message alone.
pub(super) fn bare(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    view: &View,
    message: &Message,
) -> Result<Map<String, Value>> {
    let mut object = Map::new();
    object.insert("id".into(), id_of(message).into());
    object.insert("content".into(), content(bot, account, view, message)?.into());
    object.insert("created_at".into(), milliseconds(message.created_at).into());
    if let Some(at) = message.edited_at {
        object.insert("updated_at".into(), milliseconds(at).into());
    }
    Ok(object)
}

/// A message with its resources.
pub(super) fn whole(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    view: &View,
    message: &Message,
) -> Result<Value> {
    let mut object = bare(bot, account, view, message)?;
    object.extend(resources(account, message));
    Ok(Value::Object(object))
}

/// Satori has times in milliseconds.
pub(super) fn milliseconds(seconds: u64) -> u64 {
    seconds.saturating_mul(1_000)
}
