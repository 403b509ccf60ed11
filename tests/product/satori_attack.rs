//! Satori under attack: kills, unknown clients, floods of connections, and other people's accounts.

use crate::account::server_with;
use crate::onebot::Peer;
use crate::onebot11::{group_message, headers, private_message, willing};
use crate::satori_client::{Caller, Satori, ended, open};
use crate::server::{TestServer, eventually};
use crate::socket::in_time;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, client_async, connect_async};

const BOT: &str = "[[bot]]\nname = \"koishi\"\nkind = \"satori\"\n";
const SECRET: &str = "token = \"secret\"\n";

async fn implementation(server: &TestServer, account: &str) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    Peer::dial(&url, &headers(account, "Universal"), willing()).await.unwrap()
}

/// The contents of everything that came in, the oldest first.
fn stored(server: &TestServer) -> Vec<String> {
    let (mut all, mut before) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/messages?direction=Inbound&limit=200{before}");
        let (_, page) = server.get(&path);
        let page = page["messages"].as_array().unwrap().clone();
        let Some(last) = page.last() else { break };
        before = format!("&before={}", last["id"].as_str().unwrap());
        all.extend(page.iter().map(|message| message["content"].as_str().unwrap().to_owned()));
    }
    all.reverse();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_in_the_middle_lose_nothing_and_keep_the_order() {
    const LIVES: usize = 6;
    let mut server = server_with(&format!("{BOT}{SECRET}catch_up_seconds = 3600\n"));
    let (mut told, mut sn) = (Vec::new(), json!(null));
    let mut id = 0;
    for life in 0..LIVES {
        let peer = implementation(&server, "10001000").await;
        eventually("the account is known", || {
            let bots = server.get("/api/bots").1;
            (!bots["bots"][0]["accounts"].as_array().unwrap().is_empty()).then_some(())
        });
        let mut bot = Satori::resume(&server, "koishi", &sn).await;
        let said = 40;
        for _ in 0..said {
            id += 1;
            peer.push(&group_message(10_001_000, 77, id, &format!("m{id}")));
        }
        // It is killed while some are on their way; in the last life all are read.
        let wanted = if life + 1 == LIVES { usize::MAX } else { said / 3 };
        let mut read = 0;
        while read < wanted && told.last() != Some(&format!("m{}", 40 * LIVES)) {
            let event = bot.event().await;
            told.push(event["message"]["content"].as_str().unwrap().to_owned());
            sn = event["sn"].clone();
            read += 1;
        }
        if life + 1 < LIVES {
            server.kill();
            server.start_again();
        }
    }
    let stored = stored(&server);
    assert!(stored.len() > 40, "{}", stored.len());
    // The `sn` names what was read last, so that nothing comes twice either.
    assert_eq!(told, stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_of_its_own_the_servers_holds_and_without_any_none_is_needed() {
    let identify = async |server: &TestServer, token: Value| {
        let mut stream = open(&server.address, "koishi").await;
        let frame = json!({"op": 3, "body": {"token": token}});
        stream.send(Message::text(frame.to_string())).await.unwrap();
        match in_time("an answer", stream.next()).await {
            Some(Ok(Message::Text(text))) => {
                serde_json::from_str::<Value>(&text).unwrap()["op"].clone()
            }
            Some(Ok(Message::Close(Some(frame)))) => json!(u16::from(frame.code)),
            other => panic!("{other:?}"),
        }
    };
    let open = server_with(BOT);
    assert_eq!(identify(&open, json!(null)).await, 4);
    let closed = server_with(&format!("token = 'servers'\n{BOT}"));
    assert_eq!(identify(&closed, json!(null)).await, 3000);
    assert_eq!(identify(&closed, json!("secret")).await, 3000);
    assert_eq!(identify(&closed, json!("servers")).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_say_nothing_keep_no_account_out_and_go() {
    let server = server_with(&format!("limits.adapters = 3\n{BOT}{SECRET}"));
    let mut silent = Vec::new();
    let fill = async {
        let url = format!("ws://{}/bots/koishi/satori/v1/events", server.address);
        while let Ok((stream, _)) = connect_async(&url).await {
            silent.push(stream);
        }
    };
    in_time("no more at once", Box::pin(fill)).await;
    assert!(silent.len() >= 3, "{}", silent.len());
    let peer = implementation(&server, "10001000").await;
    for stream in &mut silent {
        assert_eq!(ended(stream).await.map(|(code, _)| code), Some(4000));
    }
    let place = async {
        loop {
            // The last of them may not be gone yet.
            let url = format!("ws://{}/bots/koishi/satori/v1/events", server.address);
            if let Ok((stream, _)) = connect_async(url).await {
                return Satori::on(stream, &Value::Null).await;
            }
        }
    };
    let mut bot = in_time("a place", Box::pin(place)).await;
    peer.push(&group_message(10_001_000, 77, 1, "hi"));
    assert_eq!(bot.texts(1).await, ["hi"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_of_one_address_keep_no_other_out() {
    let server = server_with(&format!("{BOT}{SECRET}"));
    let url = format!("ws://{}/bots/koishi/satori/v1/events", server.address);
    let mut silent = Vec::new();
    let fill = async {
        loop {
            match connect_async(&url).await {
                Ok((stream, _)) => silent.push(stream),
                Err(Error::Http(refused)) => return refused,
                Err(other) => panic!("{other}"),
            }
        }
    };
    let refused = in_time("no more from here", Box::pin(fill)).await;
    assert_eq!(refused.status(), 503);
    let told = String::from_utf8_lossy(refused.body().as_deref().unwrap()).into_owned();
    assert!(told.contains("from this address") && told.contains("first frame"), "{told}");
    // Another host, such as that of the bot, is let in while they are silent.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let stream = socket.connect(server.address.parse().unwrap()).await.unwrap();
    let (stream, _) = client_async(&url, MaybeTlsStream::Plain(stream)).await.unwrap();
    let mut bot = Satori::on(stream, &Value::Null).await;
    bot.ping().await;
    drop(silent);
    // And here, too, once they have gone.
    let back = async { while connect_async(&url).await.is_err() {} };
    in_time("a place", Box::pin(back)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_connections_with_wrong_tokens_leave_nothing_behind() {
    let server = server_with(&format!("limits.adapters = 500\n{BOT}{SECRET}"));
    let peer = implementation(&server, "10001000").await;
    let mut bot = Satori::connect(&server, "koishi").await;
    let before = server.descriptors();
    let mut strangers = Vec::new();
    for _ in 0..300 {
        let url = format!("ws://{}/bots/koishi/satori/v1/events", server.address);
        // The limit of one address may be reached.
        if let Ok((mut stream, _)) = connect_async(url).await {
            let _ = stream.send(Message::text(r#"{"op":3,"body":{"token":"guess"}}"#)).await;
            strangers.push(stream);
        }
    }
    assert!(strangers.len() > 50, "{}", strangers.len());
    peer.push(&group_message(10_001_000, 77, 1, "still told"));
    assert_eq!(bot.texts(1).await, ["still told"]);
    for stream in &mut strangers {
        assert_eq!(ended(stream).await.map(|(code, _)| code), Some(3000));
    }
    drop(strangers);
    eventually("no descriptor is left", || (server.descriptors() <= before).then_some(()));
    bot.ping().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_sees_nothing_of_an_account_that_is_not_its_own() {
    let server = server_with(&format!("{BOT}{SECRET}accounts = ['qq/10001000']\n"));
    let (own, other) =
        (implementation(&server, "10001000").await, implementation(&server, "10002000").await);
    let mut bot = Satori::connect(&server, "koishi").await;
    other.push(&private_message(10_002_000, 5, 1, "for the other"));
    eventually("it came in", || (stored(&server).len() == 1).then_some(()));
    own.push(&private_message(10_001_000, 5, 2, "for this one"));
    assert_eq!(bot.texts(1).await, ["for this one"]);
    let (_, page) = server.get("/api/messages?limit=1&offset=1");
    let id = page["messages"][0]["id"].clone();
    assert_eq!(page["messages"][0]["content"], "for the other");
    let caller = Caller::new(&server, "koishi", "qq", "10001000");
    let list = caller.call("message.list", &json!({"channel_id": "private:5"}));
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
    for wanted in [id, json!("1")] {
        let get = json!({"channel_id": "private:5", "message_id": wanted});
        assert_eq!(caller.try_call("message.get", &get).0, 404);
        assert_eq!(caller.try_call("message.delete", &get).0, 404);
    }
    let stranger = Caller::new(&server, "koishi", "qq", "10002000");
    assert_eq!(stranger.try_call("login.get", &json!({})).0, 403);
    assert_eq!(
        stranger.try_call("message.create", &json!({"channel_id": "7", "content": "x"})).0,
        403
    );
}
