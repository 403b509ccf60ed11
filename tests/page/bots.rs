//! Cards of bots, in the view of platforms.

use crate::browser::{Person, READER, Tab};
use crate::onebot11;
use crate::satori_client::Satori;
use crate::server::{Home, TestServer};
use crate::views::qq;
use serde_json::json;
use std::sync::Arc;

pub const BOTS: &str = "[[bot]]\nname = 'koishi'\nkind = 'satori'\ntoken = 'secret'\n\
    [[bot]]\nname = 'nonebot'\nkind = 'onebot11'\nurl = 'ws://127.0.0.1:9/onebot/v11/ws'\n\
    [[bot]]\nname = 'dials'\nkind = 'onebot11'\n";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run"]
async fn a_card_tells_how_a_bot_is_and_what_to_paste() {
    let home = Arc::new(Home::new());
    home.configure(BOTS);
    let server = TestServer::start_in(home, &[]);
    let tab = Tab::open(&server.url("/#platforms")).await;
    tab.sees(".bots", "koishi").await;
    tab.sees(".bot", "Disconnected").await;
    tab.sees(".bot", "no account yet").await;
    let peer = qq(&server).await;
    tab.sees(".bot", "QQ 10001000").await;
    // No program listens there.
    tab.sees(".bots .last-error", "ws://127.0.0.1:9/onebot/v11/ws").await;
    let mut bot = Satori::connect(&server, "koishi").await;
    tab.sees(".bot .state", "Connected").await;
    peer.push(&onebot11::group_message(10_001_000, 7, 1, "hello"));
    bot.until_delivered(&server, "koishi", 1).await;
    tab.until(
        "one is delivered",
        "return document.querySelector('.bot .numbers dd')?.innerText === '1'",
    )
    .await;
    tab.run("document.querySelectorAll('.bot summary').forEach((line) => line.click())").await;
    let address = &server.address;
    tab.sees(".bot details", &format!("http://{address}/bots/koishi/satori")).await;
    tab.sees(".bots", "SATORI_CLIENTS='[{").await;
    tab.sees(".bots", &format!("ws://{address}/bots/dials/onebot/v11")).await;
    // An opened card stays open while the numbers change.
    peer.push(&onebot11::group_message(10_001_000, 7, 2, "again"));
    bot.until_delivered(&server, "koishi", 2).await;
    tab.until(
        "two are delivered",
        "return document.querySelector('.bot .numbers dd')?.innerText === '2'",
    )
    .await;
    let open = tab.run("return document.querySelectorAll('.bot details[open]').length").await;
    assert_eq!(open, json!(3));
    tab.was_quiet().await;
    let chinese = Person { language: "zh-CN", ..READER };
    let tab = Tab::open_as(chinese, &server.url("/#platforms")).await;
    tab.sees(".bots", "机器人").await;
    tab.sees(".bot", "已送达").await;
    tab.was_quiet().await;
}
