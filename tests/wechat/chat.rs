//! Messages in and out, and what the answers prove.

use crate::bench::{ANN, Bench, WITH_ANN};
use crate::fake::Fault;
use crate::server::eventually;
use serde_json::json;
use std::time::Duration;

#[test]
fn a_person_writes_and_is_answered() {
    let bench = Bench::logged_in("");
    let written = bench.fake.write(0, "你好 👋");
    assert_eq!(bench.until_inbound(1), ["你好 👋"]);
    let inbound = &bench.inbound()[0];
    assert_eq!(inbound["recipient"], WITH_ANN);
    assert_eq!(inbound["sender"]["id"], ANN);
    assert_eq!(inbound["created_at"], written["create_time_ms"].as_u64().unwrap() / 1000);
    let id = bench.make("hello");
    let sent = bench.server.until(&id, "Sent");
    assert_eq!((&sent["retry_count"], sent.get("unconfirmed")), (&json!(0), None));
    let taken = bench.fake.state().bots[0].taken.clone();
    assert_eq!(taken[0]["context_token"], written["context_token"]);
    assert_eq!(taken[0]["client_id"], id);
    assert_eq!(taken[0]["from_user_id"], "");
    bench.assert_no_complaints();
}

#[test]
fn typing_is_shown_only_where_it_is_asked_for() {
    let bench = Bench::logged_in("");
    let path = format!("/api/conversations/wechat/{WITH_ANN}/typing");
    let show = |on: bool| bench.server.ask("POST", &path, Some(&json!({"typing": on})));
    assert_eq!(show(true).0, 404, "there is no conversation yet");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.server.until(&bench.make("an answer"), "Sent");
    assert!(bench.fake.state().bots[0].typing.is_empty(), "a message alone shows nothing");
    assert_eq!(show(true), (200, json!({"typing": true})));
    assert_eq!(show(false), (200, json!({"typing": false})));
    assert_eq!(bench.fake.state().bots[0].typing, [json!(1), json!(2)]);
    bench.fake.fail("sendtyping", &[Fault::Ret(-2)]);
    let (status, refused) = show(true);
    assert_eq!((status, &refused["code"]), (502, &json!("refused")), "{refused}");
    bench.assert_no_complaints();
}

#[test]
fn the_newest_token_is_used_whatever_is_told_again() {
    let bench = Bench::logged_in("");
    let first = bench.fake.write(0, "one");
    bench.fake.write(0, "two");
    bench.until_inbound(2);
    bench.fake.tell_again(0, first);
    bench.fake.write(0, "three");
    bench.until_inbound(3);
    let id = bench.make("answer");
    bench.server.until(&id, "Sent");
    assert_eq!(bench.until_inbound(3), ["one", "two", "three"]);
}

#[test]
fn a_message_that_comes_again_is_one_also_under_another_id() {
    let bench = Bench::logged_in("");
    let first = bench.fake.write(0, "same");
    bench.fake.write(0, "same");
    bench.fake.tell_again(0, first.clone());
    let mut other = first;
    other["message_id"] = json!("9007199254740993");
    other["seq"] = json!(77);
    bench.fake.tell_again(0, other);
    bench.fake.write(0, "last");
    assert_eq!(bench.until_inbound(3), ["same", "same", "last"], "two with one text are two");
}

#[test]
fn an_echo_of_the_bot_is_no_message() {
    let bench = Bench::logged_in("");
    let mut echo = bench.fake.write(0, "one");
    bench.until_inbound(1);
    echo["message_type"] = json!(2);
    echo["message_id"] = json!(5);
    echo["create_time_ms"] = json!(5);
    bench.fake.tell_again(0, echo);
    bench.fake.write(0, "two");
    assert_eq!(bench.until_inbound(2), ["one", "two"]);
}

#[test]
fn a_success_without_an_id_is_unconfirmed_and_never_sent_again() {
    let bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    for how in ["hidden", "silent"] {
        bench.fake.change(|state| {
            (state.hides_ids, state.is_silent) = (how == "hidden", how == "silent");
        });
        let id = bench.make(how);
        let sent = bench.server.until(&id, "Sent");
        assert_eq!(sent["unconfirmed"], true, "{how}: {sent}");
    }
    let last = bench.make("last");
    bench.server.until(&last, "Sent");
    assert_eq!(bench.fake.texts(0), ["hidden", "silent", "last"]);
}

#[test]
fn the_id_of_another_message_confirms_nothing() {
    let bench = Bench::logged_in("");
    let hello = bench.fake.write(0, "hello");
    bench.until_inbound(1);
    let is_unconfirmed = |text: &str, id: u64| {
        bench.fake.change(|state| state.same_id = Some(id));
        let sent = bench.server.until(&bench.make(text), "Sent");
        sent["unconfirmed"] == true
    };
    assert!(is_unconfirmed("one", hello["message_id"].as_u64().unwrap()), "what came in has it");
    assert!(!is_unconfirmed("two", 77));
    assert!(is_unconfirmed("three", 77), "another one was sent under it");
    assert!(!is_unconfirmed("four", 78));
    assert_eq!(bench.fake.texts(0), ["one", "two", "three", "four"]);
}

#[test]
fn an_attempt_without_an_answer_is_made_again_under_the_same_name() {
    let bench = Bench::logged_in("answer_timeout = 0.5");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    let faults =
        [Fault::DropAfter, Fault::Half, Fault::Slow(Duration::from_secs(1)), Fault::Status(524)];
    for (n, fault) in faults.into_iter().enumerate() {
        bench.fake.fail("sendmessage", &[fault]);
        let id = bench.make(&format!("m{n}"));
        let sent = bench.server.until(&id, "Sent");
        assert_eq!(sent["retry_count"], 1, "{fault:?}: {sent}");
        let taken = bench.fake.state().bots[0].taken.clone();
        let same = taken.iter().filter(|one| one["client_id"] == json!(id)).count();
        let wanted = if fault == Fault::Status(524) { 1 } else { 2 };
        assert_eq!(same, wanted, "{fault:?}");
    }
}

#[test]
fn what_may_have_gone_out_fails_where_it_is_configured_so() {
    let bench = Bench::logged_in("on_unknown = 'fail'");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.fake.fail("sendmessage", &[Fault::DropAfter]);
    let id = bench.make("once");
    let failed = bench.server.until(&id, "Failed");
    assert_eq!(failed["last_error"], "outcome unknown");
    assert_eq!(bench.fake.texts(0), ["once"]);
}

#[test]
fn an_answer_that_is_no_success_is_never_sent() {
    let bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.fake.fail("sendmessage", &[Fault::Ret(-1), Fault::Errcode(7)]);
    let id = bench.make("third time lucky");
    let sent = bench.server.until(&id, "Sent");
    assert_eq!(sent["retry_count"], 2);
    bench.fake.fail("sendmessage", &[Fault::Ret(-1); 4]);
    let id = bench.make("never");
    let failed = bench.server.until(&id, "Failed");
    assert!(failed["last_error"].as_str().unwrap().contains("ret -1"), "{failed}");
    assert_eq!(bench.fake.texts(0), ["third time lucky"]);
}

#[test]
fn an_answer_that_cannot_be_read_is_never_sent() {
    let bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    for body in [r#"{"ret":"abc"}"#, r#"{"ret":true}"#, r#"{"ret":0.5}"#, "[]", r#""ok""#] {
        bench.fake.fail("sendmessage", &[Fault::Body(body)]);
        let sent = bench.server.until(&bench.make(body), "Sent");
        assert_eq!(sent["retry_count"], 1, "{body}");
        assert_eq!(bench.fake.texts(0).last().unwrap(), body, "it was sent again");
    }
}

#[test]
fn a_message_dated_ahead_closes_its_conversation_to_no_later_one() {
    let bench = Bench::logged_in("");
    let mut ahead = bench.fake.write(0, "one");
    bench.until_inbound(1);
    ahead["create_time_ms"] = json!(1_000_000_000_000_000_000_u64);
    ahead["message_id"] = json!(5);
    ahead["context_token"] = json!("of the message ahead");
    bench.fake.tell_again(0, ahead);
    bench.until_inbound(2);
    let newest = bench.fake.write(0, "two");
    bench.until_inbound(3);
    bench.server.until(&bench.make("answer"), "Sent");
    let taken = bench.fake.state().bots[0].taken.clone();
    assert_eq!(taken[0]["context_token"], newest["context_token"]);
}

#[test]
fn polls_that_fail_lose_and_double_nothing() {
    let bench = Bench::logged_in("");
    for (n, fault) in [Fault::Half, Fault::DropAfter, Fault::Status(524)].into_iter().enumerate() {
        bench.fake.fail("getupdates", &[fault]);
        // The poll that is open takes it; the next one fails.
        bench.fake.write(0, &format!("first {n}"));
        bench.fake.write(0, &format!("second {n}"));
        bench.until_inbound(2 * n + 2);
    }
    eventually("the faults are used up", || (!bench.fake.has_faults()).then_some(()));
    bench.fake.write(0, "last");
    assert_eq!(bench.until_inbound(7).last().unwrap(), "last");
}

#[test]
fn a_long_text_goes_out_in_parts() {
    let bench = Bench::logged_in("max_text = 10");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    let id = bench.make("one two three four five");
    bench.server.until(&id, "Sent");
    assert_eq!(bench.fake.texts(0), ["one two", "three four", "five"]);
    let state = bench.fake.state();
    let names = state.bots[0].taken.iter().map(|one| one["client_id"].as_str().unwrap());
    let names: std::collections::HashSet<_> = names.collect();
    assert_eq!(names.len(), 3, "each part has a name of its own");
}

#[test]
fn pictures_voices_files_and_quotes_come_in_as_segments() {
    let bench = Bench::logged_in("");
    let own = bench.make("question");
    bench.fake.write(0, "hello");
    bench.server.until(&own, "Sent");
    let taken_as = bench.fake.state().bots[0].last_id;
    bench.fake.tell(
        0,
        json!([
            {"type": 4, "file_item": {"file_name": "a.pdf", "len": "12"}},
        ]),
    );
    bench.fake.tell(
        0,
        json!([
            {"type": 3, "voice_item": {"playtime": 2500, "text": "words"}},
            {"type": 1, "text_item": {"text": "answer"}, "ref_msg": {"svr_id": taken_as}},
        ]),
    );
    bench.until_inbound(3);
    let all = bench.inbound();
    assert_eq!((&all[1]["message_type"], &all[1]["content"]), (&json!("File"), &json!("a.pdf")));
    assert_eq!(all[2]["segments"][0]["duration"], 2.5);
    assert_eq!(all[2]["reply_to"]["id"], json!(own), "{}", all[2]);
    assert_eq!(all[2]["reply_to"]["content"], "question");
}
