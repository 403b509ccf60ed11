//! Bots on a WeChat account: what it is told is translated, and so is what they send.

use crate::bench::{ANN, Bench};
use crate::framework::Framework;
use crate::satori_client::{Caller, Satori};
use crate::server::eventually;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_of_onebot_11_speaks_with_a_person() {
    let framework = Framework::new().await;
    let url = framework.url();
    let entry = format!("[[bot]]\nname = 'bot'\nkind = 'onebot11'\nurl = '{url}'\n");
    let bench = tokio::task::block_in_place(|| Bench::logged_in(&entry));
    let mut bot = framework.accept().await;
    assert_eq!(bot.meta().await["sub_type"], "connect");
    bench.fake.write(0, "/echo 你好");
    let told = bot.event().await;
    assert_eq!(
        (&told["message_type"], &told["raw_message"]),
        (&json!("private"), &json!("/echo 你好"))
    );
    let ann = told["user_id"].as_i64().unwrap();
    assert!(ann > 1 << 52 && ann < 1 << 53, "{told}");
    let answer = bot.ask("send_private_msg", json!({"user_id": ann, "message": "你好"})).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(bench.fake.texts(0), ["你好"]);
    let picture = json!([{"type": "image", "data": {"file": "base64://iVBORw0KGgo="}}]);
    let answer = bot.ask("send_private_msg", json!({"user_id": ann, "message": picture})).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(bench.fake.state().uploads.len(), 1);
    // Actions that the interface does not have are not there.
    assert_eq!(bot.ask("delete_msg", json!({"message_id": 1})).await["status"], "failed");
    assert_eq!(bot.ask("set_group_ban", json!({})).await["retcode"], 1404);
    let login = bot.ask("get_login_info", json!({})).await;
    assert_eq!(login["data"]["user_id"].to_string(), bot.header("x-self-id").unwrap());
    bench.assert_no_complaints();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_of_satori_speaks_with_a_person() {
    let entry = "[[bot]]\nname = 'bot'\nkind = 'satori'\ntoken = 'secret'\n";
    let bench = tokio::task::block_in_place(|| Bench::logged_in(entry));
    let account = bench.fake.state().bots[0].account.clone();
    tokio::task::block_in_place(|| {
        eventually("the bot knows the account", || {
            let bots = bench.server.get("/api/bots").1;
            bots["bots"][0]["accounts"].as_array().is_some_and(|all| !all.is_empty()).then_some(())
        });
    });
    let mut bot = Satori::connect(&bench.server, "bot").await;
    let login = &bot.ready["logins"][0];
    assert_eq!((&login["platform"], &login["user"]["id"]), (&json!("wechat"), &json!(account)));
    bench.fake.write(0, "/echo <你好>");
    let told = bot.event().await;
    assert_eq!(told["user"]["id"], ANN, "the platform's own IDs");
    assert_eq!(told["message"]["content"], "/echo &lt;你好&gt;");
    let channel = told["channel"]["id"].clone();
    assert_eq!((&channel, &told["channel"]["type"]), (&json!(format!("private:{ANN}")), &json!(1)));
    let caller = Caller::new(&bench.server, "bot", "wechat", &account);
    let create = |content: &str| json!({"channel_id": channel, "content": content});
    let sent = caller.call("message.create", &create("&lt;你好&gt;<p>two</p>"));
    assert_eq!(bench.fake.texts(0), ["<你好>\ntwo"]);
    let got = json!({"channel_id": channel, "message_id": sent[0]["id"]});
    assert_eq!(caller.call("message.get", &got)["content"], "&lt;你好&gt;\ntwo");
    caller.call("message.create", &create("<img src=\"data:image/png;base64,iVBORw0KGgo=\"/>"));
    assert_eq!(bench.fake.state().uploads.len(), 1);
    let friends: Vec<Value> =
        caller.call("friend.list", &json!({}))["data"].as_array().unwrap().clone();
    assert_eq!(friends[0]["user"]["id"], ANN);
    assert_eq!(caller.try_call("message.delete", &got).0, 404, "WeChat's interface cannot");
    bench.assert_no_complaints();
}
