//! Messages and reactions (resources/message.md, resources/reaction.md).

use super::elements::{ElementTargets, OutgoingMessage, read};
use super::media;
use super::message::{find, whole};
use super::request::{RefusedCall, SatoriCall, bad_request, of_action, of_store};
use crate::gateway::send::{BotSendOutcome, BotSending, outcomes};
use crate::model::content::Content;
use crate::model::message::{Message, Sender};
use crate::model::reaction::check_emoji;
use crate::store::View;
use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::task::block_in_place;

/// `message.create`
pub(super) async fn create(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let conversation = asked.conversation()?;
    let view = asked.view()?;
    let sending = |OutgoingMessage { segments, quote }| BotSending {
        conversation: conversation.clone(),
        content: Content::of(segments),
        reply_to: quote.and_then(|id| known(asked, &view, &id)).map(|message| message.id),
        original: None,
    };
    // This looks up messages that are quoted or forwarded.
    let made = block_in_place(|| content(asked, &view))?;
    let made: Vec<_> = made.into_iter().map(sending).collect();
    let count = made.len();
    let (mut sent, mut failure) = (Vec::new(), None);
    for outcome in outcomes(asked.bot, asked.account, made).await {
        match outcome {
            BotSendOutcome::Sent(message) => sent.push(shown(asked, &message)?),
            BotSendOutcome::Failed(reason) => {
                failure = failure.or(Some((StatusCode::BAD_GATEWAY, reason)))
            }
            BotSendOutcome::UnderWay(last_error) => {
                let words = still_sending(last_error.as_deref());
                failure = failure.or(Some((StatusCode::GATEWAY_TIMEOUT, words)));
            }
            BotSendOutcome::Unknown(reason) => {
                failure = failure.or(Some((StatusCode::GATEWAY_TIMEOUT, reason)));
            }
        }
    }
    match failure {
        None => Ok(Value::Array(sent)),
        Some(failure) if sent.is_empty() => Err(failure),
        Some((status, reason)) => {
            Err((status, format!("{} of {count} messages were sent: {reason}", sent.len())))
        }
    }
}

/// The words for a message whose outcome is not known yet, with the reason why the last attempt failed.
fn still_sending(last_error: Option<&str>) -> String {
    match last_error {
        Some(reason) => format!("{reason}; it is tried again, do not send it again"),
        None => "it is being sent, and its outcome is not known yet; do not send it again".into(),
    }
}

/// The messages that `content` makes.
fn content(asked: &SatoriCall<'_>, view: &View) -> Result<Vec<OutgoingMessage>, RefusedCall> {
    let text = asked.params.text("content");
    let text = text.ok_or_else(|| bad_request("`content` is missing"))?;
    let signer = &asked.bot.shared.core.signer;
    let targets = ElementTargets {
        message: &|id| known(asked, view, id),
        file: &|link| media::kept_file(signer, link),
    };
    read(&text, &targets).map_err(bad_request)
}

fn known(asked: &SatoriCall<'_>, view: &View, id: &str) -> Option<Message> {
    find(view, asked.account, id).ok().flatten()
}

/// A message in the form for the framework.
pub(super) fn shown(asked: &SatoriCall<'_>, message: &Message) -> Result<Value, RefusedCall> {
    whole(asked.bot, asked.account, &*asked.view()?, message).map_err(|error| of_store(&error))
}

/// `message.get`
pub(super) fn get(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    shown(asked, &asked.message()?)
}

/// `message.delete`
pub(super) async fn delete(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let actions = &asked.bot.shared.core.actions;
    actions.recall(asked.message()?.id).await.map_err(|error| of_action(&error))?;
    Ok(json!({}))
}

/// `message.update`
pub(super) async fn update(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let message = asked.message()?;
    let made = content(asked, &*asked.view()?)?;
    let [OutgoingMessage { segments, .. }] = &made[..] else {
        return Err(bad_request("`content` makes several messages; one is edited"));
    };
    let content = Content::of(segments.clone());
    asked
        .bot
        .shared
        .core
        .actions
        .edit(message.id, content)
        .await
        .map_err(|error| of_action(&error))?;
    Ok(json!({}))
}

/// `reaction.create` and `reaction.delete`: only the account's own reactions.
pub(super) async fn react(asked: &SatoriCall<'_>, on: bool) -> Result<Value, RefusedCall> {
    let is_ours = asked.text("user_id").is_none_or(|user| user == asked.account.account);
    if !is_ours {
        return Err((StatusCode::FORBIDDEN, "only reactions of the account are taken back".into()));
    }
    let emoji = asked.needed("emoji_id")?;
    check_emoji(&emoji).map_err(bad_request)?;
    let actions = &asked.bot.shared.core.actions;
    actions.react(asked.message()?.id, emoji, on).await.map_err(|error| of_action(&error))?;
    Ok(json!({}))
}

/// `reaction.clear`: the account's own reactions, with one emoji or with all.
pub(super) async fn clear(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let message = asked.message()?;
    let wanted = asked.text("emoji_id");
    let ours = message.reactions.into_iter().filter(|reaction| reaction.mine);
    let is_wanted = |emoji: &String| wanted.as_ref().is_none_or(|wanted| wanted == emoji);
    for emoji in ours.map(|reaction| reaction.emoji).filter(is_wanted) {
        let actions = &asked.bot.shared.core.actions;
        actions.react(message.id, emoji, false).await.map_err(|error| of_action(&error))?;
    }
    Ok(json!({}))
}

/// `reaction.list`: the people who are known.
pub(super) fn reactors(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let emoji = asked.needed("emoji_id")?;
    let message = asked.message()?;
    let reaction = message.reactions.into_iter().find(|reaction| reaction.emoji == emoji);
    let users = reaction.map(|reaction| reaction.users).unwrap_or_default();
    let user = |id| super::message::user(&Sender { id, name: String::new() });
    Ok(json!({"data": users.into_iter().map(user).collect::<Vec<_>>()}))
}
