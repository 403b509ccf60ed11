//! Commands of a session's client.

use super::session::{Session, SessionEnd, SessionEvent};
use crate::clock::now;
use crate::config::RequiredScope;
use crate::hub::resume::ResumePoint;
use crate::hub::{ReplayStart, SubscribeRefused, SubscribeRequest, Subscribed};
use crate::metrics::METRICS;
use crate::model::message::{Draft, Message, Status};
use crate::outbox::{Outcomes, WaitEnd};
use crate::protocol::command::{self, ClientCommand, Parsed, Subscribe};
use crate::protocol::event::{self, Ack, AckStatus, CURSOR_GONE};
use crate::protocol::http::{NO_REPLY_TARGET, NewMessage, is_literal};
use crate::server::context::NOT_HERE_YET;
use crate::server::error::ErrorResponse;
use crate::server::messages::disk_is_slow;
use crate::server::{ServerContext, forward, media};
use crate::store::{self, Answer};
use hyper_tungstenite::tungstenite::Utf8Bytes;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

type AnswerFrame = event::ServerEvent<'static>;

/// The text of an error, and its code if it is not `invalid`.
type Coded = (String, Option<&'static str>);

impl Session {
    /// Carries out the command in a frame. Errors of the command are sent to the client.
    pub(super) async fn carry_out(&mut self, text: &Utf8Bytes) -> Result<(), SessionEnd> {
        let Parsed { request_id, command } = Parsed::read(text);
        if self.limiter.check().is_err() {
            let most = self.context.config.limits.session_commands;
            METRICS.limit_hit("session_commands");
            let text = format!("more than {most} commands a second; send this one again later");
            return self.reply(coded(text, Some("too_many_requests"), request_id)).await;
        }
        match command {
            Ok(ClientCommand::SendMessage(_)) if !self.scope.covers(RequiredScope::Send) => {
                let scope = self.scope.as_str();
                let text = format!("a token with the scope `{scope}` may not send messages");
                self.reply(coded(text, Some("forbidden"), request_id)).await
            }
            Ok(ClientCommand::SendMessage(draft)) => self.send(draft, request_id).await,
            Ok(ClientCommand::Subscribe(subscribe)) => self.subscribe(subscribe, request_id).await,
            Ok(ClientCommand::Unsubscribe { platforms, conversations, ends_topics, events }) => {
                // Events that the session took before are written before the answer.
                if !events.is_empty() {
                    let queued = self.subscriber.end_events(events).await;
                    self.push(queued).await?;
                }
                if ends_topics {
                    let queued = self.subscriber.unsubscribe(&platforms, &conversations).await;
                    self.push(queued).await?;
                }
                self.reply(AnswerFrame::Ack(ack(AckStatus::Unsubscribed, request_id))).await
            }
            Err(text) => self.reply(error(text, request_id)).await,
        }
    }

    async fn subscribe(
        &mut self,
        subscribe: Subscribe,
        request_id: Option<Value>,
    ) -> Result<(), SessionEnd> {
        let shows_cursor = subscribe.events.is_some() || subscribe.cursor.is_some();
        let store = self.context.store.clone();
        if let Some(command::Since::Id(id)) = &subscribe.since {
            store.catch_up_with_message(*id).await;
        }
        let asked = match self.asked(subscribe) {
            Ok(asked) => asked,
            Err((text, code)) => return self.reply(coded(text, code, request_id)).await,
        };
        match self.subscriber.subscribe(asked, &store).await {
            Ok(Subscribed { queued, resume }) => {
                self.push(queued).await?;
                let ack = ack(AckStatus::Subscribed, request_id);
                let cursor = shows_cursor.then(|| resume.to_string());
                self.reply(AnswerFrame::Ack(Ack { session_id: Some(self.id), cursor, ..ack })).await
            }
            Err(why) => {
                let (text, code) = match why {
                    SubscribeRefused::OtherStore | SubscribeRefused::BeyondHead { .. }
                        if self.context.is_behind() =>
                    {
                        (NOT_HERE_YET.to_owned(), Some("no_leader"))
                    }
                    why => refused(&why),
                };
                self.reply(coded(text, code, request_id)).await
            }
        }
    }

    fn asked(&self, subscribe: Subscribe) -> Result<SubscribeRequest, Coded> {
        let Subscribe { platforms, conversations, since, cursor, events } = subscribe;
        let events = events.or(cursor.is_some().then(Default::default));
        let since = match (since, cursor) {
            (_, Some(cursor)) => {
                // Cursors are opaque for clients, so an invalid one counts as unknown.
                let point: Result<ResumePoint, _> = cursor.parse();
                let gone = |error| (format!("`cursor`: {error}"), Some(CURSOR_GONE));
                ReplayStart::Event(point.map_err(gone)?)
            }
            (Some(command::Since::Seq(seq)), None) => ReplayStart::Message(seq),
            (Some(command::Since::Id(id)), None) => {
                ReplayStart::Message(self.seq_of(id).map_err(|text| (text, None))?)
            }
            (None, None) => ReplayStart::Now,
        };
        Ok(SubscribeRequest { platforms, conversations, since, events })
    }

    fn seq_of(&self, id: Uuid) -> Result<u64, String> {
        match self.context.store.view().and_then(|view| view.seq_of(id)) {
            Ok(Some(seq)) => Ok(seq),
            Ok(None) => Err(format!("`since`: there is no message {id}")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Queues a message for the disk, in the order of the frames. The answer is sent once it is stored.
    async fn send(&mut self, draft: Draft, request_id: Option<Value>) -> Result<(), SessionEnd> {
        if self.context.follows() {
            self.pass_on(draft, request_id);
            return Ok(());
        }
        let draft = match media::keep(&self.context, draft).await {
            Ok(draft) => draft,
            Err(why) => return self.reply(refused_by_http(&why, request_id)).await,
        };
        let facts = self.context.routing_facts();
        let command = store::Command::Create { draft, at: now(), idempotency: None, facts };
        let limit = Duration::from_secs(self.context.config.limits.answer_seconds);
        let written = match timeout(limit, self.context.store.submit(command)).await {
            Ok(Ok(written)) => written,
            Ok(Err(why)) => return self.reply(not_stored(&why, request_id)).await,
            Err(_) => {
                let text = "too many changes wait for the disk; nothing was stored";
                return self.reply(coded(text.into(), Some("unavailable"), request_id)).await;
            }
        };
        let context = self.context.clone();
        self.in_flight += 1;
        self.events.push(Box::pin(async move {
            let reply = match timeout(limit, written).await {
                Ok(Ok(Answer::Message(message))) => delivered(&context, message, request_id).await,
                Ok(Ok(Answer::NoReplyTarget)) => {
                    coded(NO_REPLY_TARGET.into(), Some("unknown_reply"), request_id)
                }
                Ok(Ok(_)) => {
                    coded("the message was not stored".into(), Some("internal"), request_id)
                }
                Ok(Err(why)) => not_stored(&why, request_id),
                Err(_) => refused_by_http(&disk_is_slow(limit), request_id),
            };
            SessionEvent::Stored(Box::new(reply))
        }));
        Ok(())
    }
}

impl Session {
    /// Passes a message on to the leader of the cluster, after those that were passed on before.
    fn pass_on(&mut self, draft: Draft, request_id: Option<Value>) {
        let context = self.context.clone();
        let (done, next) = oneshot::channel();
        let before = self.passed_on.replace(next);
        self.in_flight += 1;
        self.events.push(Box::pin(async move {
            if let Some(before) = before {
                // An error means that it has ended.
                let _ = before.await;
            }
            let made = forward::make(&context, &NewMessage::of_draft(&draft)).await;
            drop::<oneshot::Sender<()>>(done);
            let reply = match made {
                Ok(message) => delivered(&context, message, request_id).await,
                Err(why) => refused_by_http(&why, request_id),
            };
            SessionEvent::Stored(Box::new(reply))
        }));
    }
}

/// The answer for a stored message. If an adapter can take it, this waits for the outcome (contract, Part
/// 2, item 12).
async fn delivered(
    context: &ServerContext,
    message: Message,
    request_id: Option<Value>,
) -> AnswerFrame {
    let id = Some(message.id);
    let sent = |status, request_id| {
        let ack = ack(AckStatus::Sent, request_id);
        AnswerFrame::Ack(Ack { message_id: id, message_status: Some(status), ..ack })
    };
    if !can_be_taken(context, &message).await {
        return sent(message.status, request_id);
    }
    let (code, text) = match outcome(context, message.seq).await {
        Some(WaitEnd::Attempt(message)) if message.status == Status::Sent => {
            return sent(Status::Sent, request_id);
        }
        Some(WaitEnd::Attempt(message)) => {
            // A client may send a message again if the answer is `not_sent`.
            let code = match message.status {
                Status::Failed | Status::Canceled if message.is_uncertain => "unknown",
                Status::Failed | Status::Canceled => "not_sent",
                _ => "retrying",
            };
            (code, message.last_error.unwrap_or_else(|| format!("it is {}", message.status)))
        }
        Some(WaitEnd::Deleted { may_be_sent: false }) => {
            ("not_sent", "it was deleted before it was sent".to_owned())
        }
        Some(WaitEnd::Deleted { may_be_sent: true }) => {
            ("unknown", "it was deleted while it was sent; the platform may have it".to_owned())
        }
        None => {
            if let Some(waits) = not_attempted(context, message.seq) {
                return sent(waits.status, request_id);
            }
            let seconds = context.config.outbox.ack_seconds;
            let text = format!("the platform did not answer within {seconds} s; sending continues");
            ("retrying", text)
        }
    };
    let code = Some(code.into());
    AnswerFrame::Error(event::ErrorAnswer { error: text, code, message_id: id, request_id })
}

/// The end of a message's attempt; `None` if it has none in the time that a client waits.
async fn outcome(context: &ServerContext, seq: u64) -> Option<WaitEnd> {
    let ended = context.outcomes.wait(seq);
    // The attempt may have ended before the wait began.
    match context.store.view().and_then(|view| view.by_seq(seq)) {
        Ok(Some(message)) if Outcomes::has_ended(&message) => {
            return Some(WaitEnd::Attempt(Box::new(message)));
        }
        Ok(None) => return Some(WaitEnd::Deleted { may_be_sent: true }),
        Ok(Some(_)) | Err(_) => {}
    }
    let limit = Duration::from_secs(context.config.outbox.ack_seconds);
    timeout(limit, ended).await.ok().and_then(Result::ok)
}

/// Whether an adapter can take a message now.
async fn can_be_taken(context: &ServerContext, message: &Message) -> bool {
    let platform = message.platform.as_deref().unwrap_or_default();
    if context.follows() {
        return forward::has_adapter(context, platform).await;
    }
    context.registry.handle(platform, None).is_some()
}

/// The message, if no attempt to send it was made yet because it waits for something else.
fn not_attempted(context: &ServerContext, seq: u64) -> Option<Message> {
    let message = context.store.view().and_then(|view| view.by_seq(seq)).ok().flatten()?;
    let waits = message.status == Status::Pending && message.last_error.is_none();
    waits.then_some(message)
}

fn ack(status: AckStatus, request_id: Option<Value>) -> Ack {
    Ack {
        status,
        request_id,
        message_id: None,
        message_status: None,
        session_id: None,
        cursor: None,
    }
}

/// An error of the command.
pub(super) fn error(text: impl Into<String>, request_id: Option<Value>) -> AnswerFrame {
    coded(text.into(), None, request_id)
}

/// The error of a message that could not be stored.
fn not_stored(why: &store::StoreError, request_id: Option<Value>) -> AnswerFrame {
    let code = match why {
        store::StoreError::Unavailable(_) | store::StoreError::Unknown(_) => "no_leader",
        _ => "internal",
    };
    coded(why.to_string(), Some(code), request_id)
}

/// The error that HTTP would return.
fn refused_by_http(why: &ErrorResponse, request_id: Option<Value>) -> AnswerFrame {
    let (error, code) = (why.text().to_owned(), why.code().map(Into::into));
    AnswerFrame::Error(event::ErrorAnswer { error, code, message_id: None, request_id })
}

fn coded(text: String, code: Option<&'static str>, request_id: Option<Value>) -> AnswerFrame {
    let code = code.or_else(|| (!is_literal(&text)).then_some("invalid")).map(Into::into);
    AnswerFrame::Error(event::ErrorAnswer { error: text, code, message_id: None, request_id })
}

/// The text and code of a refused subscription.
pub fn refused(refused: &SubscribeRefused) -> Coded {
    match refused {
        SubscribeRefused::TooManyTopics { limit } => {
            let text = format!(
                "`platforms` and `conversations` make more than {limit} topics for this session; use fewer, or \"*\""
            );
            (text, None)
        }
        SubscribeRefused::TooManyReplays => {
            ("too many replays at once; wait until one has caught up".into(), Some("unavailable"))
        }
        SubscribeRefused::CursorTooOld => {
            let text = "`cursor` is too old: events that came after it are not kept any more; load afresh, or go on with `since` from a message";
            (text.into(), Some(CURSOR_GONE))
        }
        SubscribeRefused::OtherStore => {
            let text = "`cursor` is of another store, or of an older copy of this one; load afresh";
            (text.into(), Some(CURSOR_GONE))
        }
        SubscribeRefused::BeyondHead { head } => {
            let text = format!(
                "`since` lies beyond the newest message, {head}: the store is another, or an older copy of it; load afresh"
            );
            (text, Some(CURSOR_GONE))
        }
        SubscribeRefused::Store(error) => (error.to_string(), Some("internal")),
    }
}
