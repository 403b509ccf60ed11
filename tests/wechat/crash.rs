//! The process is killed between every two steps of a poll, a send and a login: nothing that came in is
//! lost or doubled, and nothing goes out twice without `retry_count` saying so.

use crate::bench::{ANN, Bench, WITH_ANN};
use crate::fake::Fault;
use crate::server::eventually;
use serde_json::json;

/// Ends the server as a power cut does, and starts it on the same store.
fn cut(bench: &mut Bench) {
    bench.server.kill();
    bench.server.start_again();
}

/// A server that is logged in, with a person who wrote to it.
fn written_to(more: &str) -> Bench {
    let bench = Bench::logged_in(more);
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench
}

/// Kills it while a send is held, and gives the message once it is sent.
fn cut_in_send(bench: &mut Bench, faults: &[Fault], text: &str) -> serde_json::Value {
    bench.fake.fail("sendmessage", faults);
    let id = bench.make(text);
    bench.fake.until_held("sendmessage");
    cut(bench);
    bench.server.until(&id, "Sent")
}

#[test]
fn a_kill_before_the_answer_to_a_poll_loses_nothing() {
    let mut bench = written_to("");
    // The other side has answered, and the answer never comes.
    bench.fake.fail("getupdates", &[Fault::HoldAfter]);
    bench.fake.write(0, "one");
    bench.fake.write(0, "two");
    bench.fake.write(0, "three");
    bench.fake.until_held("getupdates");
    bench.server.kill();
    bench.fake.write(0, "four");
    bench.server.start_again();
    assert_eq!(bench.until_inbound(5), ["hello", "one", "two", "three", "four"]);
}

#[test]
fn a_kill_at_any_step_of_a_poll_loses_and_doubles_nothing() {
    let mut bench = Bench::logged_in("");
    let mut wanted = Vec::new();
    for round in 0..8 {
        let before = wanted.len();
        if round % 2 == 0 {
            bench.fake.fail("getupdates", &[[Fault::HoldBefore, Fault::HoldAfter][round / 2 % 2]]);
        }
        for n in 0..5 {
            let text = format!("{round} {n}");
            bench.fake.write(0, &text);
            wanted.push(text);
        }
        if round % 2 == 0 {
            bench.fake.until_held("getupdates");
            bench.fake.change(|state| state.held.clear());
        } else {
            // It is stored; the next poll may have begun.
            bench.until_inbound(before + 1 + round / 2);
        }
        cut(&mut bench);
    }
    assert_eq!(bench.until_inbound(wanted.len()), wanted);
    bench.fake.write(0, "end");
    wanted.push("end".into());
    assert_eq!(bench.until_inbound(wanted.len()), wanted);
    bench.server.stop();
    bench.server.home.ok(&["check"]);
}

#[test]
fn the_reply_token_is_there_whenever_its_message_is() {
    let mut bench = Bench::logged_in("");
    for round in 0..5 {
        bench.fake.write(0, &format!("question {round}"));
        bench.until_inbound(round + 1);
        cut(&mut bench);
        let id = bench.make(&format!("answer {round}"));
        let sent = bench.server.until(&id, "Sent");
        assert_eq!(sent["retry_count"], 0, "no refusal was met: {sent}");
    }
    let state = bench.fake.state();
    assert_eq!(state.bots[0].attempts, 5);
}

#[test]
fn a_kill_while_a_send_is_answered_is_told_by_the_retry_count() {
    let mut bench = written_to("");
    // It is taken; the answer never comes.
    let sent = cut_in_send(&mut bench, &[Fault::HoldAfter], "in doubt");
    assert_eq!(bench.fake.texts(0), ["in doubt", "in doubt"]);
    assert_eq!(sent["retry_count"], 1, "{sent}");
}

#[test]
fn a_kill_before_a_send_is_taken_sends_it_once() {
    let mut bench = written_to("");
    cut_in_send(&mut bench, &[Fault::HoldBefore], "late");
    assert_eq!(bench.fake.texts(0), ["late"]);
}

#[test]
fn a_kill_between_two_parts_sends_only_what_was_not_answered_again() {
    for (fault, wanted) in [
        (Fault::HoldBefore, &["abc", "def", "ghi"][..]),
        (Fault::HoldAfter, &["abc", "def", "def", "ghi"]),
    ] {
        let mut bench = written_to("max_text = 3");
        let sent = cut_in_send(&mut bench, &[Fault::None, fault], "abcdefghi");
        assert_eq!(bench.fake.texts(0), wanted, "{fault:?}");
        assert_eq!(sent["retry_count"], 1, "{sent}");
    }
}

#[test]
fn a_kill_during_an_upload_sends_the_file_once() {
    for (call, fault) in [
        ("getuploadurl", Fault::HoldAfter),
        ("upload", Fault::HoldBefore),
        ("upload", Fault::HoldAfter),
    ] {
        let mut bench = written_to("");
        bench.fake.fail(call, &[fault]);
        let segment = json!({"type": "file", "name": "a.txt", "url": "base64://aGk="});
        let body = json!({"recipient": WITH_ANN, "platform": "wechat", "segments": [segment]});
        let (_, made) = bench.server.post(&body);
        bench.fake.until_held(call);
        cut(&mut bench);
        bench.server.until(made["id"].as_str().unwrap(), "Sent");
        let state = bench.fake.state();
        let [taken] = &state.bots[0].taken[..] else { panic!("{call}: {:?}", state.bots[0].taken) };
        let media = &taken["item_list"][0]["file_item"]["media"];
        assert!(state.files.contains_key(media["encrypt_query_param"].as_str().unwrap()));
    }
}

/// Makes a message of a caption and a file, and waits until the file is being put.
fn caption_and_file(bench: &Bench, fault: Fault) -> String {
    bench.fake.fail("upload", &[fault]);
    let segments = json!([
        {"type": "text", "text": "look"},
        {"type": "file", "name": "a.txt", "url": "base64://aGk="},
    ]);
    let body = json!({"recipient": WITH_ANN, "platform": "wechat", "segments": segments});
    let (_, made) = bench.server.post(&body);
    bench.fake.until_held("upload");
    made["id"].as_str().unwrap().to_owned()
}

/// Waits until it is sent: the caption and the file once each.
fn until_both_are_sent_once(bench: &Bench, id: &str, retries: u64) {
    let sent = bench.server.until(id, "Sent");
    assert_eq!(sent["retry_count"], retries, "{sent}");
    assert_eq!(bench.fake.texts(0), ["look"]);
    assert_eq!(bench.fake.state().bots[0].taken.len(), 2);
}

#[test]
fn a_caption_that_was_answered_goes_out_once_though_its_file_was_cut_by_a_kill() {
    let mut bench = written_to("");
    let id = caption_and_file(&bench, Fault::HoldBefore);
    cut(&mut bench);
    until_both_are_sent_once(&bench, &id, 1);
}

#[test]
fn a_stop_while_a_file_is_put_is_no_doubt_about_the_message() {
    let mut bench = written_to("on_unknown = 'fail'");
    let id = caption_and_file(&bench, Fault::HoldBefore);
    assert_eq!(bench.server.stop(), Some(0));
    bench.server.start_again();
    until_both_are_sent_once(&bench, &id, 0);
}

#[test]
fn a_send_goes_on_over_an_outage_of_polls() {
    let bench = written_to("on_unknown = 'fail'");
    let id = caption_and_file(&bench, Fault::Wait);
    bench.fake.fail("getupdates", &[Fault::Status(502); 3]);
    // It ends the poll that is held; the next ones fail.
    bench.fake.write(0, "more");
    eventually("it connects again", || {
        (bench.fake.state().bots[0].notices == ["start", "start"]).then_some(())
    });
    bench.until_inbound(2);
    bench.fake.change(|state| state.held.clear());
    until_both_are_sent_once(&bench, &id, 0);
}

#[test]
fn a_kill_inside_a_login_leaves_a_login_that_is_whole_or_none() {
    for (call, is_whole) in [("get_qrcode_status", false), ("notifystart", true)] {
        let mut bench = Bench::new("");
        let confirmed = bench.fake.new_bot(ANN);
        let account = confirmed["ilink_bot_id"].as_str().unwrap().to_owned();
        bench.fake.next_code(vec![confirmed]);
        bench.fake.fail(call, &[Fault::HoldAfter]);
        assert_eq!(bench.server.ask("POST", "/api/login/wechat", None).0, 201);
        bench.fake.until_held(call);
        cut(&mut bench);
        let bot = if is_whole {
            bench.until_account(&account, "Connected");
            0
        } else {
            let platforms = bench.server.get("/api/platforms").1.to_string();
            assert!(!platforms.contains(&account), "its token never came: {platforms}");
            bench.log_in(ANN);
            1
        };
        bench.fake.write(bot, "hello");
        bench.until_inbound(1);
    }
}

#[test]
fn a_login_whose_token_was_told_is_there_after_a_kill() {
    let mut bench = Bench::new("");
    let account = bench.log_in(ANN);
    cut(&mut bench);
    bench.until_account(&account, "Connected");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
}

#[test]
fn a_message_that_was_sent_goes_out_anew_if_somebody_sends_it_again() {
    for hides_ids in [false, true] {
        let mut bench = written_to("max_text = 3");
        bench.fake.change(|state| state.hides_ids = hides_ids);
        let id = bench.make("abcdef");
        bench.server.until(&id, "Sent");
        cut(&mut bench);
        let again = json!({"status": "Pending"});
        assert_eq!(bench.server.ask("PATCH", &format!("/api/messages/{id}"), Some(&again)).0, 200);
        bench.server.until(&id, "Sent");
        assert_eq!(bench.fake.texts(0), ["abc", "def", "abc", "def"], "{hides_ids}");
    }
}
