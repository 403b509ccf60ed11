//! Sending from the page.

use crate::browser::Tab;
use crate::server::TestServer;
use crate::views::qq;
use fantoccini::key::Key;
use serde_json::json;
use std::io::Write;

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_message_is_sent_and_followed() {
    let server = TestServer::start_with(&["--loopback"]);
    server.make_for(Some("loopback"), "group_known", "so that it is known");
    let tab = Tab::open(&server.url("/#send")).await;
    tab.choose("#send-platform", "loopback").await;
    tab.until(
        "it is suggested",
        "return !!document.querySelector('#send-known option[value=group_known]')",
    )
    .await;
    tab.write("#send-conversation", "group_known").await;
    tab.write("#send-content", "Hello 你好").await;
    tab.sees("#content-count", "8 characters").await;
    tab.find("#send-content")
        .await
        .send_keys(&format!("{}{}", char::from(Key::Control), char::from(Key::Enter)))
        .await
        .unwrap();
    tab.sees(".sent-line", "Hello 你好").await;
    tab.sees(".sent-line .status", "Sent").await;
    let (_, page) = server.get("/api/messages?limit=1");
    assert_eq!(page["messages"][0]["content"], "Hello 你好");
    assert_eq!(tab.run("return document.querySelector('#send-content').value").await, json!(""));
    assert_eq!(server.get("/api/stats").1["total"], 2);
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn what_is_not_sent_is_kept() {
    let mut server = TestServer::start();
    let tab = Tab::open(&server.url("/#send")).await;
    tab.write("#send-conversation", "*").await;
    tab.write("#send-content", "do not lose me").await;
    tab.click("button[type=submit]").await;
    tab.sees("#send-problem", "`recipient` is `*`").await;
    server.stop();
    tab.click("button[type=submit]").await;
    tab.sees("#send-problem", "the server cannot be reached").await;
    assert_eq!(
        tab.run("return document.querySelector('#send-content').value").await,
        json!("do not lose me")
    );
    tab.press("Platforms").await;
    tab.press("Send").await;
    assert_eq!(
        tab.run("return document.querySelector('#send-content').value").await,
        json!("do not lose me")
    );
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_file_goes_as_what_it_is() {
    let server = TestServer::start_with(&["--loopback"]);
    let tab = Tab::open(&server.url("/#send")).await;
    let mut small = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
    small.write_all(&[7; 2048]).unwrap();
    let mut large = tempfile::Builder::new().suffix(".mp4").tempfile().unwrap();
    large.write_all(&vec![7; 10_000_000]).unwrap();
    tab.choose("#send-platform", "loopback").await;
    tab.write("#send-conversation", "group_1").await;
    tab.write("#send-file", large.path().to_str().unwrap()).await;
    tab.sees(".chosen", "10 MB").await;
    tab.sees(".copyable", "rechat send -r group_1 -p loopback --file ").await;
    tab.sees(".copyable", "jq -r .media").await;
    tab.click("button[type=submit]").await;
    tab.sees(".sent-line", " · 10 MB").await;
    tab.write("#send-file", small.path().to_str().unwrap()).await;
    tab.sees(".chosen", "2 kB").await;
    tab.click("button[type=submit]").await;
    let name = small.path().file_name().unwrap().to_str().unwrap();
    tab.sees(".sent-line", &format!("{name} · 2 kB")).await;
    tab.sees(".sent-line .status", "Sent").await;
    let (_, page) = server.get("/api/messages");
    let message = &page["messages"][0];
    assert_eq!(message["message_type"], "Image");
    assert_eq!(message["segments"][0]["name"], name);
    assert_eq!(message["segments"][0]["size"], 2048);
    tab.was_quiet().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_file_keeps_its_name_all_the_way() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let tab = Tab::open(&server.url("/#send?platform=qq&conversation=group_7")).await;
    for name in ["季度报告.pdf", "a, b; c%20d 'e'.txt", "no-type"] {
        let file = folder.path().join(name);
        std::fs::write(&file, "content").unwrap();
        tab.write("#send-file", file.to_str().unwrap()).await;
        tab.sees(".chosen", name).await;
        tab.click("button[type=submit]").await;
        let action = peer.action("send_group_msg").await;
        let segment = &action["params"]["message"][0];
        assert_eq!(segment["type"], "file");
        assert_eq!(segment["data"]["name"], name);
        assert_eq!(segment["data"]["file"], "base64://Y29udGVudA==");
        tab.sees(".sent-line .text", &format!("File · {name} · 7 B")).await;
    }
    tab.was_quiet().await;
}
