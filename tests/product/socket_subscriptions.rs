//! Messages of a session by its subscriptions: contract, Part 2, item 10.

use crate::server::TestServer;
use crate::socket::{Client, send_message};
use serde_json::{Value, json};

const PLATFORMS: [&str; 3] = ["qq", "wechat", "tg"];
const CONVERSATIONS: [&str; 3] = ["group_1", "group_2", "private_3"];

fn subscribe(platforms: &Value, conversations: &Value) -> Value {
    command("subscribe", platforms, conversations)
}

fn unsubscribe(platforms: &Value, conversations: &Value) -> Value {
    command("unsubscribe", platforms, conversations)
}

/// `null` leaves the list out.
fn command(kind: &str, platforms: &Value, conversations: &Value) -> Value {
    let mut command = json!({"type": kind});
    for (name, list) in [("platforms", platforms), ("conversations", conversations)] {
        if !list.is_null() {
            command[name] = list.clone();
        }
    }
    command
}

/// Messages a new session gets after these commands, of one from each conversation of each
/// platform: `qq group_1`, in order.
async fn seen(server: &TestServer, commands: &[Value]) -> Vec<String> {
    let mut client = Client::connect(server).await;
    for command in commands {
        client.done(command).await;
    }
    for platform in PLATFORMS {
        for conversation in CONVERSATIONS {
            server.make_for(Some(platform), conversation, "x");
        }
    }
    client.done(&subscribe(&json!(["end"]), &json!(["end"]))).await;
    server.make_for(Some("end"), "end", "the end");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let frames = client.until("the end").await;
    client.leave().await;
    let place =
        |data: &Value| format!("{} {}", text(&data["platform"]), text(&data["conversation"]));
    frames.iter().map(|frame| place(&frame["data"])).collect()
}

/// The places whose platform and conversation are among these; none stands for all.
fn places(platforms: &[&str], conversations: &[&str]) -> Vec<String> {
    let is_in = |list: &[&str], name| list.is_empty() || list.contains(&name);
    let mut places = Vec::new();
    for platform in PLATFORMS.into_iter().filter(|name| is_in(platforms, name)) {
        for conversation in CONVERSATIONS.into_iter().filter(|name| is_in(conversations, name)) {
            places.push(format!("{platform} {conversation}"));
        }
    }
    places
}

fn nothing() -> Vec<String> {
    Vec::new()
}

fn two() -> (Value, Value) {
    (json!(["qq", "wechat"]), json!(["group_1", "private_3"]))
}

#[tokio::test]
async fn subscribing_adds_the_product_of_both_lists() {
    let server = TestServer::start();
    let (platforms, conversations) = two();
    let both = subscribe(&platforms, &conversations);
    assert_eq!(seen(&server, &[both]).await, places(&["qq", "wechat"], &["group_1", "private_3"]));
    assert_eq!(seen(&server, &[]).await, nothing());
    let one = subscribe(&json!(["qq"]), &json!(["group_1"]));
    let other = subscribe(&json!(["tg"]), &json!(["group_2"]));
    let expected = ["qq group_1", "tg group_2"];
    assert_eq!(seen(&server, &[one, other]).await, expected, "two products, not one of all names");
}

#[tokio::test]
async fn an_absent_list_an_empty_one_and_a_star_mean_any() {
    let server = TestServer::start();
    let any = [json!(null), json!([]), json!("*"), json!(["*"]), json!(["qq", "*"])];
    for any in &any {
        let everything = subscribe(any, any);
        assert_eq!(seen(&server, &[everything]).await, places(&[], &[]), "{any}");
        let of_platform = subscribe(&json!(["tg"]), any);
        assert_eq!(seen(&server, &[of_platform]).await, places(&["tg"], &[]), "{any}");
        let conversation = subscribe(any, &json!(["group_2"]));
        assert_eq!(seen(&server, &[conversation]).await, places(&[], &["group_2"]), "{any}");
    }
}

#[tokio::test]
async fn unsubscribing_removes_each_pair_that_either_list_names() {
    let server = TestServer::start();
    let (platforms, conversations) = two();
    let both = subscribe(&platforms, &conversations);
    for (platforms, conversations, left) in [
        (json!(["qq"]), json!(null), places(&["wechat"], &["group_1", "private_3"])),
        (json!(null), json!(["group_1"]), places(&["qq", "wechat"], &["private_3"])),
        (json!(["qq"]), json!([]), places(&["wechat"], &["group_1", "private_3"])),
        (json!(["qq"]), json!(["group_1"]), places(&["wechat"], &["private_3"])),
        (json!(["qq", "wechat"]), json!(null), nothing()),
        (json!(null), json!(["group_1", "private_3"]), nothing()),
        (json!(null), json!(null), nothing()),
        (json!([]), json!([]), nothing()),
        (json!(["tg"]), json!(["group_2"]), places(&["qq", "wechat"], &["group_1", "private_3"])),
        (json!("*"), json!(null), places(&["qq", "wechat"], &["group_1", "private_3"])),
        (json!(["*"]), json!(["*"]), places(&["qq", "wechat"], &["group_1", "private_3"])),
    ] {
        let leave = unsubscribe(&platforms, &conversations);
        assert_eq!(seen(&server, &[both.clone(), leave.clone()]).await, left, "{leave}");
    }
}

#[tokio::test]
async fn a_star_in_unsubscribe_names_the_pairs_with_any() {
    let server = TestServer::start();
    let all = [
        subscribe(&json!(null), &json!(null)),
        subscribe(&json!(["qq"]), &json!(null)),
        subscribe(&json!(null), &json!(["group_1"])),
        subscribe(&json!(["tg"]), &json!(["private_3"])),
    ];
    let after = async |leave: Value| seen(&server, &[&all[..], &[leave]].concat()).await;
    let mut left = places(&["qq"], &[]);
    left.push("tg private_3".into());
    assert_eq!(after(unsubscribe(&json!("*"), &json!(null))).await, left);
    assert_eq!(after(unsubscribe(&json!(["*"]), &json!(null))).await, left);
    let left = ["qq group_1", "wechat group_1", "tg group_1", "tg private_3"];
    assert_eq!(after(unsubscribe(&json!(null), &json!("*"))).await, left);
    assert_eq!(after(unsubscribe(&json!("*"), &json!("*"))).await, ["tg private_3"]);
    assert_eq!(after(unsubscribe(&json!(["*", "tg"]), &json!("*"))).await, nothing());
}

#[tokio::test]
async fn leaving_a_part_of_everything_changes_nothing() {
    let server = TestServer::start();
    let everything = subscribe(&json!(null), &json!(null));
    for leave in [
        unsubscribe(&json!(["qq"]), &json!(null)),
        unsubscribe(&json!(null), &json!(["group_1"])),
        unsubscribe(&json!(["qq"]), &json!(["group_1"])),
    ] {
        let commands = [everything.clone(), leave];
        assert_eq!(seen(&server, &commands).await, places(&[], &[]), "{commands:?}");
    }
    let of_qq =
        [subscribe(&json!(["qq"]), &json!(null)), unsubscribe(&json!(null), &json!(["group_1"]))];
    assert_eq!(seen(&server, &of_qq).await, places(&["qq"], &[]), "(qq, any) stays whole");
}

#[tokio::test]
async fn a_message_comes_once_however_many_pairs_match() {
    let server = TestServer::start();
    let (platforms, conversations) = two();
    let all = [
        subscribe(&json!(null), &json!(null)),
        subscribe(&platforms, &json!(null)),
        subscribe(&json!(null), &conversations),
        subscribe(&platforms, &conversations),
        subscribe(&platforms, &conversations),
    ];
    assert_eq!(seen(&server, &all).await, places(&[], &[]));
    let leave = unsubscribe(&json!(["qq"]), &json!(null));
    let (first, rest) = (&all[1..], [leave]);
    let mut left = places(&["wechat"], &[]);
    left.extend(["tg group_1".into(), "tg private_3".into()]);
    left.splice(0..0, ["qq group_1".into(), "qq private_3".into()]);
    assert_eq!(seen(&server, &[first, &rest].concat()).await, left);
}

#[tokio::test]
async fn a_message_without_a_platform_belongs_to_local() {
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    client.done(&subscribe(&json!(["local"]), &json!(null))).await;
    server.make_for(Some("qq"), "group_1", "of a platform");
    server.make("group_1", "of none");
    let message = client.message().await;
    assert_eq!((&message["platform"], &message["content"]), (&json!("local"), &json!("of none")));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_answer_to_unsubscribe_nothing_of_it_comes() {
    const ROUNDS: usize = 2000;
    let server = TestServer::start();
    let mut client = Client::connect(&server).await;
    let writer = Client::connect(&server).await;
    let commands = (0..20_000).map(|n| send_message("qq", "group_1", &n.to_string()));
    let writing = tokio::spawn(writer.send_all(commands));
    client.subscribe().await;
    client.message().await;
    let mut comes = true;
    for _ in 0..ROUNDS {
        client.say(&json!({"type": "subscribe"})).await;
        client.say(&json!({"type": "unsubscribe"})).await;
    }
    let mut answers = 0;
    while answers < 2 * ROUNDS {
        let frame = client.next().await;
        if frame["type"] == "ack" {
            comes = frame["status"] == "subscribed";
            answers += 1;
        } else {
            assert!(comes, "after the answer: {frame}");
        }
    }
    writing.await.unwrap();
}
