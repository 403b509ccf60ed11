use super::*;
use crate::adapter::api::{AdapterEvent, EventSink, QueuedEvent, Settings};
use crate::adapter::context::Context;
use crate::adapter::recent::Recent;
use crate::adapter::registry::Registry;
use crate::adapter::wechat::ADAPTER;
use crate::adapter::wechat::api::{Api, ApiSession};
use crate::adapter::wechat::http::Http;
use crate::adapter::wechat::reply::ReplyState;
use crate::adapter::wechat::saved_state::{self, Login};
use crate::adapter::wechat::window::Windows;
use crate::model::content::Content;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// A platform that takes everything, and a disk.
struct Bench {
    url: String,
    /// The texts that the platform took.
    taken: Arc<Mutex<Vec<String>>>,
    events: EventSink,
    disk: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Bench {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (events, queue) = EventSink::new(10, 1_000_000);
        let (taken, disk) = (Arc::default(), Arc::default());
        tokio::spawn(take_all(listener, Arc::clone(&taken)));
        tokio::spawn(store_all(queue, Arc::clone(&disk)));
        let bench = Self { url, taken, events, disk };
        let login = Login {
            account: "a@im.bot".into(),
            user: "u".into(),
            base: bench.url.clone(),
            token: "t".into(),
            at: 1,
        };
        let reply = ReplyState { token: "c".into(), ..ReplyState::default() };
        let kept = [
            saved_state::keep_login("wechat", &login),
            saved_state::keep_reply("wechat", "a@im.bot", "private_u", reply),
        ];
        bench.disk.lock().unwrap().extend(kept.map(|kept| (kept.key, kept.value.unwrap())));
        bench
    }

    /// The account after a start: what it knows is what is on the disk.
    fn account(&self) -> RunningAccount {
        let disk = self.disk.lock().unwrap().clone();
        let (_, kept) =
            saved_state::read("wechat", disk.into_iter().collect()).pop_first().unwrap();
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        RunningAccount {
            session: ApiSession { base: self.url.clone(), token: "t".into() },
            login: kept.login,
            api: Api {
                http: Http::default(),
                max_bytes: 1_000_000,
                timeout: Duration::from_secs(30),
            },
            cdn: String::new(),
            max_text: 3,
            windows: Arc::new(Windows::new(kept.replies, None)),
            known: Recent::default(),
            settings: Arc::new(Settings::new(&ADAPTER.kind)),
            context: Context::new(
                self.events.clone(),
                Registry::new(),
                Arc::new(()),
                stop.clone(),
                tracker,
            ),
            stop,
            ended: Notify::new(),
            retry: Notify::new(),
            answering: TaskTracker::new(),
        }
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

/// Takes every message, and gives it an ID.
async fn take_all(listener: TcpListener, taken: Arc<Mutex<Vec<String>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let taken = Arc::clone(&taken);
        let answer = service_fn(move |request: Request<Incoming>| {
            let taken = Arc::clone(&taken);
            async move {
                let body = request.into_body().collect().await?.to_bytes();
                let body: Value = serde_json::from_slice(&body).unwrap();
                let text = body["msg"]["item_list"][0]["text_item"]["text"].as_str().unwrap();
                let mut taken = taken.lock().unwrap();
                taken.push(text.to_owned());
                let answer = json!({"ret": 0, "message_id": taken.len()}).to_string();
                Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from(answer))))
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

/// Stores what an adapter keeps, as the core does.
async fn store_all(
    mut queue: mpsc::Receiver<QueuedEvent>,
    disk: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
) {
    while let Some(queued) = queue.recv().await {
        if let (AdapterEvent::Batch { state, stored, .. }, _) = queued.split() {
            let state = state.into_iter().map(|kept| (kept.key, kept.value.unwrap()));
            disk.lock().unwrap().extend(state);
            stored.send(()).unwrap();
        }
    }
}

fn outbound(text: &str) -> Outbound {
    Outbound::new(Uuid::from_u128(1), "private_u", Content::text(text))
}

fn texts(texts: &[&str]) -> PrintedParts {
    PrintedParts::new(texts.iter().map(|&text| OutboundPart::Text(text.into())).collect())
}

/// The progress of a message after some of its parts.
fn after(all: &PrintedParts, parts: usize) -> PartProgress {
    let print = parts.checked_sub(1).map(|last| all.prints[last]);
    let parts = parts.try_into().unwrap();
    PartProgress { parts, print, ..begin(&outbound(""), None, all) }
}

#[tokio::test]
async fn parts_that_were_answered_go_out_once_though_the_outcome_was_lost_in_a_kill() {
    let bench = Bench::start().await;
    let message = outbound("abcdefghi");
    let sent = send(&bench.account(), message.clone()).await;
    let Delivery::Sent { external_id, .. } = &sent else { panic!("{sent:?}") };
    assert_eq!(send(&bench.account(), message.clone()).await, sent);
    assert_eq!(bench.taken(), ["abc", "def", "ghi"]);
    // It is recorded, and then somebody sends it again.
    let again = Outbound { sent_as: external_id.clone(), ..message };
    let sent_again = send(&bench.account(), again.clone()).await;
    assert_ne!(sent_again, sent);
    assert_eq!(send(&bench.account(), again).await, sent_again);
    assert_eq!(bench.taken(), ["abc", "def", "ghi", "abc", "def", "ghi"]);
}

#[test]
fn an_attempt_goes_on_behind_the_parts_that_went_out_unless_they_are_others_now() {
    let all = texts(&["abc", "def", "ghi"]);
    let gone = after(&all, 2);
    let begin = |now: &[&str]| begin(&outbound(""), Some(gone.clone()), &texts(now));
    for same in [&["abc", "def", "ghi"][..], &["abc", "def", "other"], &["abc", "def"]] {
        assert_eq!(begin(same), gone, "{same:?}");
    }
    for other in [&["abc", "deF", "ghi"][..], &["abcd", "ef"], &["abc"], &["ab", "cdef"]] {
        let anew = begin(other);
        assert_eq!((anew.parts, anew.restarts), (0, 1), "{other:?}");
        assert_ne!(part_name(&anew, 0), part_name(&gone, 0), "it is no second attempt");
    }
}

#[test]
fn a_message_is_sent_anew_only_if_the_parts_that_went_out_are_recorded_as_sent() {
    let all = texts(&["abc", "def"]);
    for (parts, external_id, sent_as, is_anew) in [
        (2, Some("1"), Some("1"), true),
        (2, None, Some(""), true),
        (2, Some("1"), None, false),
        (2, None, None, false),
        // They went out when it was sent again.
        (2, Some("2"), Some("1"), false),
        (1, Some("2"), Some("1"), false),
        (1, None, Some(""), false),
    ] {
        let message = Outbound { sent_as: sent_as.map(str::to_owned), ..outbound("") };
        let gone =
            PartProgress { external_id: external_id.map(str::to_owned), ..after(&all, parts) };
        let begun = begin(&message, Some(gone.clone()), &all);
        assert_eq!(begun != gone, is_anew, "{parts} {external_id:?} {sent_as:?}");
        assert_eq!(begun.restarts > 0, is_anew, "a server may take a name only once");
    }
}

#[test]
fn an_earlier_versions_progress_goes_on_by_number() {
    let all = texts(&["abc", "def"]);
    let gone = PartProgress { print: None, ..after(&all, 1) };
    assert_eq!(begin(&outbound(""), Some(gone.clone()), &all), gone);
}
