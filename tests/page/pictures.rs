//! The page with a day of messages in it. `RECHAT_PICTURES=folder tests/run pictures` also writes
//! pictures for people there: those of the READMEs, every view in both themes, widths and languages,
//! and what is seen only at times: a failed picture, an upload, a lost connection, signing in.

use crate::bots::BOTS;
use crate::browser::{Person, READER, Tab};
use crate::onebot::Peer;
use crate::onebot11;
use crate::server::{Home, TestServer, agent, eventually};
use crate::terminal_pictures;
use crate::views::qq;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DESK: Person = Person { width: 1280, height: 860, ..READER };
const PHONE: Person = Person { width: 360, height: 740, ..READER };

/// Views of which more is seen on a higher screen.
const HIGH: [&str; 3] = ["send", "platforms", "activity?"];
const HEIGHT: u32 = 1900;

/// The languages of the page.
const LANGUAGES: [&str; 2] = ["en", "zh-CN"];

const TOKEN: &str = "open sesame";

/// A day in some groups: group, its name, who, what.
const TALK: [(i64, &str, &str, &str); 12] = [
    (7, "Hiking club", "Lin", "Who is in for Saturday? The weather looks fine."),
    (7, "Hiking club", "Marta", "Me! Shall we take the ridge this time?"),
    (9, "Ops on call", "Bo", "Disk on node 3 is at 91 %, I am cleaning up the old snapshots"),
    (7, "Hiking club", "阿明", "我也去，几点集合？"),
    (7, "Hiking club", "Lin", "Seven at the station. Bring water, there is none on the way."),
    (9, "Ops on call", "Nia", "Thanks. I will look at the alert thresholds tomorrow."),
    (12, "读书会", "小雨", "这周读到第五章，大家觉得怎么样？"),
    (12, "读书会", "陈老师", "翻译得很好，注释也很详细。"),
    (9, "Ops on call", "Bo", "Done: back to 62 %. Notes at https://wiki.example.com/ops/node3"),
    (7, "Hiking club", "Marta", "Packed already :)"),
    (12, "读书会", "小雨", "周日晚上八点见！"),
    (9, "Ops on call", "Nia", "Deploy of 4.2 is through, all green."),
];

fn talk(peer: &Peer) {
    for (id, (group, name, author, text)) in TALK.iter().enumerate() {
        let mut event = onebot11::group_message(10_001_000, *group, id.try_into().unwrap(), text);
        // Spread over the hour, the last one just now.
        let ago = (TALK.len() - 1 - id) as u64 * 260 + (id as u64 % 3) * 40;
        event["time"] = json!(now() - ago);
        event["group_name"] = json!(name);
        event["sender"]["card"] = json!(author);
        let number = 1000 + author.chars().map(|letter| letter as u32).sum::<u32>();
        event["user_id"] = json!(number);
        event["sender"]["user_id"] = json!(number);
        peer.push(&event);
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn post(server: &TestServer, kind: &str, platform: &str, to: &str, content: &str) -> Value {
    let body =
        json!({"message_type": kind, "platform": platform, "recipient": to, "content": content});
    server.post(&body).1
}

/// Mountains at dawn.
fn mountains() -> Vec<u8> {
    let picture = image::RgbImage::from_fn(640, 400, |x, y| {
        let (across, down) = (f64::from(x) / 640.0, f64::from(y) / 400.0);
        let ridge = |height: f64, waves: f64, shift: f64| {
            let slope = (across * waves + shift).sin() * 0.6 + (across * waves * 2.7).sin() * 0.4;
            down > height - slope * 0.07
        };
        let sky = [(110, 255), (140, 206), (196, 160)].map(|(above, below)| {
            let part = y.min(248);
            u8::try_from((above * (248 - part) + below * part) / 248).unwrap()
        });
        let is_sun = (across - 0.68).hypot((down - 0.47) * 0.62) < 0.05;
        image::Rgb(match () {
            () if ridge(0.86, 7.0, 1.0) => [34, 58, 66],
            () if ridge(0.74, 9.0, 4.0) => [66, 94, 108],
            () if ridge(0.62, 12.0, 2.0) => [124, 140, 156],
            () if is_sun => [255, 244, 214],
            () => sky,
        })
    });
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}

fn post_picture(server: &TestServer) {
    let url = server.url("/api/media?name=summit-at-dawn.png");
    let mut kept = agent().post(url).send(&mountains()[..]).unwrap();
    let kept: Value = serde_json::from_slice(&kept.body_mut().read_to_vec().unwrap()).unwrap();
    let segment = json!({"type": "image", "media": kept["media"], "name": "summit-at-dawn.png", "width": 640, "height": 400});
    let body = json!({"platform": "qq", "recipient": "group_7", "segments": [segment]});
    server.post(&body);
}

async fn lively() -> (TestServer, Peer) {
    let home = Arc::new(Home::new());
    home.configure(BOTS);
    let server = TestServer::start_in(home, &["--loopback"]);
    let peer = qq(&server).await;
    talk(&peer);
    eventually("all have come", || {
        (server.get("/api/stats").1["sent"] == TALK.len()).then_some(())
    });
    post(&server, "Text", "qq", "group_7", "Count me in. I bring coffee.");
    post_picture(&server);
    post(&server, "Text", "loopback", "group_1", "Backup finished: 12.4 GB in 3 min");
    post(
        &server,
        "Text",
        "telegram",
        "private_lee",
        "The invoice is on its way, have a nice weekend!",
    );
    let failed = post(&server, "Text", "telegram", "channel_news", "Release notes for 4.2 are out");
    let path = format!("/api/messages/{}", failed["id"].as_str().unwrap());
    server.ask("PATCH", &path, Some(&json!({"status": "Failed"})));
    (server, peer)
}

/// A folder for pictures, where they are wanted.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("RECHAT_PICTURES").map(PathBuf::from)?;
    std::fs::create_dir_all(&folder).unwrap();
    Some(folder)
}

async fn shoot(tab: &Tab, file: &Path) {
    tab.until("fonts are here", "return document.fonts.status === 'loaded'").await;
    std::fs::write(file, tab.picture().await).unwrap();
}

/// Goes to a view, by way of another one, and waits until it is drawn.
async fn turn_to(tab: &Tab, server: &TestServer, view: &str) {
    tab.go(&server.url("/#send")).await;
    tab.go(&server.url(&format!("/#{view}"))).await;
    tab.until(
        "it is live",
        "return document.querySelector('.connection').dataset.state === 'live'",
    )
    .await;
    tab.until("the view is there", "return document.querySelector('main h1') && !document.querySelector('main').innerText.includes('…')").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn pictures_of_every_view_can_be_drawn() {
    let (server, _peer) = lively().await;
    let empty = TestServer::start();
    let chat = "messages?platform=qq&conversation=group_7";
    let id =
        server.get("/api/messages?conversation=group_7&limit=1").1["messages"][0]["id"].clone();
    let details = format!("activity?message={}", id.as_str().unwrap());
    let views = [
        (&server, "dashboard"),
        (&server, "messages"),
        (&server, chat),
        (&server, "activity"),
        (&server, &details),
        (&server, "send"),
        (&server, "platforms"),
        (&empty, "dashboard"),
        (&empty, "messages"),
        (&empty, "platforms"),
    ];
    for language in LANGUAGES {
        let tab = Tab::open_as(Person { language, ..DESK }, &server.url("/")).await;
        tab.sees(".latest", "private_lee").await;
        tab.sees(".legend", "12").await;
        turn_to(&tab, &server, chat).await;
        tab.sees(".message", "I bring coffee").await;
        tab.until("its picture", "return document.querySelector('.medium img')?.naturalWidth > 0")
            .await;
        let Some(folder) = folder() else { continue };
        shoot(&tab, &folder.join(format!("page-{language}.png"))).await;
        for (at, (server, view)) in views.into_iter().enumerate() {
            for (width, screen) in [("wide", DESK), ("phone", PHONE)] {
                for (theme, dark) in [("light", false), ("dark", true)] {
                    let is_high = HIGH.iter().any(|name| view.starts_with(name));
                    let height = if is_high { HEIGHT } else { screen.height };
                    tab.becomes(Person { language, height, dark, ..screen }).await;
                    turn_to(&tab, server, view).await;
                    tab.run("document.querySelectorAll('.bot details').forEach((each) => { each.open = true; })").await;
                    let name = view.split('?').next().unwrap();
                    let file = format!("{at}-{name}-{width}-{theme}-{language}.png");
                    shoot(&tab, &folder.join(file)).await;
                }
            }
        }
    }
    if let Some(folder) = folder() {
        let tab = Tab::open(&server.url("/")).await;
        terminal_pictures::shoot_all(&server, &tab, &folder).await;
    }
}

/// Everything of one tab, on a wide screen in light and on a phone in dark.
struct Shooting<'f> {
    tab: Tab,
    language: &'static str,
    folder: Option<&'f Path>,
}

impl Shooting<'_> {
    async fn shoot(&self, name: &str) {
        let Some(folder) = self.folder else { return };
        for (width, screen, dark) in [("wide", DESK, false), ("phone", PHONE, true)] {
            self.tab.becomes(Person { dark, language: self.language, ..screen }).await;
            let file = format!("{name}-{width}-{}.png", self.language);
            shoot(&self.tab, &folder.join(file)).await;
        }
        self.tab.becomes(Person { language: self.language, ..DESK }).await;
    }

    /// Does something, draws it, and closes it.
    async fn shoot_opened(&self, name: &str, opens: &str, shown: &str) {
        self.tab.run(opens).await;
        self.tab.sees(shown, "").await;
        self.shoot(name).await;
        self.tab.run("document.querySelectorAll('dialog[open]').forEach((each) => each.close()); document.querySelectorAll(':popover-open').forEach((each) => each.hidePopover())").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn pictures_of_what_is_seen_at_times() {
    let folder = folder();
    for language in LANGUAGES {
        let (mut server, peer) = lively().await;
        let person = Person { language, ..DESK };
        let address = server.url("/#messages?platform=qq&conversation=group_7");
        let tab = Tab::open_as(person, &address).await;
        let shooting = Shooting { tab, language, folder: folder.as_deref() };
        let tab = &shooting.tab;
        tab.sees(".message", "I bring coffee").await;
        // This address may not be asked, so it fails for good; the reader may try again.
        let mut failed = onebot11::group_message(10_001_000, 7, 100, "");
        failed["time"] = json!(now());
        failed["group_name"] = json!("Hiking club");
        failed["sender"]["card"] = json!("Lin");
        failed["message"] = json!([{"type": "image", "data": {"file": "ridge.png", "url": "http://127.0.0.1:9/ridge.png"}}]);
        peer.push(&failed);
        tab.sees(".not-here", "ridge.png").await;
        shooting.shoot("failed-picture").await;
        for (name, opens, shown) in [
            (
                "emoji",
                "document.querySelectorAll('.composer-line button.plain')[1].click()",
                ".emoji-grid",
            ),
            ("menu", "document.querySelector('.pane-head button:last-of-type').click()", ".menu"),
            (
                "actions",
                "[...document.querySelectorAll('.message')].at(-1).dispatchEvent(new Event('mouseover', {bubbles: true})); document.querySelector('.tools button:last-child').click()",
                ".quick",
            ),
            (
                "keys",
                "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '?', bubbles: true}))",
                "dialog",
            ),
        ] {
            shooting.shoot_opened(name, opens, shown).await;
        }
        tab.write(".composer textarea", "A first line, and @").await;
        shooting.shoot("writing").await;
        upload(&shooting, &server).await;
        tab.write("input[type=search]", "ridge").await;
        tab.sees(".sidebar mark", "ridge").await;
        shooting.shoot("search").await;
        server.kill();
        tab.until(
            "it is lost",
            "return document.querySelector('.connection').dataset.state !== 'live'",
        )
        .await;
        shooting.shoot("lost").await;
    }
}

/// An upload over a slow network.
async fn upload(shooting: &Shooting<'_>, server: &TestServer) {
    let tab = &shooting.tab;
    let file = server.home.path("holiday.mp4");
    std::fs::write(&file, vec![7; 6 << 20]).unwrap();
    let network = |bytes: i64| json!({"offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes});
    tab.cdp("Network.enable", &json!({})).await;
    tab.cdp("Network.emulateNetworkConditions", &network(300_000)).await;
    tab.write(".composer input[type=file]", file.to_str().unwrap()).await;
    tab.sees(".chips", "holiday.mp4").await;
    shooting.shoot("attached").await;
    tab.click(".composer .send").await;
    tab.until("it is under way", "return document.querySelector('progress.upload')?.value > 0.05")
        .await;
    shooting.shoot("uploading").await;
    tab.cdp("Network.emulateNetworkConditions", &network(-1)).await;
    tab.until("it is there", "return !document.querySelector('progress.upload')").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn pictures_of_signing_in() {
    let folder = folder();
    let server = TestServer::start_with(&["--token", TOKEN, "--loopback"]);
    for language in LANGUAGES {
        let person = Person { language, ..DESK };
        let printed = server.home.ok(&["open", "--print"]);
        let tab = Tab::open_as(person, printed.trim()).await;
        let shooting = Shooting { tab, language, folder: folder.as_deref() };
        shooting.tab.sees(".welcome", "rechat").await;
        shooting.shoot("signed-in").await;
        let tab = Tab::open_as(person, printed.trim()).await;
        let shooting = Shooting { tab, language, folder: folder.as_deref() };
        shooting.tab.sees("#token-problem", "rechat open").await;
        shooting.shoot("code-used").await;
        let tab = Tab::open_as(person, &server.url("/#messages")).await;
        let shooting = Shooting { tab, language, folder: folder.as_deref() };
        shooting.tab.sees(".login", "rechat").await;
        shooting.shoot("sign-in").await;
    }
}
