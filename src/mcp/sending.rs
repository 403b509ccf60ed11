//! Tools that write: `send_message` and `reply`.

use super::answers::SentMessage;
use super::arguments::{Reply, SendMessage, Sending};
use super::context::AgentContext;
use super::source::{Chats, Source};
use crate::backoff::Polls;
use crate::error::{Error, Result};
use crate::model::message::{LOCAL, MessageType};
use crate::protocol::http::NewMessage;
use crate::store::Access;
use std::time::Duration;

/// Time after which an answer gives the reason why the message waits. A reason that ends sooner, such as an
/// earlier message of the conversation, is not worth telling.
const STEADY_REASON_TIME: Duration = Duration::from_secs(1);

/// `send_message`
pub(super) async fn send_message<S: Source>(
    context: &AgentContext<S>,
    arguments: SendMessage,
) -> Result<SentMessage> {
    let (platform, conversation) = (arguments.platform.clone(), arguments.conversation.clone());
    let sending = arguments.sending()?;
    let mut chats = context.source.open(Access::Write).await?;
    context.conversation(&mut chats, &platform, &conversation).await?;
    let message = new_message(&sending, platform, conversation);
    send(context, chats, message, &sending).await
}

/// `reply`
pub(super) async fn reply<S: Source>(
    context: &AgentContext<S>,
    arguments: Reply,
) -> Result<SentMessage> {
    let id = arguments.message()?;
    let sending = arguments.sending()?;
    let mut chats = context.source.open(Access::Write).await?;
    let answered = context.message(&mut chats, id).await?;
    let platform = answered.platform_or_local().to_owned();
    let mut message = new_message(&sending, platform, answered.recipient.clone());
    message.reply_to = Some(id.to_string());
    send(context, chats, message, &sending).await
}

fn new_message(sending: &Sending, platform: String, conversation: String) -> NewMessage {
    let platform = Some(platform).filter(|name| name != LOCAL);
    NewMessage::of(MessageType::Text.as_str(), sending.text.clone(), conversation, platform)
}

async fn send<S: Source>(
    context: &AgentContext<S>,
    mut chats: S::Chats,
    message: NewMessage,
    sending: &Sending,
) -> Result<SentMessage> {
    check_destination(context, &message)?;
    context.bounds.count_send()?;
    let made = chats.create(message, &context.own_key(&sending.key)).await?;
    let gone = || Error::failed(format!("message {} was deleted meanwhile", made.id));
    let mut polls = Polls::within(sending.limit);
    loop {
        let message = chats.find(made.id).await?.ok_or_else(gone)?;
        let lasts = message.waiting.is_some() && polls.elapsed() >= STEADY_REASON_TIME;
        let is_over = message.is_over() || lasts || !chats.is_served();
        if is_over || !polls.pause().await {
            return Ok(SentMessage::of(&message));
        }
    }
}

/// Refuses a message that may end up in a hidden conversation: one without a platform is sent where
/// its conversation is known, and a bare ID may mean a group or a person.
fn check_destination<S>(context: &AgentContext<S>, message: &NewMessage) -> Result<()> {
    let bounds = &context.bounds;
    let conversation = &message.recipient;
    let is_shown = message
        .platform
        .as_deref()
        .is_some_and(|name| destinations(conversation).iter().all(|one| bounds.shows(name, one)));
    if bounds.shows_everything() || is_shown {
        return Ok(());
    }
    Err(Error::failed(format!("it is not certain where a message to {conversation} would go"))
        .hint("name its platform and its conversation as list_conversations does"))
}

/// The conversations to which a message may go: a name with a prefix is the conversation itself.
fn destinations(recipient: &str) -> Vec<String> {
    let is_id = |id: &str| !id.is_empty() && !id.contains('_');
    let is_prefixed = match recipient.split_once('_') {
        Some(("group" | "private", id)) => !id.is_empty(),
        Some(("channel", ids)) => {
            ids.split_once('_').is_some_and(|(guild, channel)| is_id(guild) && is_id(channel))
        }
        _ => false,
    };
    if is_prefixed {
        return vec![recipient.to_owned()];
    }
    vec![recipient.to_owned(), format!("group_{recipient}"), format!("private_{recipient}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_without_a_prefix_may_mean_several_conversations() {
        for named in ["group_1", "private_wxid_a", "private_o-1@im.wechat", "channel_1_2"] {
            assert_eq!(destinations(named), [named]);
        }
        for bare in ["1", "group_", "channel_1", "channel_1_2_3", "groups_1"] {
            let [group, private] = [format!("group_{bare}"), format!("private_{bare}")];
            assert_eq!(destinations(bare), [bare.to_owned(), group, private]);
        }
    }
}
