//! `rechat send` and `rechat reply`

mod batch;
mod content;
mod files;
mod mentions;
mod printed;
mod wait;

use super::conversation::Known;
use super::ids::id_of;
use super::output::Output;
use super::source::writer;
use crate::cli::{GlobalOptions, ReplyArgs, Send, SendOptions};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::protocol::http::NewMessage;
use std::time::Duration;

pub(super) async fn run(send: Send, globals: &GlobalOptions) -> Result<()> {
    match (&send.batch, &send.recipient) {
        (Some(file), _) => batch::run(&send, file, globals).await,
        (None, Some(conversation)) => one(&send, conversation.clone(), globals).await,
        (None, None) => {
            Err(Error::usage("a conversation is needed").hint("name it with -r group_123456"))
        }
    }
}

async fn one(send: &Send, conversation: String, globals: &GlobalOptions) -> Result<()> {
    let (mut message, files) = content::of_arguments(&send.content)?;
    (message.recipient, message.platform) = (conversation, send.platform.clone());
    message.clone().into_draft().map_err(Error::usage)?;
    let mut client = writer(&send.source, globals).await?;
    if !send.new {
        let mut known = Known::default();
        let platform = send.platform.as_deref();
        if let Some(platform) = platform {
            known.check_platform(&mut client, platform).await?;
        }
        let destination = known.destination(&mut client, &message.recipient, platform).await?;
        (message.platform, message.recipient) = (destination.platform, destination.conversation);
    }
    if !send.content.mention.is_empty() {
        mentions::name_mentions(&mut client, &mut message).await?;
    }
    if let Some(prefix) = send.reply_to {
        message.reply_to = Some(id_of(&mut client, prefix).await?.to_string());
    }
    files.upload(&mut client, &mut message).await?;
    deliver(&mut client, message, &send.sending, globals).await
}

pub(super) async fn reply(reply: ReplyArgs, globals: &GlobalOptions) -> Result<()> {
    let (mut message, files) = content::of_arguments(&reply.content)?;
    let mut client = writer(&reply.source, globals).await?;
    let answered = id_of(&mut client, reply.id).await?;
    let answered = client.get(answered).await?;
    message.reply_to = Some(answered.id.to_string());
    (message.recipient, message.platform) = (answered.recipient, answered.platform);
    message.clone().into_draft().map_err(Error::usage)?;
    if !reply.content.mention.is_empty() {
        mentions::name_mentions(&mut client, &mut message).await?;
    }
    files.upload(&mut client, &mut message).await?;
    deliver(&mut client, message, &reply.sending, globals).await
}

/// Stores a message, waits for its end where that is asked for, and prints it.
async fn deliver(
    client: &mut Client,
    message: NewMessage,
    sending: &SendOptions,
    globals: &GlobalOptions,
) -> Result<()> {
    let mut message = client.create(message, sending.idempotency_key.as_deref()).await?;
    let outcome = match sending.wait {
        Some(seconds) => wait::wait(client, &mut message, Duration::from_secs(seconds)).await,
        None => Ok(()),
    };
    let mut out = Output::new(globals);
    if sending.json {
        out.json(&message)?;
    } else {
        // Where it did not end well, the error tells the reason.
        printed::print(&mut out, client, &message, outcome.is_ok()).await?;
    }
    out.finish()?;
    outcome
}
