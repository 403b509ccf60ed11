//! Answering the core's requests, several at a time.

use super::answer::ActionResponse;
use super::call::NoAnswer;
use super::late_calls::SendCall;
use crate::adapter::api::{
    AccountRequest, Action, ActionError, AdapterEvent, Delivery, EventSink, FileTransfer,
    ForwardOf, Found, MediaOf, MediaSource, Outbound, ReadMedia, with_media,
};
use crate::adapter::transport::ConnectionEnd;
use crate::health::watched;
use crate::model::content::ForwardItem;
use crate::protocol::http::GroupMembers;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::value::RawValue;
use std::future::ready;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Requests of one account under way at once.
const MAX_UNDER_WAY: usize = 32;

/// Actions of others under way at once, beside those: they may take long.
const MAX_CALLS: usize = 128;

/// Answers the core's requests to one account.
pub(in crate::adapter::onebot) trait RequestHandler {
    /// The folder of media as the implementation sees it.
    fn media_folder(&self) -> Option<&str>;
    fn send(&self, message: Outbound) -> impl Future<Output = Delivery> + Send;
    fn find(&self, message: Outbound) -> impl Future<Output = Found> + Send;
    fn open_forward(
        &self,
        forward: ForwardOf,
    ) -> impl Future<Output = Result<Vec<ForwardItem>, ActionError>> + Send;
    fn find_media(
        &self,
        media: MediaOf,
    ) -> impl Future<Output = Result<MediaSource, ActionError>> + Send;
    fn members(
        &self,
        conversation: String,
    ) -> impl Future<Output = Result<GroupMembers, ActionError>> + Send;
    fn act(&self, action: Action) -> impl Future<Output = Result<(), ActionError>> + Send;

    /// Calls an action by its own name.
    #[expect(clippy::boxed_local, reason = "those that can call it keep it")]
    fn call_through(
        &self,
        _action: String,
        _params: Box<RawValue>,
    ) -> impl Future<Output = Result<String, ActionError>> + Send {
        ready(Err(ActionError::Unsupported))
    }
}

/// Answers requests until the connection has `ended`, then those that are left.
pub(in crate::adapter::onebot) async fn answer(
    handler: impl RequestHandler,
    mut requests: mpsc::Receiver<AccountRequest>,
    media: Arc<dyn ReadMedia>,
    ended: CancellationToken,
) {
    let mut under_way = FuturesUnordered::new();
    let mut calls = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(_) = under_way.next() => {}
            Some(_) = calls.next() => {}
            // Once closed, the queue gives what it holds and then None.
            () = ended.cancelled(), if !requests.is_closed() => requests.close(),
            request = requests.recv(), if under_way.len() < MAX_UNDER_WAY => match request {
                Some(AccountRequest::Call { answer, .. }) if calls.len() >= MAX_CALLS => {
                    let busy = "too many actions are under way; try again later";
                    let _ = answer.send(Err(ActionError::Refused(busy.into())));
                }
                Some(request @ AccountRequest::Call { .. }) => {
                    calls.push(watched("adapter requests", answer_one(&handler, &media, request)));
                }
                // One that panics is not answered, and the others are.
                Some(request) => under_way
                    .push(watched("adapter requests", answer_one(&handler, &media, request))),
                None => break,
            },
        }
    }
    while under_way.next().await.is_some() {}
    while calls.next().await.is_some() {}
}

/// The event for an answer that came after its attempt's time limit. A confirmation ends the doubt; a
/// refusal does where that attempt was the only one, which the store knows.
pub(in crate::adapter::onebot) fn late(call: SendCall, delivery: Delivery) -> Option<AdapterEvent> {
    let SendCall { message, account, .. } = call;
    match delivery {
        Delivery::Sent { external_id, is_unconfirmed } => {
            Some(AdapterEvent::ConfirmedLate { message, account, external_id, is_unconfirmed })
        }
        Delivery::Closed => None,
        Delivery::Refused { reason, retryable } => {
            Some(AdapterEvent::RefusedLate { message, reason, retryable })
        }
        Delivery::Unknown { reason } => {
            tracing::info!(%message, reason, "an attempt was answered after its time limit");
            None
        }
    }
}

/// The outcome of a sending action, from its answer or the lack of one; `refusal` tells what an
/// answer means that refuses.
pub(in crate::adapter::onebot) fn delivery(
    answer: Result<ActionResponse, NoAnswer>,
    refusal: impl FnOnce(&ActionResponse) -> Delivery,
) -> Delivery {
    match answer {
        Ok(answer) if answer.is_too_large() => Delivery::Unknown { reason: answer.text },
        Ok(answer) if answer.is_accepted() => {
            Delivery::Sent { external_id: answer.message_id(), is_unconfirmed: answer.is_async() }
        }
        Ok(answer) => refusal(&answer),
        Err(not_sent @ (NoAnswer::NotSent(_) | NoAnswer::Busy)) => {
            Delivery::Refused { reason: not_sent.to_string(), retryable: true }
        }
        Err(refused @ NoAnswer::TooLarge) => {
            Delivery::Refused { reason: refused.to_string(), retryable: false }
        }
        Err(lost @ (NoAnswer::Silent(_) | NoAnswer::Lost | NoAnswer::AnswerTooLarge)) => {
            Delivery::Unknown { reason: lost.to_string() }
        }
    }
}

/// How an action ended, by its answer or the lack of one; `is_unknown` tells the retcodes by which an
/// implementation says that it has no such action.
pub(in crate::adapter::onebot) fn done(
    answer: Result<ActionResponse, NoAnswer>,
    is_unknown: impl Fn(i64) -> bool,
) -> Result<(), ActionError> {
    accepted(answer, is_unknown).map(|_| ())
}

/// The same, with the answer where the action was carried out.
pub(in crate::adapter::onebot) fn accepted(
    answer: Result<ActionResponse, NoAnswer>,
    is_unknown: impl Fn(i64) -> bool,
) -> Result<ActionResponse, ActionError> {
    match answer {
        Ok(answer) if answer.is_accepted() => Ok(answer),
        Ok(answer) if is_unknown(answer.retcode) => Err(ActionError::Unsupported),
        Ok(answer) => Err(ActionError::Refused(answer.reason())),
        Err(NoAnswer::NotSent(_)) => Err(ActionError::NotConnected),
        Err(busy @ NoAnswer::Busy) => Err(ActionError::Refused(busy.to_string())),
        Err(lost) => Err(ActionError::Unknown(lost.to_string())),
    }
}

/// The first of these fields of an answer that is a name; `None` where there is none. After an error
/// it can be asked for again.
pub(in crate::adapter::onebot) fn name_in(
    answer: Result<ActionResponse, NoAnswer>,
    fields: &[&str],
    is_unknown: impl Fn(i64) -> bool,
) -> Result<Option<String>, ActionError> {
    match accepted(answer, is_unknown) {
        Ok(answer) => {
            let named = |field: &&str| answer.field(field)?.text().map(str::to_owned);
            Ok(fields.iter().filter_map(named).find(|name| !name.trim().is_empty()))
        }
        Err(ActionError::Unsupported) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reports an event, if there is one.
pub(in crate::adapter::onebot) async fn report(
    events: &EventSink,
    event: Option<AdapterEvent>,
) -> Result<(), ConnectionEnd> {
    let Some(event) = event else { return Ok(()) };
    if events.report(event).await { Ok(()) } else { Err(ConnectionEnd::lost("rechat is stopping")) }
}

/// The asker may have gone; then the answer is dropped.
async fn answer_one(
    handler: &impl RequestHandler,
    media: &Arc<dyn ReadMedia>,
    request: AccountRequest,
) {
    match request {
        AccountRequest::Send { message, answer } => {
            let ways = FileTransfer { folder: handler.media_folder(), fetches: true };
            let delivery = match with_media(message, media, ways).await {
                Ok(message) => handler.send(message).await,
                Err(reason) => Delivery::Refused { reason, retryable: false },
            };
            let _ = answer.send(delivery);
        }
        AccountRequest::Find { message, answer } => {
            // With its media in reach it has the same parts as the attempt in doubt.
            let ways = FileTransfer { folder: handler.media_folder(), fetches: true };
            let found = match with_media(message, media, ways).await {
                Ok(message) => handler.find(message).await,
                Err(_) => Found::CannotTell,
            };
            let _ = answer.send(found);
        }
        AccountRequest::OpenForward { forward, answer } => {
            let _ = answer.send(handler.open_forward(forward).await);
        }
        AccountRequest::FindMedia { media, answer } => {
            let _ = answer.send(handler.find_media(media).await);
        }
        AccountRequest::Members { conversation, answer } => {
            let _ = answer.send(handler.members(conversation).await);
        }
        AccountRequest::Act { action, answer } => {
            let _ = answer.send(handler.act(action).await);
        }
        AccountRequest::Call { action, params, answer } => {
            let _ = answer.send(handler.call_through(action, params).await);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_late_answer_proves_no_more_than_one_in_time() {
        for is_unconfirmed in [false, true] {
            let delivery = Delivery::Sent { external_id: None, is_unconfirmed };
            let told = late(SendCall { message: Uuid::nil(), account: None, part: None }, delivery);
            let Some(AdapterEvent::ConfirmedLate { is_unconfirmed: told, .. }) = told else {
                panic!("{told:?}")
            };
            assert_eq!(told, is_unconfirmed);
        }
    }
}
