//! Loopback: accepts everything, and answers with the same if asked to. For trying things out.

use super::kind::{Kind, Run, Running};
use super::registry::{Arrival, Seat};
use super::{Context, Delivery, Event, Found, Inbound, Outbound, Request, Settings, State};
use crate::clock::now;
use crate::model::message::Sender;
use std::sync::Arc;
use uuid::Uuid;

pub(super) static KIND: Kind = Kind {
    name: "loopback",
    platform: "loopback",
    mounts: &[],
    addresses: |_| true,
    resolve: |recipient, _| Ok(recipient.to_owned()),
    is_fallback: true,
    run: Run::Alone(run),
};

/// The name of the one account.
const ACCOUNT: &str = "loopback";

fn run(settings: Arc<Settings>, seat: Seat, context: Context) -> Running<()> {
    Box::pin(async move {
        let platform = settings.platform().to_owned();
        let arrival = Arrival {
            settings: Arc::clone(&settings),
            platform: &platform,
            account: Some(ACCOUNT),
            seat: Some(&seat),
            offline: None,
        };
        let (registration, mut requests) = context.registry.connect_for_requests(&arrival);
        loop {
            let request = tokio::select! {
                () = context.stop.cancelled() => break,
                request = requests.recv() => request,
            };
            match request {
                Some(Request::Send { message, answer }) => {
                    // Whoever asked may have gone.
                    let _ = answer.send(Delivery::Sent { external_id: Some(new_id()) });
                    if settings.echo && !echo(&platform, message, &context).await {
                        break;
                    }
                }
                Some(Request::Find { answer, .. }) => {
                    let _ = answer.send(Found::CannotTell);
                }
                None => break,
            }
        }
        registration.end(State::Disconnected, "rechat is stopping");
    })
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

/// Lets the message come back; false once nobody takes it any more.
async fn echo(platform: &str, message: Outbound, context: &Context) -> bool {
    let inbound = Inbound {
        platform: platform.to_owned(),
        account: ACCOUNT.into(),
        conversation: message.conversation,
        conversation_name: None,
        sender: Sender { id: "echo".into(), name: "Echo".into() },
        message_type: message.message_type,
        content: message.content,
        external_id: new_id(),
        time: now(),
        own: false,
        from_history: false,
        original: None,
    };
    tokio::select! {
        () = context.stop.cancelled() => false,
        sent = context.core.send(Event::Message(Box::new(inbound))) => sent.is_ok(),
    }
}
