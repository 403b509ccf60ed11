//! The core's side of the adapters, with a listener for implementations that dial in.

use crate::onebot::DEADLINE;
use rechat::adapter::{
    AccountHandle, AdapterConfig, AdapterEvent, Adapters, Changes, Delivery, EventSink, Handshake,
    Inbound, Outbound, PartNoted, PlatformState, QueuedEvent, Registry, Socket, start,
};
use rechat::model::content::Content;
use rechat::model::message::MessageType;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// A message, and the ID of one of its parts.
pub type NotedPart = (Uuid, usize, Option<String>);

/// Stands in for the core.
pub struct Rechat {
    pub registry: Registry,
    pub changes: Changes,
    events: mpsc::Receiver<AdapterEvent>,
    /// The messages with a sent part, each with the part's ID.
    pub parts: Arc<Mutex<Vec<NotedPart>>>,
    /// The conversations that the core returns when asked.
    pub conversations: Vec<String>,
    /// The names of conversations that were reported.
    pub names: Vec<(String, String)>,
    /// Messages that were confirmed after their time limit.
    pub confirmed_late: Vec<Uuid>,
    /// All other reported events, in order.
    pub told: Vec<AdapterEvent>,
    stop: CancellationToken,
    tracker: TaskTracker,
    address: String,
}

impl Rechat {
    /// Starts adapters from their configuration, an entry each.
    pub async fn start(entries: &[String]) -> Self {
        let configs: Vec<AdapterConfig> =
            entries.iter().map(|entry| toml::from_str(entry).unwrap()).collect();
        let (core, queue) = EventSink::new(64, 1 << 24);
        let parts = Arc::default();
        let events = without_parts(queue, Arc::clone(&parts));
        let registry = Registry::new();
        let changes = registry.changes();
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let adapters =
            start(configs, core, registry.clone(), Arc::new(()), stop.clone(), tracker.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(accept_all(listener, adapters.clone(), tracker.clone()));
        let (conversations, names, confirmed_late) = (Vec::new(), Vec::new(), Vec::new());
        let told = Vec::new();
        Self {
            registry,
            changes,
            events,
            parts,
            conversations,
            names,
            confirmed_late,
            told,
            stop,
            tracker,
            address,
        }
    }

    /// The address for connections.
    pub fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// The next message; meanwhile answers the questions of the adapters, and keeps their other
    /// events.
    pub async fn message(&mut self) -> Inbound {
        let next = async {
            loop {
                if let Some(message) = self.take().await {
                    return message;
                }
            }
        };
        timeout(DEADLINE, next).await.expect("no message came")
    }

    /// Waits until the name of a conversation was reported.
    pub async fn named(&mut self, conversation: &str) -> String {
        let next = async {
            loop {
                if let Some((_, name)) = self.names.iter().find(|(known, _)| known == conversation)
                {
                    return name.clone();
                }
                if let Some(message) = self.take().await {
                    panic!("an unexpected message: {message:?}");
                }
            }
        };
        timeout(DEADLINE, next).await.expect("no name came")
    }

    /// The next event that is neither a message nor a name.
    pub async fn event(&mut self) -> AdapterEvent {
        let next = async {
            while self.told.is_empty() {
                if let Some(message) = self.take().await {
                    panic!("an unexpected message: {message:?}");
                }
            }
            self.told.remove(0)
        };
        timeout(DEADLINE, next).await.expect("nothing was told")
    }

    /// Takes one event; a message is returned.
    async fn take(&mut self) -> Option<Inbound> {
        let event = match self.events.recv().await.expect("the adapters live") {
            // The event with the same meaning, in rechat's own form.
            AdapterEvent::RawEvent { meaning: Some(meaning), .. } => *meaning,
            AdapterEvent::RawEvent { meaning: None, .. } => return None,
            event => event,
        };
        match event {
            AdapterEvent::Message(message) => return Some(*message),
            AdapterEvent::Named { conversation, name, .. } => self.names.push((conversation, name)),
            AdapterEvent::ConfirmedLate { message, .. } => self.confirmed_late.push(message),
            AdapterEvent::Conversations { answer, .. } => {
                drop(answer.send(self.conversations.clone()))
            }
            AdapterEvent::Remembered { answer, .. } => drop(answer.send(Vec::new())),
            told => self.told.push(told),
        }
        None
    }

    /// Waits for the next change of state; `account: State`.
    pub async fn change(&mut self) -> (String, PlatformState, String) {
        let change = timeout(DEADLINE, self.changes.next()).await.expect("no change came");
        let account = change.account.unwrap_or_else(|| "-".into());
        (account, change.state, change.reason.unwrap_or_default())
    }

    /// Waits until an account is in a state, and returns the reason.
    pub async fn until(&mut self, account: &str, state: PlatformState) -> String {
        loop {
            let (changed, now, reason) = self.change().await;
            if changed == account && now == state {
                return reason;
            }
        }
    }

    /// The handle of a platform, once there is one.
    pub async fn handle(&self, platform: &str) -> AccountHandle {
        let wait = async {
            loop {
                if let Some(handle) = self.registry.handle(platform, None) {
                    return handle;
                }
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(DEADLINE, wait).await.expect("nothing is connected")
    }

    /// Sends a text through any connected account.
    pub async fn send(&self, platform: &str, conversation: &str, text: &str) -> Delivery {
        let handle = self.handle(platform).await;
        timeout(DEADLINE, handle.send(text_to(conversation, text))).await.expect("no delivery came")
    }

    /// Stops the adapters and waits until all their work has ended.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tracker.close();
        timeout(DEADLINE, self.tracker.wait()).await.expect("something did not stop");
    }
}

/// The events of adapters except sent parts, which are confirmed here because an adapter waits
/// until each part is stored.
fn without_parts(
    mut queue: mpsc::Receiver<QueuedEvent>,
    parts: Arc<Mutex<Vec<NotedPart>>>,
) -> mpsc::Receiver<AdapterEvent> {
    let (others, events) = mpsc::channel(1024);
    tokio::spawn(async move {
        while let Some(event) = queue.recv().await {
            match event.split().0 {
                AdapterEvent::PartSent { message, index, external_id, noted } => {
                    parts.lock().unwrap().push((message, index, external_id));
                    let _ = noted.send(PartNoted::Stored);
                }
                event => {
                    if others.send(event).await.is_err() {
                        return;
                    }
                }
            }
        }
    });
    events
}

pub fn outbound(conversation: &str, message_type: MessageType, content: &str) -> Outbound {
    Outbound {
        may_be_sent_since: 1_700_000_000,
        ..Outbound::new(
            Uuid::new_v4(),
            conversation,
            Content::of_type(message_type, content.into()),
        )
    }
}

pub fn text_to(conversation: &str, text: &str) -> Outbound {
    outbound(conversation, MessageType::Text, text)
}

/// Accepts implementations at the endpoints, as the server does.
async fn accept_all(listener: TcpListener, adapters: Adapters, tracker: TaskTracker) {
    while let Ok((stream, _)) = listener.accept().await {
        tracker.spawn(accept(stream, adapters.clone()));
    }
}

async fn accept(stream: TcpStream, adapters: Adapters) {
    // The limits are the same at every endpoint of a test.
    let config = adapters.endpoint("/onebot/v11/ws").expect("an endpoint").config();
    let mut handshake = Handshake::default();
    #[allow(clippy::result_large_err, reason = "the form tungstenite wants")]
    let look = |request: &Request, mut response: Response| {
        request.uri().path().clone_into(&mut handshake.path);
        let query = request.uri().query().unwrap_or_default().split('&');
        let pair = |pair: &str| pair.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
        handshake.query = query.filter_map(pair).collect();
        handshake.headers = request.headers().clone();
        if let Some(protocol) = request.headers().get("sec-websocket-protocol") {
            response.headers_mut().insert("sec-websocket-protocol", protocol.clone());
        }
        Ok(response)
    };
    if let Ok(stream) = accept_hdr_async_with_config(stream, look, Some(config)).await {
        let endpoint = adapters.endpoint(&handshake.path).expect("an endpoint");
        // The server answers with a 400; here the connection just ends.
        if endpoint.check(&handshake).is_ok() {
            endpoint.accept(handshake, Socket::new(stream)).await;
        }
    }
}
