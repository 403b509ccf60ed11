//! The process is killed between every two steps of a poll and of a send: nothing that came in is
//! lost or doubled, and nothing goes out twice without `retry_count` saying so.

use crate::bench::Bench;
use crate::fake::Fault;
use crate::server::eventually;
use serde_json::json;
use std::time::Duration;

/// Longer than the process lives.
const LONG: Fault = Fault::Slow(Duration::from_secs(2));

#[test]
fn a_kill_before_the_answer_to_a_poll_loses_nothing() {
    let mut bench = Bench::logged_in("");
    bench.fake.write(0, "one");
    bench.until_inbound(1);
    // The other side has answered, and the answer is on its way.
    bench.fake.fail("getupdates", &[LONG, LONG]);
    bench.fake.write(0, "opens the slow poll");
    bench.fake.write(0, "two");
    bench.until_inbound(2);
    bench.server.kill();
    bench.fake.write(0, "three");
    bench.server.start_again();
    assert_eq!(bench.until_inbound(4), ["one", "opens the slow poll", "two", "three"]);
}

#[test]
fn a_kill_at_any_moment_after_an_answer_loses_and_doubles_nothing() {
    let mut bench = Bench::logged_in("");
    let mut wanted = Vec::new();
    for round in 0..8 {
        for n in 0..5 {
            let text = format!("{round} {n}");
            bench.fake.write(0, &text);
            wanted.push(text);
        }
        // From before the answer is read to after the next poll has begun.
        std::thread::sleep(Duration::from_millis(round * round / 2));
        bench.server.kill();
        bench.server.start_again();
    }
    assert_eq!(bench.until_inbound(wanted.len()), wanted);
    bench.fake.write(0, "end");
    wanted.push("end".into());
    assert_eq!(bench.until_inbound(wanted.len()), wanted);
    let checked = bench.server.home.ok(&["stats"]);
    assert!(!checked.is_empty());
}

#[test]
fn the_reply_token_is_there_whenever_its_message_is() {
    let mut bench = Bench::logged_in("");
    for round in 0..5 {
        bench.fake.write(0, &format!("question {round}"));
        bench.until_inbound(round + 1);
        bench.server.kill();
        bench.server.start_again();
        let id = bench.make(&format!("answer {round}"));
        let sent = bench.server.until(&id, "Sent");
        assert_eq!(sent["retry_count"], 0, "no refusal was met: {sent}");
    }
    let state = bench.fake.state();
    assert_eq!(state.bots[0].attempts, 5);
}

#[test]
fn a_kill_while_a_send_is_answered_is_told_by_the_retry_count() {
    let mut bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    // It is taken; the answer never comes.
    bench.fake.fail("sendmessage", &[LONG]);
    let id = bench.make("in doubt");
    eventually("it is taken", || (bench.fake.texts(0).len() == 1).then_some(()));
    bench.server.kill();
    bench.server.start_again();
    let sent = bench.server.until(&id, "Sent");
    let times = bench.fake.texts(0).len();
    assert_eq!(sent["retry_count"], json!(times - 1), "{sent}");
    assert_eq!(times, 2);
}

#[test]
fn a_kill_before_a_send_arrives_sends_it_once() {
    let mut bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.fake.fail("sendmessage", &[Fault::DropBefore]);
    let id = bench.make("late");
    bench.server.kill();
    bench.server.start_again();
    bench.server.until(&id, "Sent");
    assert_eq!(bench.fake.texts(0), ["late"]);
}

#[test]
fn a_login_whose_token_was_told_is_there_after_a_kill() {
    let mut bench = Bench::new("");
    let account = bench.log_in(crate::bench::ANN);
    bench.server.kill();
    bench.server.start_again();
    bench.until_account(&account, "Connected");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
}
