//! Answers to polls that are odd: what can be read is read, and the rest is told.

use crate::bench::{ANN, Bench};
use crate::fake::Fault;
use crate::server::eventually;
use serde_json::{Value, json};

/// An item that quotes one that quotes another, and so on.
fn quotes(depth: usize) -> Value {
    let text = |text: &str| json!({"type": 1, "text_item": {"text": text}});
    (0..depth).fold(text("the first"), |quoted, _| {
        let mut item = text("the last");
        item["ref_msg"] = json!({"message_item": quoted});
        item
    })
}

/// Waits until an account cannot go on for a reason, which the health has too.
fn until_stuck(bench: &Bench, account: &str, words: &str) {
    eventually(&format!("it is stuck: {words}"), || {
        let platforms = bench.server.get("/api/platforms").1;
        let all = platforms["platforms"].as_array().unwrap();
        let stuck = all.iter().find(|one| one["account"] == account && one["state"] == "Error")?;
        let health = bench.server.get("/api/health").1.to_string();
        let is_told = stuck["reason"].as_str()?.contains(words) && health.contains(words);
        is_told.then_some(())
    });
}

#[test]
fn a_message_with_quotes_nested_deeply_stops_no_other() {
    let bench = Bench::logged_in("");
    bench.fake.tell(0, json!([quotes(500)]));
    bench.fake.write(0, "after");
    assert_eq!(bench.until_inbound(2), ["the last", "after"]);
}

#[test]
fn what_is_no_message_is_skipped() {
    let bench = Bench::logged_in("");
    bench.fake.tell_again(0, json!(5));
    bench.fake.write(0, "after");
    assert_eq!(bench.until_inbound(1), ["after"]);
    bench.server.tells("cannot be read, and is skipped");
}

#[test]
fn messages_without_a_time_are_told_apart_by_what_they_have() {
    let bench = Bench::logged_in("");
    let tell = |fields: Value| {
        let item = json!({"type": 1, "text_item": {"text": "ok"}});
        let mut message = json!({"from_user_id": ANN, "message_type": 1, "item_list": [item]});
        message.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        bench.fake.tell_again(0, message);
    };
    tell(json!({"message_id": 11}));
    tell(json!({"message_id": 12}));
    tell(json!({"message_id": 12}));
    tell(json!({"seq": 5}));
    tell(json!({"seq": 6}));
    // Seconds.
    tell(json!({"message_id": 13, "create_time_ms": 1_790_000_000}));
    tell(json!({"message_id": 14, "create_time_ms": 1_790_000_000}));
    bench.fake.write(0, "end");
    let all = bench.until_inbound(7);
    assert_eq!(all, ["ok", "ok", "ok", "ok", "ok", "ok", "end"]);
    assert_eq!(bench.inbound()[5]["created_at"], 1_790_000_000);
}

#[test]
fn an_answer_that_cannot_be_read_is_told() {
    let bench = Bench::new("");
    let account = bench.log_in(ANN);
    bench.fake.fail("getupdates", &[Fault::Half]);
    bench.fake.write(0, "one");
    bench.until_inbound(1);
    bench.fake.write(0, "two");
    bench.until_inbound(2);
    assert!(!bench.fake.has_faults());
    let told = bench.until_account(&account, "Connected");
    let error = told["last_error"].as_str().unwrap_or_default();
    assert!(error.contains("could not be read"), "{told}");
    bench.server.tells("an answer to a poll cannot be read");
}

#[test]
fn an_account_whose_answers_cannot_be_read_says_so_until_one_can() {
    let bench = Bench::new("");
    let account = bench.log_in(ANN);
    bench.fake.fail("getupdates", &[Fault::Body("<html>"); 7]);
    bench.fake.write(0, "one");
    until_stuck(&bench, &account, "cannot be read");
    bench.until_account(&account, "Connected");
    bench.fake.write(0, "two");
    assert_eq!(bench.until_inbound(2), ["one", "two"]);
    let health = bench.server.get("/api/health").1;
    assert_eq!(health, json!({"status": "ok"}));
}

#[test]
fn the_health_names_every_account_whose_answers_cannot_be_read() {
    let bench = Bench::new("");
    let [ann, bob] = [ANN, "oBob@im.wechat"].map(|user| bench.log_in(user));
    let until_named = |names_bob: bool| {
        eventually(&format!("it names {ann}, and {bob}: {names_bob}"), || {
            let health = bench.server.get("/api/health").1.to_string();
            (health.contains(&ann) && health.contains(&bob) == names_bob).then_some(())
        });
    };
    bench.fake.change(|state| state.garbled = vec![ann.clone(), bob.clone()]);
    until_named(true);
    bench.fake.change(|state| state.garbled = vec![ann.clone()]);
    until_named(false);
}

#[test]
fn an_answer_may_be_larger_than_a_frame_and_one_that_is_far_larger_is_told() {
    let bench = Bench::new("max_frame = 65536");
    let account = bench.log_in(ANN);
    bench.fake.write(0, &"x".repeat(70_000));
    bench.fake.write(0, "after");
    assert_eq!(bench.until_inbound(2)[1], "after");
    bench.fake.write(0, &"x".repeat(300_000));
    until_stuck(&bench, &account, "raise `max_frame`");
}
