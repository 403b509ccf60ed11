//! Loopback: accepts everything, messages and actions, and answers with the same if asked to. For
//! trying things out.

use super::api::{
    AccountRequest, ActionError, AdapterEvent, ConfigKey, Delivery, Found, Kind, Outbound, Settings,
};
use super::context::Context;
use super::definition::{Adapter, ServeStandalone, Service, read_own};
use super::registry::{ConfiguredEntry, NewConnection};
use super::transport::Running;
use crate::clock::now;
use crate::model::inbound::{AlikeEntries, Inbound};
use crate::model::message::{ReplyTo, Sender, excerpt};
use crate::protocol::platform::PlatformState;
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

pub(super) static ADAPTER: Adapter = Adapter {
    kind: Kind {
        name: "loopback",
        title: "Loopback",
        platform: "loopback",
        paths: &[],
        addresses: |_| true,
        resolve: |recipient, _| Ok(recipient.to_owned()),
        is_fallback: true,
        loses_media: false,
        advice: "the log of the server has the details",
        keys: &[ConfigKey::new(
            "echo",
            "boolean",
            "false",
            "true",
            "answers each message with the same one",
        )],
    },
    logs_in: false,
    configure: |own| Ok(Service::Standalone(Arc::new(read_own::<Loopback>(own)?))),
};

/// The settings of loopback's own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Loopback {
    /// Whether each message is answered with the same one.
    echo: bool,
}

/// The name of the one account.
const ACCOUNT: &str = "loopback";

impl ServeStandalone for Loopback {
    fn run(
        self: Arc<Self>,
        settings: Arc<Settings>,
        entry: Option<ConfiguredEntry>,
        context: Context,
    ) -> Running<()> {
        Box::pin(async move { self.serve(&settings, entry.as_ref(), &context).await })
    }
}

impl Loopback {
    async fn serve(
        &self,
        settings: &Arc<Settings>,
        entry: Option<&ConfiguredEntry>,
        context: &Context,
    ) {
        let platform = settings.platform();
        let (registration, mut requests) = context.registry.connect_for_requests(&NewConnection {
            settings: Arc::clone(settings),
            platform,
            account: Some(ACCOUNT),
            entry,
            offline: None,
            window: None,
        });
        while let Some(Some(request)) = context.stop.run_until_cancelled(requests.recv()).await {
            match request {
                AccountRequest::Send { message, answer } => {
                    // The asker may have gone.
                    let _ = answer.send(Delivery::Sent {
                        external_id: Some(new_id()),
                        is_unconfirmed: false,
                    });
                    if self.echo && !echo(platform, message, context).await {
                        break;
                    }
                }
                AccountRequest::OpenForward { answer, .. } => {
                    let _ = answer.send(Err(ActionError::Unsupported));
                }
                AccountRequest::FindMedia { answer, .. } => {
                    drop(answer.send(Err(ActionError::Unsupported)));
                }
                AccountRequest::Members { answer, .. } => {
                    drop(answer.send(Err(ActionError::Unsupported)));
                }
                AccountRequest::Act { answer, .. } => {
                    let _ = answer.send(Ok(()));
                }
                AccountRequest::Call { answer, .. } => {
                    let _ = answer.send(Err(ActionError::Unsupported));
                }
                AccountRequest::Find { answer, .. } => {
                    let _ = answer.send(Found::CannotTell);
                }
            }
        }
        registration.end(PlatformState::Disconnected, "rechat is stopping");
    }
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

/// Reports an answer that says the same; false once the core has stopped.
async fn echo(platform: &str, message: Outbound, context: &Context) -> bool {
    let inbound = Inbound {
        platform: platform.to_owned(),
        account: ACCOUNT.into(),
        conversation: message.conversation,
        conversation_name: None,
        sender: Sender { id: "echo".into(), name: "Echo".into() },
        reply_to: Some(Box::new(ReplyTo {
            id: Some(message.id),
            content: Some(excerpt(&message.content.readable())),
            ..ReplyTo::default()
        })),
        content: message.content,
        external_id: new_id(),
        time: now(),
        own: false,
        from_history: false,
        alike: AlikeEntries::default(),
        clock_ahead: None,
        original: None,
        fingerprint: None,
    };
    let reported = context.events.report(AdapterEvent::Message(Box::new(inbound)));
    context.stop.run_until_cancelled(reported).await.unwrap_or(false)
}
