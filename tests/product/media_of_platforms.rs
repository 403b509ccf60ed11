//! Media that are requested from platforms, and the ways in which media are sent to platforms.

use crate::media::{Host, PNG, PRIVATE, bytes, dialled, inbound, picture, request, upload, with};
use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{headers, willing};
use crate::onebot12;
use crate::server::{TestServer, eventually};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

/// The bytes of a 90 MB video; the first tell what it is.
const LARGE: u64 = 90 << 20;

/// An implementation of OneBot 11 that answers some actions as a test wants.
async fn dialled_with(
    server: &TestServer,
    answer: impl Fn(&Value) -> Option<Value> + Send + Sync + 'static,
) -> Peer {
    let willing = willing();
    let script: Script = Arc::new(move |action| match answer(action) {
        Some(data) => Reply::ok(data),
        None => willing(action),
    });
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    Peer::dial(&url, &headers("1", "Universal"), script).await.unwrap()
}

/// The first segment of the newest message, once its media is here.
fn kept_segment(server: &TestServer) -> Value {
    eventually("its media is here", || {
        let segment = inbound(server).first()?["segments"][0].clone();
        segment["media"].is_string().then_some(segment)
    })
}

fn content_of(server: &TestServer, segment: &Value) -> Vec<u8> {
    let media = segment["media"].as_str().unwrap();
    bytes(request(server, "GET", &format!("/api/media/{media}"), &[]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_whose_link_died_is_asked_for() {
    let (server, host) = (with(PRIVATE), Host::new());
    let base64 = BASE64_STANDARD.encode(PNG);
    let peer = dialled_with(&server, move |action| {
        (action["action"] == "get_image")
            .then(|| json!({"file": "/app/cache/x.png", "base64": base64}))
    })
    .await;
    peer.push(&picture(1, &host.url("expired.png")));
    assert_eq!(content_of(&server, &kept_segment(&server)), PNG);
    assert_eq!(peer.action("get_image").await["params"]["file"], "x.png");
    // Without any address.
    let mut event = picture(2, "");
    event["message"] = json!([{"type": "image", "data": {"file": "only-a-name.png"}}]);
    peer.push(&event);
    assert_eq!(peer.action("get_image").await["params"]["file"], "only-a-name.png");
    eventually("both are here", || {
        inbound(&server).iter().all(|one| one["segments"][0]["media"].is_string()).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_come_inside_a_message_are_kept_at_once() {
    let server = with("media.fetch = []\n");
    let peer = dialled_with(&server, |_| None).await;
    let base64 = BASE64_STANDARD.encode(PNG);
    for (id, data) in [
        (1, json!({"file": format!("base64://{base64}")})),
        (2, json!({"file": "a.png", "url": format!("base64://{base64}")})),
        (3, json!({"file": "a.png", "url": format!("data:image/png;base64,{base64}")})),
    ] {
        let mut event = picture(id, "");
        event["message"] = json!([{"type": "image", "data": data}]);
        peer.push(&event);
        let came = eventually("it came in", || {
            let all = inbound(&server);
            (all.len() == usize::try_from(id).unwrap()).then(|| all[0].clone())
        });
        let segment = &came["segments"][0];
        assert_eq!(content_of(&server, segment), PNG, "{came}");
        assert_eq!((&segment["url"], &segment["mime"]), (&Value::Null, &json!("image/png")));
        assert!(!came["content"].as_str().unwrap().contains("base64"), "{came}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_itself_tells_a_new_address() {
    let (server, host) = (with(PRIVATE), Host::new());
    let fresh = host.url("fresh.png");
    let peer = dialled_with(&server, move |action| {
        let image = json!({"type": "image", "data": {"file": "x.png", "url": fresh}});
        (action["action"] == "get_msg").then(|| json!({"message_id": 1, "message": [image]}))
    })
    .await;
    peer.push(&picture(1, &host.url("gone.png")));
    assert_eq!(content_of(&server, &kept_segment(&server)), PNG);
    // Where the platform leads is as suspect as what people send.
    let peer = dialled_with(&server, |action| {
        (action["action"] == "get_image").then(|| json!({"url": "http://127.0.0.2:1/"}))
    })
    .await;
    peer.push(&picture(2, &host.url("gone.png")));
    peer.action("get_image").await;
    let id = eventually("it came in", || {
        let newest = inbound(&server).first()?.clone();
        newest["segments"][0]["media"].is_null().then(|| newest["id"].clone())
    });
    let path = format!("/api/messages/{}/media", id.as_str().unwrap());
    let (status, failed) = server.ask("POST", &path, None);
    assert_eq!((status, &failed["code"]), (502, &json!("not_fetched")));
    assert!(failed["error"].as_str().unwrap().contains("private network"), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_group_is_asked_for_by_its_id() {
    let (server, host) = (with(PRIVATE), Host::new());
    let url = host.url("plan.pdf");
    let peer = dialled_with(&server, move |action| {
        (action["action"] == "get_group_file_url").then(|| json!({ "url": url }))
    })
    .await;
    let mut event = picture(1, "");
    let data = json!({"file": "plan.pdf", "file_id": "/f-1", "busid": 102, "file_size": "5"});
    event["message"] = json!([{"type": "file", "data": data}]);
    peer.push(&event);
    let id = eventually("it came in", || Some(inbound(&server).first()?["id"].clone()));
    let path = format!("/api/messages/{}/media", id.as_str().unwrap());
    let (status, message) = server.ask("POST", &path, None);
    assert_eq!(status, 200, "{message}");
    let segment = &message["segments"][0];
    assert_eq!((&segment["name"], &segment["size"]), (&json!("plan.pdf"), &json!(PNG.len())));
    let asked = peer.action("get_group_file_url").await["params"].clone();
    assert_eq!(asked, json!({"group_id": 7, "file_id": "/f-1", "busid": 102}));
}

#[tokio::test(flavor = "multi_thread")]
async fn onebot_12_gives_and_takes_files_by_their_ids() {
    let server = with("");
    let bot = ("qq", "1");
    let base64 = BASE64_STANDARD.encode(PNG);
    let willing = onebot12::willing();
    let script: Script =
        Arc::new(move |action| match (action["action"].as_str().unwrap(), &action["params"]) {
            ("get_file", params) if params["type"] == "data" => {
                Reply::ok(json!({"name": "a.png", "data": base64}))
            }
            ("get_file", _) => Reply::refused(10_003, "no such type"),
            ("upload_file_fragmented", params) if params["stage"] == "finish" => {
                Reply::ok(json!({"file_id": "whole"}))
            }
            ("upload_file_fragmented", params) if params["stage"] == "prepare" => {
                Reply::ok(json!({"file_id": "begun"}))
            }
            ("upload_file_fragmented", _) => Reply::ok(json!(null)),
            _ => willing(action),
        });
    let url = format!("ws://{}/onebot/v12/ws", server.address);
    let peer = Peer::dial(&url, &onebot12::HEADERS, script).await.unwrap();
    peer.push(&onebot12::connect());
    peer.push(&onebot12::status_update(&[(bot.0, bot.1, true)]));
    let mut event = onebot12::group_message(bot, "7", "m1", "");
    event["message"] = json!([{"type": "image", "data": {"file_id": "f-1"}}]);
    peer.push(&event);
    assert_eq!(content_of(&server, &kept_segment(&server)), PNG);
    assert_eq!(peer.action("get_file").await["params"]["file_id"], "f-1");
    let large = vec![7; (2 << 20) + 5];
    let (_, kept) = upload(&server, "", &large);
    let segments = json!([{"type": "file", "name": "a.bin", "media": kept["media"]}]);
    let body = json!({"segments": segments, "recipient": "group_7", "platform": "qq"});
    let (status, made) = server.post(&body);
    assert_eq!(status, 201, "{made}");
    server.until(made["id"].as_str().unwrap(), "Sent");
    let stages: Vec<Value> = peer
        .actions()
        .into_iter()
        .filter(|one| one["action"] == "upload_file_fragmented")
        .map(|one| one["params"].clone())
        .collect();
    assert_eq!(
        (&stages[0]["name"], &stages[0]["total_size"]),
        (&json!("a.bin"), &json!(large.len()))
    );
    let parts: Vec<u8> = stages[1..4]
        .iter()
        .flat_map(|part| BASE64_STANDARD.decode(part["data"].as_str().unwrap()).unwrap())
        .collect();
    assert_eq!((parts, &stages[3]["offset"]), (large, &json!(2 << 20)));
    assert_eq!((stages.len(), &stages[4]["sha256"]), (5, &kept["media"]));
    let sent = peer.action("send_message").await["params"]["message"][0].clone();
    assert_eq!(sent, json!({"type": "file", "data": {"file_id": "whole"}}));
}

/// The answer of an implementation to `get_file_fragmented` for a file, as a test wants it told.
fn in_fragments(file: &[u8], size: usize, sha256: &str, params: &Value) -> Reply {
    if params["stage"] == "prepare" {
        return Reply::ok(json!({"name": "a.png", "total_size": size, "sha256": sha256}));
    }
    let number = |key: &str| usize::try_from(params[key].as_u64().unwrap()).unwrap();
    let offset = number("offset");
    let end = file.len().min(offset + number("size"));
    Reply::ok(json!({"data": BASE64_STANDARD.encode(file.get(offset..end).unwrap_or_default())}))
}

#[tokio::test(flavor = "multi_thread")]
async fn onebot_12_gives_a_large_file_in_fragments_which_have_to_make_it() {
    let server = with("");
    let bot = ("qq", "1");
    let mut file = PNG.to_vec();
    file.resize((2 << 20) + 5, 7);
    let hash = crate::media_parts::hash(&file);
    let (willing, given, told) = (onebot12::willing(), file.clone(), hash.clone());
    let script: Script = Arc::new(move |action| {
        let params = &action["params"];
        let answer = |size, hash: &str| in_fragments(&given, size, hash, params);
        match (action["action"].as_str().unwrap(), params["file_id"].as_str().unwrap_or_default()) {
            ("get_file", _) => Reply::refused(10_003, "no such type"),
            ("get_file_fragmented", "whole") => answer(given.len(), &told),
            ("get_file_fragmented", "other") => answer(given.len(), &"0".repeat(64)),
            ("get_file_fragmented", "short") => answer(given.len() + 9, &told),
            ("get_file_fragmented", "huge") => answer(1 << 40, &told),
            ("get_file_fragmented", _) => Reply::refused(10_002, "unknown action"),
            _ => willing(action),
        }
    });
    let url = format!("ws://{}/onebot/v12/ws", server.address);
    let peer = Peer::dial(&url, &onebot12::HEADERS, script).await.unwrap();
    peer.push(&onebot12::connect());
    peer.push(&onebot12::status_update(&[(bot.0, bot.1, true)]));
    for (id, reason) in [
        ("other", "do not make the file"),
        ("short", "tells no bytes"),
        ("huge", "more than"),
        ("none", "no such type"),
    ] {
        let mut event = onebot12::group_message(bot, "7", id, "");
        event["message"] = json!([{"type": "image", "data": {"file_id": id}}]);
        peer.push(&event);
        let failure = eventually(id, || {
            let segment = inbound(&server).first()?["segments"][0].clone();
            (segment["name"] == id && segment["failure"].is_object())
                .then(|| segment["failure"]["reason"].as_str().unwrap().to_owned())
        });
        assert!(failure.contains(reason), "{id}: {failure}");
    }
    assert_eq!(server.get("/api/media").1["count"], 0, "no part of a file is kept");
    let mut event = onebot12::group_message(bot, "7", "m1", "");
    event["message"] = json!([{"type": "image", "data": {"file_id": "whole"}}]);
    peer.push(&event);
    let segment = kept_segment(&server);
    assert_eq!(segment["media"], hash);
    assert_eq!(content_of(&server, &segment), file);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_the_program_sees_gives_it_the_path() {
    let server = with("[[adapter]]\nkind = 'onebot11'\nmedia_folder = '/there/'\n");
    let peer = dialled(&server).await;
    let (_, kept) = upload(&server, "", PNG);
    let media = kept["media"].as_str().unwrap();
    let segments = json!([{"type": "image", "media": media, "url": "file:///etc/passwd"}]);
    let body = json!({"segments": segments, "recipient": "group_7", "platform": "qq"});
    let (status, made) = server.post(&body);
    assert_eq!(status, 201, "{made}");
    server.until(made["id"].as_str().unwrap(), "Sent");
    let file = peer.action("send_group_msg").await["params"]["message"][0]["data"]["file"].clone();
    assert_eq!(file, format!("file:///there/{}/{media}", &media[..2]));
    // A path of their own is nothing that people can send.
    let segments = json!([{"type": "image", "url": "file:///etc/passwd"}]);
    let body = json!({"segments": segments, "recipient": "group_7", "platform": "qq"});
    assert_eq!(server.post(&body).0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_of_90_mb_goes_from_a_disk_to_a_group() {
    let server = with("[media]\nurl = 'http://bridge:8080'\n");
    let peer = dialled(&server).await;
    let path = server.home.path("holiday.mp4");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(b"\0\0\0\x20ftypisom").unwrap();
    file.seek(SeekFrom::Start(LARGE - 1)).unwrap();
    file.write_all(&[9]).unwrap();
    drop(file);
    let file = path.to_str().unwrap();
    let args = ["send", "--json", "-r", "group_7", "-p", "qq", "--new", "--file", file];
    let made: Value = serde_json::from_str(&server.home.ok(&args)).unwrap();
    let segment = &made["segments"][0];
    assert_eq!((&segment["type"], &segment["size"]), (&json!("video"), &json!(LARGE)));
    assert_eq!(segment["name"], "holiday.mp4");
    let sent = peer.action("send_group_msg").await["params"]["message"][0].clone();
    let url = sent["data"]["file"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("http://bridge:8080").unwrap();
    let fetched = bytes(request(&server, "GET", path, &[("host", "bridge:8080")]));
    assert_eq!((fetched.len() as u64, fetched.last()), (LARGE, Some(&9)));
    let as_file = [&args[..], &["--as", "file"]].concat();
    let made: Value = serde_json::from_str(&server.home.ok(&as_file)).unwrap();
    assert_eq!(made["segments"][0]["type"], "file");
    assert_eq!(server.get("/api/media").1["count"], 1);
}

#[test]
fn a_file_that_is_too_large_is_refused_with_the_reason() {
    let server = with("[media]\nmax_bytes = 100000\n");
    let path = server.home.path("a.bin");
    std::fs::write(&path, vec![7; 5_000_000]).unwrap();
    let send = ["send", "-r", "group_7", "-p", "qq", "--new", "--file", path.to_str().unwrap()];
    let told = server.home.fails(1, &send);
    assert!(told.contains("more than 100000 bytes"), "{told}");
    assert_eq!(server.get("/api/messages").1["messages"], json!([]));
}
