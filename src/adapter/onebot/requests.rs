//! Answering the core's requests, several at a time.

use crate::adapter::kind::End;
use crate::adapter::{Delivery, Event, EventSink, Found, Outbound, Request};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Requests of one account under way at once.
const AT_ONCE: usize = 32;

/// What can answer a request.
pub(in crate::adapter) trait Courier {
    fn send(&self, message: Outbound) -> impl Future<Output = Delivery> + Send;
    fn find(&self, message: Outbound) -> impl Future<Output = Found> + Send;
}

/// Answers requests until the connection has `ended`, then those that are left.
pub(in crate::adapter) async fn answer(
    courier: impl Courier,
    mut requests: mpsc::Receiver<Request>,
    ended: CancellationToken,
) {
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(()) = under_way.next() => {}
            // Once closed, the queue gives what it holds and then None.
            () = ended.cancelled(), if !requests.is_closed() => requests.close(),
            request = requests.recv(), if under_way.len() < AT_ONCE => match request {
                Some(request) => under_way.push(answer_one(&courier, request)),
                None => break,
            },
        }
    }
    while under_way.next().await.is_some() {}
}

/// The event for an answer that came after its attempt's time limit. Only a confirmation ends the
/// doubt: of several attempts, a refusal tells nothing about the others.
pub(in crate::adapter) fn late(
    message: Uuid,
    account: Option<String>,
    delivery: Delivery,
) -> Option<Event> {
    match delivery {
        Delivery::Sent { external_id } => {
            Some(Event::ConfirmedLate { message, account, external_id })
        }
        Delivery::Refused { reason, .. } | Delivery::Unknown { reason } => {
            tracing::info!(%message, reason, "an attempt was answered after its time limit");
            None
        }
    }
}

/// Reports an event, if there is one.
pub(in crate::adapter) async fn report(core: &EventSink, event: Option<Event>) -> Result<(), End> {
    let Some(event) = event else { return Ok(()) };
    core.send(event).await.map_err(|_| End::lost("rechat is stopping"))
}

/// Whoever asked may have gone; then the answer goes nowhere.
async fn answer_one(courier: &impl Courier, request: Request) {
    match request {
        Request::Send { message, answer } => {
            let _ = answer.send(courier.send(message).await);
        }
        Request::Find { message, answer } => {
            let _ = answer.send(courier.find(message).await);
        }
    }
}
