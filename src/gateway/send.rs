//! Messages that bots send: made like any other, and answered with their outcome.

use super::bot::{ConfiguredBot, ServedAccount};
use super::shared::BotsShared;
use crate::clock::now;
use crate::health::{blocking, run_to_end};
use crate::media::{Blobs, content};
use crate::model::content::Content;
use crate::model::message::{Draft, Message, Status};
use crate::outbox::WaitEnd;
use crate::store::{Answer, Command};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

/// The longest time that a bot waits for the outcome: less than the timeout of every framework.
const OUTCOME_TIMEOUT: Duration = Duration::from_secs(25);

/// A message that a bot sends.
pub(super) struct BotSending {
    pub(super) conversation: String,
    pub(super) content: Content,
    /// The message that it answers.
    pub(super) reply_to: Option<Uuid>,
    /// The message as the bot wrote it, if the platform accepts that form.
    pub(super) original: Option<String>,
}

/// The result of sending it.
pub(super) enum BotSendOutcome {
    /// It was sent.
    Sent(Box<Message>),
    /// It was not sent, and will not be.
    Failed(String),
    /// The outcome is not known yet; the message is still being sent. The reason why the last attempt
    /// failed, if one did.
    UnderWay(Option<String>),
    /// The platform may have it or get it, and its outcome will not be told. The reason.
    Unknown(String),
}

/// The bot and the account that send.
pub(super) struct BotSender {
    shared: Arc<BotsShared>,
    bot: String,
    account: ServedAccount,
    until: Instant,
}

/// Makes a message, and waits for its outcome up to [`OUTCOME_TIMEOUT`].
pub(super) async fn send(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    sending: BotSending,
) -> BotSendOutcome {
    let [outcome] = <[_; 1]>::try_from(outcomes(bot, account, vec![sending]).await)
        .unwrap_or([BotSendOutcome::UnderWay(None)]);
    outcome
}

/// Makes messages one after the other, and waits for the outcomes of all. If one cannot be made,
/// later ones are not made. This goes on if the bot's connection ends; messages that are not sent
/// when the time is over are canceled.
pub(super) async fn outcomes(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    all: Vec<BotSending>,
) -> Vec<BotSendOutcome> {
    let sender = BotSender::new(bot, account);
    let tasks = bot.shared.core.tasks.clone();
    let sending = run_to_end("bots", &tasks, async move { sender.send(all).await });
    // After a panic it is unknown which messages were made.
    sending.await.unwrap_or_else(|_| vec![BotSendOutcome::UnderWay(None)])
}

impl BotSender {
    pub(super) fn new(bot: &ConfiguredBot, account: &ServedAccount) -> Self {
        Self {
            shared: bot.shared.clone(),
            bot: bot.name(),
            account: account.clone(),
            until: Instant::now() + OUTCOME_TIMEOUT,
        }
    }

    async fn send(&self, all: Vec<BotSending>) -> Vec<BotSendOutcome> {
        let (mut made, mut refused) = (Vec::new(), None);
        for sending in all {
            match self.create(sending).await {
                Ok(message) => made.push(message),
                Err(outcome) => {
                    refused = Some(outcome);
                    break;
                }
            }
        }
        let mut outcomes = Vec::new();
        for message in made {
            outcomes.push(self.outcome(message).await);
        }
        outcomes.extend(refused);
        outcomes
    }

    async fn create(&self, sending: BotSending) -> Result<Message, BotSendOutcome> {
        let BotSending { conversation, content, reply_to, original } = sending;
        let core = &self.shared.core;
        let content = kept(&core.blobs, content).await;
        let ServedAccount { platform, account, .. } = self.account.clone();
        let draft = Draft::of_bot(&self.bot, account, content, conversation, platform, original);
        let draft = draft.map_err(BotSendOutcome::Failed)?.in_reply_to(reply_to);
        let facts = core.registry.routing_facts(None);
        let create = Command::Create { draft, at: now(), idempotency: None, facts };
        match core.store.write(create).await {
            Ok(Answer::Message(message)) => Ok(message),
            Ok(_) => Err(BotSendOutcome::Failed("the message was not stored".into())),
            Err(error) if error.may_be_stored() => Err(BotSendOutcome::Unknown(error.to_string())),
            Err(error) => Err(BotSendOutcome::Failed(error.to_string())),
        }
    }

    pub(super) async fn outcome(&self, message: Message) -> BotSendOutcome {
        let core = &self.shared.core;
        loop {
            let ended = core.outcomes.wait(message.seq);
            // It may have ended before the wait began.
            let found = match core.store.view().and_then(|view| view.by_seq(message.seq)) {
                Ok(Some(found)) => found,
                Ok(None) => return deleted(true),
                Err(error) => {
                    let seq = message.seq;
                    tracing::error!(
                        "the outcome of message {seq} of a bot cannot be read: {error}"
                    );
                    return BotSendOutcome::UnderWay(None);
                }
            };
            if let Some(outcome) = ended_as(&found) {
                return outcome;
            }
            let waited = core.stop.run_until_cancelled(timeout_at(self.until, ended)).await;
            match waited {
                Some(Ok(Ok(WaitEnd::Attempt(_)))) => {}
                Some(Ok(Ok(WaitEnd::Deleted { may_be_sent }))) => return deleted(may_be_sent),
                _ => return self.give_up(found).await,
            }
        }
    }

    /// Ends the wait. A message that was not sent is canceled, so that the answer to the bot stays
    /// true.
    async fn give_up(&self, message: Message) -> BotSendOutcome {
        let store = &self.shared.core.store;
        let why = message.last_error.clone().unwrap_or_else(|| self.reason_to_wait(&message));
        let reason = format!("not sent within {} s: {why}", OUTCOME_TIMEOUT.as_secs());
        let withdraw = Command::Withdraw { id: message.id, reason: reason.clone(), at: now() };
        if let Ok(Answer::Message(_)) = store.write(withdraw).await {
            return BotSendOutcome::Failed(reason);
        }
        // It ended in the meantime, or is being sent.
        let found = store.view().and_then(|view| view.by_seq(message.seq)).ok().flatten();
        let last_error = found.as_ref().and_then(|found| found.last_error.clone());
        let ended = found.and_then(|found| ended_as(&found));
        ended.unwrap_or(BotSendOutcome::UnderWay(last_error))
    }
}

impl BotSender {
    /// The reason why a message was not sent, although no attempt failed.
    fn reason_to_wait(&self, message: &Message) -> String {
        let ServedAccount { platform, account, .. } = &self.account;
        let registry = &self.shared.core.registry;
        let Some(handle) = registry.handle(platform, Some(account)) else {
            let fault = registry.fault(platform, Some(account));
            let fault = fault.map(|fault| format!(" ({fault})"));
            return format!("the account is not connected{}", fault.unwrap_or_default());
        };
        let closed = handle.closed(&message.recipient, now());
        closed.map_or_else(|| "others are sent before it".to_owned(), |closed| closed.reason)
    }
}

/// The outcome of a message that was deleted.
fn deleted(may_be_sent: bool) -> BotSendOutcome {
    if may_be_sent {
        let reason = "the message was deleted while it was sent; the platform may have it";
        return BotSendOutcome::Unknown(reason.into());
    }
    BotSendOutcome::Failed("the message was deleted before it was sent".into())
}

/// The outcome of a message, if it has one.
fn ended_as(message: &Message) -> Option<BotSendOutcome> {
    match message.status {
        // An attempt goes on, although the status was set by hand.
        _ if message.owner.is_some() => None,
        Status::Sent => Some(BotSendOutcome::Sent(Box::new(message.clone()))),
        Status::Failed | Status::Canceled => {
            let reason = message.last_error.clone();
            let reason = reason.unwrap_or_else(|| match message.status {
                Status::Canceled => "it was canceled before it was sent".to_owned(),
                _ => "the platform did not take it".to_owned(),
            });
            let outcome =
                if message.is_uncertain { BotSendOutcome::Unknown } else { BotSendOutcome::Failed };
            Some(outcome(reason))
        }
        Status::Pending | Status::Sending => None,
    }
}

/// The content with the bytes of its files stored as media, so that people can see them here.
async fn kept(blobs: &Blobs, content: Content) -> Content {
    if !content::has_bytes(&content) {
        return content;
    }
    let (blobs, given) = (blobs.clone(), content.clone());
    let keeping = blocking("bytes of a bot", move || content::keep_outbound(&blobs, &given));
    keeping.await.unwrap_or(content)
}
