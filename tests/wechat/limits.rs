//! The reply window and the quota: what cannot go out waits, says why, and goes out in order.

use crate::bench::Bench;
use serde_json::json;

#[test]
fn a_message_to_a_person_who_never_wrote_waits_for_them() {
    let mut bench = Bench::logged_in("");
    let ids: Vec<_> = (0..5).map(|n| bench.make(&format!("m{n}"))).collect();
    let waits = bench.until_waiting(&ids[0], "not written");
    assert_eq!(waits["waiting_code"], "reply_only");
    assert_eq!((&waits["retry_count"], waits.get("last_error")), (&json!(0), None));
    let listed = bench.server.home.ok(&["list", "--status", "pending", "--json"]);
    assert!(listed.contains("has not written"), "{listed}");
    bench.server.kill();
    bench.server.start_again();
    bench.until_waiting(&ids[4], "not written");
    assert_eq!(bench.fake.state().bots[0].attempts, 0, "nothing is tried in vain");
    bench.fake.write(0, "hello");
    for id in &ids {
        bench.server.until(id, "Sent");
    }
    assert_eq!(bench.fake.texts(0), ["m0", "m1", "m2", "m3", "m4"]);
}

#[test]
fn what_the_quota_does_not_let_out_follows_the_next_message_in_order() {
    let mut bench = Bench::logged_in("");
    bench.fake.change(|state| state.bots[0].quota = 3);
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    let ids: Vec<_> = (0..5).map(|n| bench.make(&format!("m{n}"))).collect();
    bench.server.until(&ids[2], "Sent");
    let waits = bench.until_waiting(&ids[3], "after 3 messages");
    assert_eq!(waits["waiting_code"], "reply_limit");
    assert_eq!((&waits["retry_count"], waits.get("last_error")), (&json!(0), None));
    assert_eq!(bench.fake.state().bots[0].attempts, 4, "the limit is learned from the answer");
    bench.server.kill();
    bench.server.start_again();
    bench.until_waiting(&ids[3], "after ");
    assert_eq!(bench.fake.state().bots[0].attempts, 4, "and known after a restart");
    bench.fake.write(0, "more");
    bench.server.until(&ids[4], "Sent");
    assert_eq!(bench.fake.texts(0), ["m0", "m1", "m2", "m3", "m4"]);
}

#[test]
fn texts_that_waited_go_out_as_one_where_that_is_configured() {
    let mut bench = Bench::logged_in("join_texts = true\nmax_text = 12");
    let ids: Vec<_> = ["one", "two", "three", "four"].map(|text| bench.make(text)).into();
    bench.until_waiting(&ids[0], "not written");
    bench.fake.change(|state| state.bots[0].quota = 1);
    bench.fake.write(0, "hello");
    bench.server.until(&ids[1], "Sent");
    bench.until_waiting(&ids[2], "after one message");
    bench.server.kill();
    bench.server.start_again();
    bench.fake.write(0, "more");
    for id in &ids {
        bench.server.until(id, "Sent");
    }
    assert_eq!(bench.fake.texts(0), ["one\ntwo", "three\nfour"]);
}

#[test]
fn the_parts_of_a_text_that_went_out_are_not_sent_again() {
    let mut bench = Bench::logged_in("max_text = 3");
    bench.fake.change(|state| state.bots[0].quota = 2);
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    let id = bench.make("abcdefghi");
    bench.until_waiting(&id, "after 2 messages");
    bench.server.kill();
    bench.server.start_again();
    bench.until_waiting(&id, "after ");
    bench.fake.write(0, "more");
    bench.server.until(&id, "Sent");
    assert_eq!(bench.fake.texts(0), ["abc", "def", "ghi"]);
    // Sent once more by hand, it is sent whole.
    bench.fake.write(0, "more");
    bench.fake.change(|state| state.bots[0].quota = 9);
    bench.until_inbound(3);
    bench.server.ask("PATCH", &format!("/api/messages/{id}"), Some(&json!({"status": "Pending"})));
    bench.server.until(&id, "Sent");
    assert_eq!(bench.fake.texts(0).len(), 6);
}

#[test]
fn what_was_taken_counts_also_after_a_restart() {
    let mut bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.server.until(&bench.make("first"), "Sent");
    bench.server.kill();
    bench.server.start_again();
    bench.fake.change(|state| state.bots[0].quota = 1);
    bench.until_waiting(&bench.make("second"), "after one message");
}

#[test]
fn a_window_that_closed_is_tried_slowly_and_opens_with_the_next_message() {
    let mut bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.fake.change(|state| state.bots[0].is_closed = true);
    let id = bench.make("a day later");
    let waits = bench.until_waiting(&id, "though nothing was sent");
    assert_eq!((&waits["retry_count"], waits.get("last_error")), (&json!(0), None));
    assert!(waits["waiting"].as_str().unwrap().contains("the next attempt is at"), "{waits}");
    assert_eq!(waits["waiting_code"], "reply_limit");
    bench.server.kill();
    bench.server.start_again();
    let behind = bench.make("behind it");
    bench.until_waiting(&behind, "the next attempt is at");
    assert_eq!(bench.fake.state().bots[0].attempts, 1, "not at once, also after a restart");
    bench.fake.write(0, "more");
    bench.server.until(&behind, "Sent");
    assert_eq!(bench.fake.texts(0), ["a day later", "behind it"]);
}

#[test]
fn an_edit_of_a_message_that_went_out_in_part_loses_no_text() {
    let bench = Bench::logged_in("max_text = 3");
    bench.fake.change(|state| state.bots[0].quota = 1);
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    let id = bench.make("abcdefghi");
    bench.until_waiting(&id, "after one message");
    let path = format!("/api/messages/{id}");
    let (status, edited) = bench.server.ask("PATCH", &path, Some(&json!({"content": "xyz123"})));
    // It may also be refused, for some of it is out.
    assert!(status == 200 || edited["code"] == "in_flight", "{status} {edited}");
    bench.fake.change(|state| state.bots[0].quota = 9);
    bench.fake.write(0, "more");
    let sent = bench.server.until(&id, "Sent");
    let (taken, content) = (bench.fake.texts(0).concat(), sent["content"].as_str().unwrap());
    assert!(taken.ends_with(content), "it is Sent, and {content} was not taken: {taken}");
}

#[test]
fn a_message_that_waits_can_be_taken_back() {
    let bench = Bench::logged_in("");
    let first = bench.make("first");
    let second = bench.make("second");
    bench.until_waiting(&first, "not written");
    let body = json!({"status": "Canceled"});
    assert_eq!(bench.server.ask("PATCH", &format!("/api/messages/{first}"), Some(&body)).0, 200);
    bench.fake.write(0, "hello");
    bench.server.until(&second, "Sent");
    assert_eq!(bench.fake.texts(0), ["second"]);
}

#[test]
fn a_message_whose_window_never_opens_is_given_up_after_its_own_time() {
    let bench = Bench::logged_in("window_ttl = 1");
    let id = bench.make("too late");
    let failed = bench.server.until(&id, "Failed");
    assert!(failed["last_error"].as_str().unwrap().contains("did not open"), "{failed}");
    let other = bench.server.make_for(Some("qq"), "group_1", "it has a day");
    assert_eq!(bench.message(&other)["status"], "Pending");
}
