//! What a session does with each command.

use super::{End, Event, Session};
use crate::clock::now;
use crate::config::Need;
use crate::hub::Refused;
use crate::metrics::METRICS;
use crate::model::message::{Draft, Message, Status};
use crate::outbox::Outcomes;
use crate::server::Context;
use crate::server::socket::command::{Command, Parsed, Reply, Since};
use crate::store::{self, Answer};
use hyper_tungstenite::tungstenite::Utf8Bytes;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

impl Session {
    /// Carries out what a frame says; whatever is wrong with it is said to the client.
    pub(super) async fn obey(&mut self, text: &Utf8Bytes) -> Result<(), End> {
        let Parsed { request_id, command } = Parsed::read(text);
        if self.pace.check().is_err() {
            let most = self.context.config.limits.session_commands;
            METRICS.limit_hit("session_commands");
            let text = format!("more than {most} commands a second; send this one again later");
            return self.say(Reply::error(text).to(request_id)).await;
        }
        let reply = match command {
            Ok(Command::SendMessage(_)) if !self.scope.covers(Need::Send) => {
                let scope = self.scope.as_str();
                Reply::error(format!("a token with the scope `{scope}` may not send messages"))
            }
            Ok(Command::SendMessage(draft)) => return self.send(draft, request_id).await,
            Ok(Command::Subscribe { platforms, conversations, since, with_status }) => {
                match self.place(since) {
                    Ok(since) => match self.watcher.subscribe(&platforms, &conversations, since) {
                        Ok(()) => {
                            if with_status {
                                self.watcher.tell_status(true);
                            }
                            Reply::ack("subscribed").in_session(self.id)
                        }
                        Err(refused) => Reply::error(refusal(refused)),
                    },
                    Err(text) => Reply::error(text),
                }
            }
            Ok(Command::Unsubscribe { platforms, conversations, ends_pairs, ends_status }) => {
                if ends_status {
                    self.watcher.tell_status(false);
                }
                if ends_pairs {
                    self.watcher.unsubscribe(&platforms, &conversations);
                }
                // What was handed out before goes before the answer, so that nothing comes after.
                let queued = self.watcher.queued();
                self.push(queued).await?;
                Reply::ack("unsubscribed")
            }
            Err(text) => Reply::error(text),
        };
        self.say(reply.to(request_id)).await
    }

    /// The `seq` that a `since` stands for.
    fn place(&self, since: Option<Since>) -> Result<Option<u64>, String> {
        match since {
            None => Ok(None),
            Some(Since::Seq(seq)) => Ok(Some(seq)),
            Some(Since::Id(id)) => match self.context.store.view().and_then(|view| view.seq_of(id))
            {
                Ok(Some(seq)) => Ok(Some(seq)),
                Ok(None) => Err(format!("`since`: there is no message {id}")),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// Queues a message for the disk, in the order of the frames; the answer comes when it is there.
    async fn send(&mut self, draft: Draft, request_id: Option<Value>) -> Result<(), End> {
        let facts = self.context.routing_facts(draft.recipient());
        let command = store::Command::Create { draft, at: now(), idempotency: None, facts };
        let written = match self.context.store.submit(command).await {
            Ok(written) => written,
            Err(error) => return self.say(Reply::error(error.to_string()).to(request_id)).await,
        };
        let context = self.context.clone();
        self.in_flight += 1;
        self.events.push(Box::pin(async move {
            let reply = match written.await {
                Ok(Answer::Done(message)) => delivered(&context, message).await,
                Ok(_) => Reply::error("the message was not stored"),
                Err(error) => Reply::error(error.to_string()),
            };
            Event::Stored(reply.to(request_id))
        }));
        Ok(())
    }
}

/// What became of a message that is stored: where an adapter can take it, its word is waited for
/// (contract, Part 2, item 12).
async fn delivered(context: &Context, message: Message) -> Reply {
    let id = message.id;
    let sent = |status| Reply::ack("sent").of_message(id, Some(status));
    let platform = message.platform.as_deref().unwrap_or_default();
    if context.registry.link(platform, None).is_none() {
        return sent(message.status.as_str());
    }
    let ended = context.outcomes.wait(message.seq);
    // It may have ended before anybody waited.
    let now = context.store.view().and_then(|view| view.by_seq(message.seq)).ok().flatten();
    let limit = Duration::from_secs(context.config.outbox.ack_seconds);
    let ended = match now.filter(Outcomes::has_ended) {
        Some(message) => Some(message),
        None => timeout(limit, ended).await.ok().and_then(Result::ok),
    };
    match ended {
        Some(message) if message.status == Status::Sent => sent(Status::Sent.as_str()),
        Some(message) => {
            let why = message.last_error.unwrap_or_else(|| format!("it is {}", message.status));
            Reply::error(why).of_message(id, None)
        }
        None => {
            let text = format!(
                "the platform gave no word within {} s; it goes on being sent",
                limit.as_secs()
            );
            Reply::error(text).of_message(id, None)
        }
    }
}

/// Why a subscription is refused, in words.
pub fn refusal(refused: Refused) -> String {
    match refused {
        Refused::TooManyPairs { limit } => {
            format!(
                "`platforms` and `conversations` make more than {limit} pairs for this session; use fewer, or \"*\""
            )
        }
        Refused::TooManyReplays => {
            "`since`: too many replays at once; wait until one has caught up".into()
        }
        Refused::BeyondHead { head } => format!("`since` lies beyond the newest message, {head}"),
    }
}
