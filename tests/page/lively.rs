//! An hour of a busy group on the page, and events of groups that are not messages.

use crate::browser::{Person, READER, Tab};
use crate::onebot::Peer;
use crate::onebot11;
use crate::server::TestServer;
use crate::views::qq;
use serde_json::{Value, json};

fn hour() -> Value {
    serde_json::from_str(include_str!("../fixtures/onebot11/lively_hour.json")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_lively_hour_is_seen_as_it_was_said() {
    let (server, hour) = (TestServer::start(), hour());
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let headers = onebot11::headers("1", "Universal");
    let peer = Peer::dial(&url, &headers, onebot11::willing()).await.unwrap();
    let tab = Tab::open(&server.url("/#messages?platform=qq&conversation=group_77")).await;
    tab.sees(".pane", "Nothing has been said here yet.").await;
    for frame in hour["frames"].as_array().unwrap() {
        peer.push(frame);
    }
    let said = tab.texts(".message", hour["said"].as_array().unwrap().len()).await;
    tab.sees(".pane-head", "读书会").await;
    tab.sees(".row.conversation", "Ann: @all 散会").await;
    for (message, parts) in said.iter().zip([
        &["Ann", "明天几点开会？"][..],
        &["小波", "@Ann", "三点"],
        &["Cy", "@Me", "你也来？"],
        &["Ann", "上次的照片", "3F2A.png", "好看吗", "🙂"],
        &["小波", "季度.pdf", "52 kB"],
        &["Cy", "Forwarded messages", "Ann: 早"],
        &["小波", "打错了"],
        &["Ann", "@all", "散会"],
    ]) {
        assert!(parts.iter().all(|part| message.contains(part)), "{message}: {parts:?}");
    }
    // An answer shows what it answers, and leads there.
    let quotes = tab.texts(".quote", 2).await;
    assert!(quotes[0].contains("Ann") && quotes[0].contains("明天几点开会？"), "{quotes:?}");
    assert!(quotes[1].contains("小波") && quotes[1].contains("@Ann 三点"), "{quotes:?}");
    tab.click("button.quote").await;
    tab.sees(".message.marked", "明天几点开会？").await;
    // A mention of the reader is marked; one of others is not.
    let mine = tab.texts(".mention.me", 2).await;
    assert_eq!(mine, ["@Me", "@all"]);
    tab.sees(".reaction[aria-label='👍: 1 person']", "1").await;
    // A face of QQ comes as its number.
    tab.sees(".reaction[aria-label='👍: 2 people']", "2").await;
    tab.sees(".message.recalled .bubble-meta", "recalled by 小波").await;
    tab.sees(".notice", "7070 joined").await;
    tab.click("button.card-segment").await;
    tab.sees("dialog .forwarded", "早").await;
    let elsewhere = "return performance.getEntriesByType('resource').filter((e) => !e.name.startsWith(location.origin)).length";
    assert_eq!(tab.run(elsewhere).await, json!(0), "nothing is loaded from elsewhere unasked");
    // The conversation was not there when it was opened.
    assert_eq!(tab.complaints(&["404"]).await, Vec::<String>::new());
}

/// A notice of group 7.
fn notice(kind: &str, mut fields: Value) -> Value {
    fields["time"] = json!(1_700_000_100);
    fields["self_id"] = json!(10_001_000);
    fields["post_type"] = json!("notice");
    fields["notice_type"] = json!(kind);
    fields["group_id"] = json!(7);
    fields
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn what_happens_in_a_group_is_told_in_the_readers_language() {
    let server = TestServer::start();
    let peer = qq(&server).await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "hello"));
    let address = server.url("/#messages?platform=qq&conversation=group_7");
    let tab = Tab::open_as(Person { language: "zh-CN", ..READER }, &address).await;
    tab.sees(".message", "hello").await;
    let two = || json!({"user_id": 21, "operator_id": 22});
    let with = |field: &str, value: Value| {
        let mut fields = two();
        fields[field] = value;
        fields
    };
    let mut ban = with("sub_type", json!("ban"));
    ban["duration"] = json!(600);
    for (kind, fields, words) in [
        ("group_decrease", with("sub_type", json!("kick")), "22 将 21 移出群聊"),
        ("group_decrease", json!({"sub_type": "leave", "user_id": 23}), "23 退出了群聊"),
        ("group_ban", ban, "21 被 22 禁言"),
        ("group_ban", with("sub_type", json!("lift_ban")), "22 解除了 21 的禁言"),
        ("group_admin", json!({"sub_type": "set", "user_id": 24}), "24 成为管理员"),
        ("group_card", json!({"user_id": 25, "card_new": "老五"}), "25 的名片改为 老五"),
        (
            "group_upload",
            json!({"user_id": 26, "file": {"name": "计划 2.pdf", "url": "https://x/y"}}),
            "26 上传了 计划 2.pdf",
        ),
    ] {
        peer.push(&notice(kind, fields));
        tab.until(
            words,
            &format!("return [...document.querySelectorAll('.notice')].some((row) => row.innerText === {})", json!(words)),
        )
        .await;
    }
    tab.was_quiet().await;
}
