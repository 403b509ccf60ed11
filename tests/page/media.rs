//! Pictures, videos and files in the chat: from the server, and from a disk to a group.

use crate::browser::{Person, READER, Tab};
use crate::onebot::Peer;
use crate::onebot11;
use crate::server::{Home, TestServer, agent};
use crate::views::qq;
use base64::prelude::{BASE64_STANDARD, Engine};
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::net::TcpListener;
use std::sync::Arc;

const TOKEN: &str = "open sesame";

const CHAT: &str = "/#messages?platform=qq&conversation=group_7";

/// Bytes of the video.
const LARGE: u64 = 90 << 20;

fn with(configuration: &str, arguments: &[&str]) -> TestServer {
    let home = Arc::new(Home::new());
    home.configure(configuration);
    TestServer::start_in(home, arguments)
}

/// An implementation of a server that wants a token.
async fn qq_with_token(server: &TestServer) -> Peer {
    let token = TOKEN.replace(' ', "%20");
    let url = format!("ws://{}/onebot/v11/ws?access_token={token}", server.address);
    let headers = onebot11::headers("10001000", "Universal");
    Peer::dial(&url, &headers, onebot11::willing()).await.unwrap()
}

async fn sign_in(tab: &Tab) {
    tab.write("#token", TOKEN).await;
    tab.key(Key::Enter).await;
}

/// Bytes that a server gives for a path.
fn get(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut request = ureq::http::Request::get(server.url(path));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let mut answer = agent().run(request.body(()).unwrap()).unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.body_mut().with_config().limit(LARGE + 1).read_to_vec().unwrap()
}

/// A short video that the browser itself records.
async fn recorded(tab: &Tab) -> Vec<u8> {
    tab.run(
        "const canvas = document.createElement('canvas'); canvas.width = 64; canvas.height = 48;
         const context = canvas.getContext('2d');
         const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm;codecs=vp8' });
         recorder.ondataavailable = (event) => {
           const reader = new FileReader();
           reader.onload = () => { window.recorded = reader.result.split(',')[1]; };
           reader.readAsDataURL(event.data);
         };
         recorder.start();
         let drawn = 0;
         const timer = setInterval(() => {
           context.fillStyle = drawn % 2 ? 'red' : 'blue';
           context.fillRect(0, 0, 64, 48);
           drawn += 1;
           if (drawn === 20) { clearInterval(timer); recorder.stop(); }
         }, 40);",
    )
    .await;
    let base64 = tab.until("a video is recorded", "return window.recorded || null").await;
    BASE64_STANDARD.decode(base64.as_str().unwrap()).unwrap()
}

/// A playable `WebM` file of 90 MB: a video, and behind it an element that players pass over
/// (RFC 8794, section 11.3.2).
fn write_large(file: &mut File, video: &[u8]) {
    let rest = LARGE - video.len() as u64 - 9;
    file.write_all(video).unwrap();
    file.write_all(&[0xec]).unwrap();
    file.write_all(&(rest | 1 << 56).to_be_bytes()).unwrap();
    file.seek(SeekFrom::Start(LARGE - 1)).unwrap();
    file.write_all(&[0]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_large_video_goes_from_a_disk_to_a_group_and_is_streamed_back() {
    let server = with("[media]\nurl = 'http://bridge:8080'\n", &["--token", TOKEN]);
    let peer = qq_with_token(&server).await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "show us the holiday"));
    let tab = Tab::open(&server.url(CHAT)).await;
    sign_in(&tab).await;
    tab.sees(".message", "show us the holiday").await;
    let video = recorded(&tab).await;
    let path = server.home.path("holiday.webm");
    write_large(&mut File::create(&path).unwrap(), &video);
    tab.run(
        "window.progress = [];
         new MutationObserver(() => {
           const bar = document.querySelector('progress.upload');
           if (bar) window.progress.push(bar.value);
         }).observe(document.body, { subtree: true, childList: true, attributes: true });",
    )
    .await;
    tab.write(".composer input[type=file]", path.to_str().unwrap()).await;
    tab.sees(".chips", "holiday.webm").await;
    tab.click(".composer .send").await;
    for part in ["0.25", "0.5", "0.75"] {
        let script = format!("return window.progress.some((part) => part >= {part})");
        tab.until(&format!("{part} of it has gone"), &script).await;
    }
    let sent = peer.action("send_group_msg").await["params"]["message"][0].clone();
    assert_eq!(sent["type"], "video");
    let address = sent["data"]["file"].as_str().unwrap().to_owned();
    let path = address.strip_prefix("http://bridge:8080").unwrap();
    assert_eq!(get(&server, path, &[("host", "bridge:8080")]).len() as u64, LARGE);
    // It plays from the server, part by part, and its address has no token.
    tab.until(
        "it can be played",
        "return document.querySelector('.medium video')?.videoWidth === 64",
    )
    .await;
    let from = tab.run("return document.querySelector('.medium video').currentSrc").await;
    let from = from.as_str().unwrap();
    assert!(
        from.contains("/media/") && from.contains("sig=") && !from.contains("sesame"),
        "{from}"
    );
    let bearer = format!("Bearer {TOKEN}");
    let metrics = get(&server, "/metrics", &[("authorization", &bearer)]);
    let metrics = String::from_utf8(metrics).unwrap();
    let parts = metrics.lines().find(|line| {
        line.starts_with("rechat_http_requests_total")
            && line.contains("/media/{media}")
            && line.contains("206")
    });
    assert!(parts.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
    tab.run("const video = document.querySelector('.medium video'); video.muted = true; return void video.play()").await;
    tab.until("it plays", "return document.querySelector('.medium video').currentTime > 0.2").await;
    let complaints = tab.complaints(&["401", "WebSocket connection"]).await;
    assert_eq!(complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_large_picture_is_loaded_small_and_whole_once_it_is_opened() {
    for token in [false, true] {
        let server =
            with("", if token { &["--loopback", "--token", TOKEN] } else { &["--loopback"] });
        // Noise, which no format makes small.
        let mut seed = 1_u32;
        let picture = image::RgbImage::from_fn(900, 600, |_, _| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            image::Rgb(seed.to_be_bytes()[..3].try_into().unwrap())
        });
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        let authorization = ("authorization", format!("Bearer {TOKEN}"));
        let post = |path: &str, kind: &str, body: Vec<u8>| -> Value {
            let request = ureq::http::Request::post(server.url(path))
                .header("content-type", kind)
                .header(authorization.0, &authorization.1);
            let mut answer = agent().run(request.body(body).unwrap()).unwrap();
            serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
        };
        let kept = post("/api/media?name=noise.png", "image/png", png.into_inner());
        let segments = json!([{"type": "image", "name": "noise.png", "media": kept["media"]}]);
        let body = json!({"segments": segments, "recipient": "group_1", "platform": "loopback"});
        post("/api/messages", "application/json", body.to_string().into_bytes());
        let tab = Tab::open(&server.url("/#messages?platform=loopback&conversation=group_1")).await;
        if token {
            sign_in(&tab).await;
        }
        tab.until(
            "the small picture",
            "return document.querySelector('.medium img')?.naturalWidth === 320",
        )
        .await;
        let weight = "return performance.getEntriesByType('resource').filter((e) => e.name.includes('media/')).map((e) => [e.name.includes('thumbnail'), e.encodedBodySize])";
        let loaded = tab.run(weight).await;
        assert!(loaded.as_array().unwrap().iter().all(|entry| entry[0] == true), "{loaded}");
        tab.click(".medium .picture").await;
        tab.until(
            "all of it",
            "return document.querySelector('.viewer img')?.naturalWidth === 900",
        )
        .await;
        assert_eq!(tab.complaints(&["401", "WebSocket connection"]).await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_picture_that_is_not_here_says_why_and_is_fetched_again() {
    let server = with("[media]\nallow_private = ['127.0.0.1']\n", &[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/cat.png", listener.local_addr().unwrap());
    let mut png = Cursor::new(Vec::new());
    image::RgbImage::new(30, 20).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let png = png.into_inner();
    std::thread::spawn(move || {
        for (at, mut socket) in listener.incoming().flatten().enumerate() {
            let _ = socket.read(&mut [0; 4096]);
            let (status, body) =
                if at < 2 { ("404 Not Found", &b"gone"[..]) } else { ("200 OK", &*png) };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = socket.write_all(&[head.as_bytes(), body].concat());
        }
    });
    let peer = qq(&server).await;
    let mut event = onebot11::group_message(10_001_000, 7, 1, "");
    event["message"] = json!([{"type": "image", "data": {"file": "cat.png", "url": url}}]);
    peer.push(&event);
    let tab = Tab::open(&server.url(CHAT)).await;
    tab.sees(".not-here", "Not here. The host refused: 404 Not Found").await;
    tab.sees(".not-here", "Open at 127.0.0.1").await;
    // The first attempt of a person fails, too, and says so; the next one does not.
    tab.until("the picture is here", "const again = document.querySelector('.not-here button:not([disabled])'); again?.click(); return document.querySelector('.medium img')?.naturalWidth === 30").await;
    assert_eq!(tab.complaints(&["502"]).await, Vec::<String>::new());
}

/// A second of silence.
fn silence() -> Vec<u8> {
    const SAMPLES: u32 = 8000;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + SAMPLES).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data");
    wav.extend(SAMPLES.to_le_bytes());
    wav.extend((0..SAMPLES).map(|_| 128));
    wav
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_voice_message_plays_by_one_click() {
    let server = with("[media]\nallow_private = ['127.0.0.1']\n", &[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/voice.wav", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let _ = socket.read(&mut [0; 4096]);
            let wav = silence();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                wav.len()
            );
            let _ = socket.write_all(&[head.as_bytes(), &wav].concat());
        }
    });
    let peer = qq(&server).await;
    let mut event = onebot11::group_message(10_001_000, 7, 1, "");
    event["message"] = json!([{"type": "record", "data": {"file": "voice.wav", "url": url}}]);
    peer.push(&event);
    let tab = Tab::open(&server.url(CHAT)).await;
    tab.click(".medium.audio .ask").await;
    tab.until("it plays", "return document.querySelector('.medium audio')?.currentTime > 0").await;
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn pictures_of_one_message_stand_side_by_side() {
    let server = with("", &["--loopback"]);
    let picture = |width| {
        let mut png = Cursor::new(Vec::new());
        image::RgbImage::new(width, 200).write_to(&mut png, image::ImageFormat::Png).unwrap();
        let request = ureq::http::Request::post(server.url("/api/media?name=one.png"))
            .header("content-type", "image/png");
        let mut answer = agent().run(request.body(png.into_inner()).unwrap()).unwrap();
        let kept = answer.body_mut().read_to_string().unwrap();
        let kept: Value = serde_json::from_str(&kept).unwrap();
        json!({"type": "image", "name": "one.png", "media": kept["media"], "width": width, "height": 200})
    };
    let text = json!({"type": "text", "text": "and one alone"});
    let segments = json!([picture(300), picture(200), text, picture(250)]);
    let body = json!({"segments": segments, "recipient": "group_1", "platform": "loopback"});
    server.ask("POST", "/api/messages", Some(&body));
    let tab = Tab::open(&server.url("/#messages?platform=loopback&conversation=group_1")).await;
    tab.texts(".medium img", 3).await;
    let places = "return [...document.querySelectorAll('.medium')].map((m) => { const { top, width } = m.getBoundingClientRect(); return [Math.round(top), Math.round(width)]; })";
    let places = tab.run(places).await;
    assert_eq!(places[0], places[1], "{places}");
    assert_ne!(places[1][0], places[2][0], "{places}");
    assert_eq!(places[2][1], 250, "{places}");
    tab.was_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_file_that_is_too_large_is_refused_in_the_readers_language() {
    let server = with("[media]\nmax_bytes = 1000000\n", &["--loopback"]);
    server.make_for(Some("loopback"), "group_1", "hello");
    let chinese = Person { language: "zh-CN", ..READER };
    let address = server.url("/#messages?platform=loopback&conversation=group_1");
    let tab = Tab::open_as(chinese, &address).await;
    tab.sees(".message", "hello").await;
    let file = server.home.path("large.bin");
    std::fs::write(&file, vec![7; 2 << 20]).unwrap();
    tab.write(".composer input[type=file]", file.to_str().unwrap()).await;
    tab.click(".composer .send").await;
    tab.sees(".why", "超过了允许的大小").await;
    tab.sees(".why", "重新发送").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_voice_message_is_recorded_and_sent_or_dropped() {
    let server = with("", &[]);
    let peer = qq(&server).await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "hello"));
    let tab = Tab::open(&server.url(CHAT)).await;
    tab.sees(".message", "hello").await;
    // A dropped recording is sent to nobody.
    tab.click(".composer .mic").await;
    tab.sees(".recording", "0:01").await;
    tab.key(Key::Escape).await;
    let is_back = "return document.activeElement === document.querySelector('.composer textarea') && document.querySelector('.recording').hidden";
    tab.until("the field is back", is_back).await;
    assert_eq!(server.get("/api/stats").1["total"], 1);
    tab.click(".composer .mic").await;
    tab.sees(".recording", "0:01").await;
    tab.click(".send-voice").await;
    let sent = peer.action("send_group_msg").await;
    assert_eq!(sent["params"]["message"][0]["type"], "record", "{sent}");
    let can_play =
        "const voice = document.querySelector('.message.own audio'); return voice?.duration > 0";
    tab.until("it can be heard", can_play).await;
    tab.until("the field is back", is_back).await;
    // A text is sent by the button that was there before.
    tab.write(".composer textarea", "words").await;
    let shown = "const shows = (one) => document.querySelector(one).checkVisibility(); return [shows('.composer .mic'), shows('.composer .send')]";
    assert_eq!(tab.run(shown).await, json!([false, true]));
    tab.was_quiet().await;
}
