//! Messages that bots send: made like any other, and answered with what became of them.

use super::bot::{ConfiguredBot, ServedAccount};
use crate::clock::now;
use crate::media::content;
use crate::model::content::Content;
use crate::model::message::{Draft, Message, Status};
use crate::store::{Answer, Command};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

/// How long a bot waits for the outcome: less than any framework does by itself.
const PATIENCE: Duration = Duration::from_secs(25);

/// A message that a bot sends.
pub(super) struct BotSending {
    pub(super) conversation: String,
    pub(super) content: Content,
    /// The message that it answers.
    pub(super) reply_to: Option<Uuid>,
    /// The message as the bot wrote it, where the platform takes that form.
    pub(super) original: Option<String>,
}

/// The result of sending it.
pub(super) enum BotSendOutcome {
    #[allow(missing_docs)]
    Sent(Box<Message>),
    /// It did not go out, and will not.
    Failed(String),
    /// It is not known yet; it goes on being sent.
    UnderWay,
}

/// Makes a message, and waits for its outcome for as long as the bot is patient.
pub(super) async fn send(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    sending: BotSending,
) -> BotSendOutcome {
    let until = Instant::now() + PATIENCE;
    match create(bot, account, sending).await {
        Ok(message) => outcome(bot, message, until).await,
        Err(reason) => BotSendOutcome::Failed(reason),
    }
}

/// Makes messages that follow each other, and waits for the outcomes of all. After one that cannot be
/// made, none is.
pub(super) async fn outcomes(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    all: Vec<BotSending>,
) -> Vec<BotSendOutcome> {
    let until = Instant::now() + PATIENCE;
    let (mut made, mut refused) = (Vec::new(), None);
    for sending in all {
        match create(bot, account, sending).await {
            Ok(message) => made.push(message),
            Err(reason) => {
                refused = Some(BotSendOutcome::Failed(reason));
                break;
            }
        }
    }
    let mut outcomes = Vec::new();
    for message in made {
        outcomes.push(outcome(bot, message, until).await);
    }
    outcomes.extend(refused);
    outcomes
}

async fn create(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    sending: BotSending,
) -> Result<Message, String> {
    let BotSending { conversation, content, reply_to, original } = sending;
    let content = kept(bot, content).await;
    let (platform, name) = (account.platform.clone(), bot.name());
    let own = account.account.clone();
    let draft = Draft::of_bot(&name, own, content, conversation, platform, original);
    let draft = draft?.in_reply_to(reply_to);
    let core = &bot.shared.core;
    let facts = core.registry.routing_facts(None);
    let create = Command::Create { draft, at: now(), idempotency: None, facts };
    match core.store.write(create).await {
        Ok(Answer::Done(message)) => Ok(message),
        Ok(_) => Err("the message was not stored".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// The content with the bytes of its files kept as media, so that they can be seen here, too.
async fn kept(bot: &ConfiguredBot, content: Content) -> Content {
    if !content::has_bytes(&content) {
        return content;
    }
    let (blobs, given) = (bot.shared.core.blobs.clone(), content.clone());
    let keeping = tokio::task::spawn_blocking(move || content::keep_inbound(&blobs, &given));
    keeping.await.unwrap_or(content)
}

async fn outcome(bot: &ConfiguredBot, message: Message, until: Instant) -> BotSendOutcome {
    let core = &bot.shared.core;
    loop {
        let ended = core.outcomes.wait(message.seq);
        // It may have ended before anybody waited.
        let found = match core.store.view().and_then(|view| view.by_seq(message.seq)) {
            Ok(Some(found)) => found,
            Ok(None) => return BotSendOutcome::Failed("the message was deleted".into()),
            Err(error) => return BotSendOutcome::Failed(error.to_string()),
        };
        match found.status {
            Status::Sent => return BotSendOutcome::Sent(Box::new(found)),
            Status::Failed | Status::Canceled => {
                let status = found.status;
                let reason = found.last_error.unwrap_or_else(|| format!("it is {status}"));
                return BotSendOutcome::Failed(reason);
            }
            Status::Pending | Status::Sending => {}
        }
        if timeout_at(until, ended).await.is_err() {
            return give_up(bot, found).await;
        }
    }
}

/// The bot waits no longer. A message that has not gone out is taken back, so that what the bot is
/// told stays true.
async fn give_up(bot: &ConfiguredBot, message: Message) -> BotSendOutcome {
    let withdraw = Command::Withdraw { id: message.id, at: now() };
    match bot.shared.core.store.write(withdraw).await {
        Ok(Answer::Done(withdrawn)) => {
            let seconds = PATIENCE.as_secs();
            let reason =
                withdrawn.last_error.unwrap_or_else(|| "the account is not connected".into());
            BotSendOutcome::Failed(format!("not sent within {seconds} s: {reason}"))
        }
        _ => match bot.shared.core.store.view().and_then(|view| view.by_seq(message.seq)) {
            Ok(Some(found)) if found.status == Status::Sent => {
                BotSendOutcome::Sent(Box::new(found))
            }
            _ => BotSendOutcome::UnderWay,
        },
    }
}
