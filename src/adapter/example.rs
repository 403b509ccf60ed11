//! The example of docs/architecture.md: an adapter that appends each message to a file.

use super::api::{AccountRequest, ActionError, ConfigKey, Delivery, Found, Kind, Settings};
use super::context::Context;
use super::definition::{Adapter, ServeStandalone, Service, read_own};
use super::registry::{ConfiguredEntry, NewConnection};
use super::transport::Running;
use crate::protocol::platform::PlatformState;
use serde::Deserialize;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

pub(super) static ADAPTER: Adapter = Adapter {
    kind: Kind {
        name: "notebook",
        title: "Notebook",
        platform: "notebook",
        paths: &[],
        addresses: |recipient| !recipient.contains('/'),
        resolve: |recipient, _is_known| Ok(recipient.to_owned()),
        is_fallback: false,
        loses_media: false,
        advice: "see whether the disk is full",
        keys: &[ConfigKey::new(
            "file",
            "path",
            "",
            "\"/var/log/chat\"",
            "the file that messages are appended to",
        )],
    },
    logs_in: false,
    configure: |own| Ok(Service::Standalone(Arc::new(read_own::<Notebook>(own)?))),
};

/// Settings of this kind alone: the keys of its `[[adapter]]` entry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notebook {
    /// The file that messages are appended to.
    file: PathBuf,
}

impl ServeStandalone for Notebook {
    fn run(
        self: Arc<Self>,
        settings: Arc<Settings>,
        entry: Option<ConfiguredEntry>,
        context: Context,
    ) -> Running<()> {
        Box::pin(async move { self.serve(settings, entry.as_ref(), &context).await })
    }
}

impl Notebook {
    async fn serve(
        &self,
        settings: Arc<Settings>,
        entry: Option<&ConfiguredEntry>,
        context: &Context,
    ) {
        let platform = settings.platform().to_owned();
        let (registration, mut requests) = context.registry.connect_for_requests(&NewConnection {
            settings,
            platform: &platform,
            account: Some("writer"),
            entry,
            offline: None,
            window: None,
        });
        while let Some(Some(request)) = context.stop.run_until_cancelled(requests.recv()).await {
            match request {
                AccountRequest::Send { message, answer } => {
                    let line =
                        format!("{}: {}\n", message.conversation, message.content.readable());
                    let _ = answer.send(self.append(&line));
                }
                // A file has no history: the outbox then goes by `on_unknown`.
                AccountRequest::Find { answer, .. } => drop(answer.send(Found::CannotTell)),
                AccountRequest::OpenForward { answer, .. } => {
                    drop(answer.send(Err(ActionError::Unsupported)));
                }
                AccountRequest::FindMedia { answer, .. } => {
                    drop(answer.send(Err(ActionError::Unsupported)));
                }
                AccountRequest::Members { answer, .. } => {
                    drop(answer.send(Err(ActionError::Unsupported)));
                }
                AccountRequest::Act { answer, .. } => {
                    drop(answer.send(Err(ActionError::Unsupported)))
                }
                AccountRequest::Call { answer, .. } => {
                    drop(answer.send(Err(ActionError::Unsupported)))
                }
            }
        }
        registration.end(PlatformState::Disconnected, "rechat is stopping");
    }

    /// Tells only what is proved: an error before writing is a refusal, one while writing leaves
    /// the outcome unknown.
    fn append(&self, line: &str) -> Delivery {
        let mut file = match OpenOptions::new().create(true).append(true).open(&self.file) {
            Ok(file) => file,
            Err(error) => {
                return Delivery::Refused { reason: error.to_string(), retryable: true };
            }
        };
        match file.write_all(line.as_bytes()) {
            Ok(()) => Delivery::Sent { external_id: None, is_unconfirmed: false },
            Err(error) => Delivery::Unknown { reason: error.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::{EventSink, OwnSettings};
    use super::super::registry::Registry;
    use super::super::start::start;
    use super::super::{AdapterConfig, Outbound};
    use super::*;
    use tokio_util::sync::CancellationToken;
    use tokio_util::task::TaskTracker;
    use uuid::Uuid;

    fn config(file: &std::path::Path) -> AdapterConfig {
        let mut own = OwnSettings::new();
        own.insert("file".into(), file.to_str().unwrap().into());
        let service = (ADAPTER.configure)(own).unwrap();
        AdapterConfig { settings: Arc::new(Settings::new(&ADAPTER.kind)), service }
    }

    #[tokio::test]
    async fn the_example_writes_messages_down() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes");
        let (registry, stop, tracker) =
            (Registry::new(), CancellationToken::new(), TaskTracker::new());
        let (events, _queue) = EventSink::new(1, 1);
        let mut handles = registry.handles_changed();
        let configs = vec![config(&file)];
        start(configs, events, registry.clone(), Arc::new(()), stop.clone(), tracker.clone());
        let handle = loop {
            if let Some(handle) = registry.handle("notebook", None) {
                break handle;
            }
            handles.changed().await.unwrap();
        };
        let message = Outbound::new(Uuid::new_v4(), "shopping", "bread".into());
        let delivery = handle.send(message.clone()).await;
        assert_eq!(delivery, Delivery::Sent { external_id: None, is_unconfirmed: false });
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "shopping: bread\n");
        assert_eq!(handle.find(message).await, Found::CannotTell);
        stop.cancel();
        tracker.close();
        tracker.wait().await;
    }

    #[test]
    fn its_settings_are_its_own_and_checked() {
        let error = (ADAPTER.configure)(OwnSettings::new()).unwrap_err();
        assert!(error.contains("file"), "{error}");
    }
}
