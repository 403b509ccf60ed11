//! Events for a framework (event/README.md): raw events of the OneBot implementation, or events that are
//! translated.

use super::message;
use super::notice;
use crate::adapter::segments_of_cq;
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use crate::gateway::conversation::person_of;
use crate::gateway::filter::{BotFilter, FilterInput};
use crate::gateway::hidden_content::has_hidden_content;
use crate::gateway::raw_object::RawObject;
use crate::model::message::Message;
use crate::store::{BotEvent, EntryContent, Result, View};
use serde_json::{Value, json};

/// Numbers that some OneBot implementations write as texts; frameworks need numbers.
const NUMBERS: [&str; 6] = ["time", "self_id", "message_id", "user_id", "group_id", "target_id"];

/// The frame for an entry of the log; `None` if the bot does not get it.
pub(super) async fn frame(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    view: &View,
    entry: &BotEvent,
) -> Result<Option<String>> {
    let config = bot.config.load_full();
    let ServedAccount { platform, account: own, .. } = account;
    if let Some(raw_event) = &entry.raw_event {
        if raw_event.platform != *platform || raw_event.account != *own {
            return Ok(None);
        }
        if has_hidden_content(view, entry)? {
            return Ok(None);
        }
        let message = match &entry.entry {
            Some(EntryContent::Created { seq }) => view.readable(*seq)?,
            _ => None,
        };
        return Ok(verbatim(&raw_event.frame, message.as_ref(), account, &config.filter));
    }
    match &entry.entry {
        Some(EntryContent::Created { seq }) => {
            let Some(message) = view.readable(*seq)? else { return Ok(None) };
            let text = message.content.readable();
            let about = about(&message, Some(&text));
            let is_told = message.is_told_by(platform, own) && !message.is_hidden();
            if !is_told || !config.filter.passes(&about) {
                return Ok(None);
            }
            let mut fields = message::fields(&bot.shared, account, view, &message).await?;
            fields.insert("self_id".into(), account.self_id.into());
            fields.insert("post_type".into(), "message".into());
            Ok(Some(Value::Object(fields).to_string()))
        }
        Some(EntryContent::Updated { seq }) => {
            let Some(message) = view.readable(*seq)? else { return Ok(None) };
            let is_its = message.account.as_ref() == Some(own)
                && message.platform.as_ref() == Some(platform);
            if !is_its || !config.filter.passes(&about(&message, None)) {
                return Ok(None);
            }
            notice::recalled(&bot.shared, account, &message).await
        }
        Some(EntryContent::Noticed(notice)) => {
            let about = FilterInput {
                platform,
                conversation: notice.conversation.as_deref(),
                person: notice.user.as_ref().map(|user| user.id.as_str()),
                ..FilterInput::default()
            };
            let is_its = notice.platform == *platform && notice.account == *own;
            if !is_its || !config.filter.passes(&about) {
                return Ok(None);
            }
            notice::frame(&bot.shared, account, notice).await
        }
        _ => Ok(None),
    }
}

/// The recall to send right after a message: a recall that came before its message has no entry of
/// its own.
pub(super) async fn recall_behind(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    view: &View,
    entry: &BotEvent,
) -> Result<Option<String>> {
    let Some(EntryContent::Created { seq }) = &entry.entry else { return Ok(None) };
    let Some(message) = view.readable(*seq)? else { return Ok(None) };
    notice::recalled(&bot.shared, account, &message).await
}

fn about<'a>(message: &'a Message, text: Option<&'a str>) -> FilterInput<'a> {
    FilterInput {
        platform: message.platform_or_local(),
        conversation: Some(&message.recipient),
        person: message.sender.as_ref().map(|sender| sender.id.as_str()),
        text,
        mentions_me: message.content.mentions_me(),
    }
}

/// A raw event: every field as it came, with the fields added that frameworks require.
fn verbatim(
    frame: &str,
    message: Option<&Message>,
    account: &ServedAccount,
    filter: &BotFilter,
) -> Option<String> {
    let mut event = RawObject::parse(frame)?;
    let is_message = matches!(event.text("post_type").as_deref(), Some("message" | "message_sent"));
    let conversation = match message {
        Some(message) => Some(message.recipient.clone()),
        None => event.conversation(),
    };
    let person = event.id("user_id");
    let text = message.map(|message| message.content.readable().into_owned());
    let text = text.or_else(|| event.text("raw_message")).filter(|_| is_message);
    let is_told = filter.passes(&FilterInput {
        platform: &account.platform,
        conversation: conversation.as_deref(),
        person: person.as_deref(),
        text: text.as_deref(),
        mentions_me: message.is_some_and(|message| message.content.mentions_me()),
    });
    if !is_told {
        return None;
    }
    for key in NUMBERS {
        let is_text = event.get(key).is_some_and(|value| value.get().starts_with('"'));
        if is_text && let Some(number) = event.text(key).and_then(|text| text.parse::<i64>().ok()) {
            event.set(key, &number);
        }
    }
    event.set_missing("self_id", &account.self_id);
    if is_message {
        complete(&mut event, message, conversation.as_deref());
    }
    Some(event.write())
}

/// Adds the fields that a message event must have (event/message.md).
fn complete(event: &mut RawObject<'_>, message: Option<&Message>, conversation: Option<&str>) {
    let is_string = event.get("message").is_some_and(|message| message.get().starts_with('"'));
    if is_string && let Some(string) = event.text("message") {
        event.set_missing("raw_message", &string);
        event.set("message", &segments_of_cq(&string));
    }
    if event.get("message_format").is_some() {
        event.set("message_format", &"array");
    }
    let is_private = conversation.and_then(person_of).is_some();
    event.set_missing("time", &message.map_or(0, |message| message.created_at));
    event.set_missing("message_type", &if is_private { "private" } else { "group" });
    event.set_missing("sub_type", &if is_private { "friend" } else { "normal" });
    event.set_missing("message_id", &message.map_or(0, |message| message.seq));
    event.set_missing("font", &0);
    event.set_missing("user_id", &0);
    let readable = message.map(|message| message.content.readable().into_owned());
    event.set_missing("raw_message", &readable.unwrap_or_default());
    let sender = message.and_then(|message| message.sender.as_ref());
    let name = sender.map_or("", |sender| sender.name.as_str());
    event.set_missing("sender", &json!({ "nickname": name }));
}
