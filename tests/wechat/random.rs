//! Random faults against a model: no run makes a message `Sent` that the other side did not take,
//! loses one, or doubles one without `retry_count` saying so.

use crate::bench::{Bench, WITH_ANN};
use crate::fake::Fault;
use crate::server::eventually;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

/// Steps unless `RECHAT_WECHAT_STEPS` says otherwise.
const STEPS: usize = 120;

/// Seed unless `RECHAT_WECHAT_SEED` says otherwise.
const SEED: u64 = 1;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

struct Run {
    bench: Bench,
    random: TestRng,
    /// The person's messages, in order.
    written: Vec<String>,
    /// Messages that were told, to be told again.
    told: Vec<Value>,
    /// The IDs of what was made, in order, by text.
    made: Vec<(String, String)>,
}

impl Run {
    fn below(&mut self, end: usize) -> usize {
        self.random.next_u32() as usize % end
    }

    fn fault(&mut self) -> Fault {
        [
            Fault::DropBefore,
            Fault::DropAfter,
            Fault::Half,
            Fault::Slow(Duration::from_millis(30)),
            Fault::Slow(Duration::from_millis(700)),
            Fault::Status(502),
            Fault::Ret(-1),
            Fault::Ret(-2),
        ][self.below(8)]
    }

    fn step(&mut self) {
        match self.below(20) {
            0..=4 => self.person_writes(),
            5..=10 => {
                let text = format!("out {}", self.made.len());
                let id = self.bench.make(&text);
                self.made.push((text, id));
            }
            11..=13 => {
                let fault = self.fault();
                self.bench.fake.fail("sendmessage", &[fault]);
            }
            14 | 15 => {
                let fault = match self.fault() {
                    // Refusals of a poll cost pauses of the official length.
                    Fault::Ret(_) | Fault::Status(_) => Fault::Half,
                    fault => fault,
                };
                self.bench.fake.fail("getupdates", &[fault]);
            }
            16 if !self.told.is_empty() => {
                let place = self.below(self.told.len());
                let mut message = self.told[place].clone();
                if self.below(2) == 0 {
                    message["message_id"] = self.random.next_u64().into();
                }
                self.bench.fake.tell_again(0, message);
            }
            17 => {
                let quota = self.below(4);
                self.bench.fake.change(|state| state.bots[0].quota = quota);
            }
            18 => {
                let hides = self.below(2) == 0;
                self.bench.fake.change(|state| state.hides_ids = hides);
            }
            _ => {
                self.bench.server.kill();
                self.bench.server.start_again();
            }
        }
    }

    fn person_writes(&mut self) {
        let text = format!("in {}", self.written.len());
        let message = self.bench.fake.write(0, &text);
        self.written.push(text);
        self.told.push(message);
    }

    /// Lets everything that waits go out, and compares it with what the other side has.
    fn check(&mut self) {
        self.bench.fake.change(|state| {
            state.bots[0].quota = 1_000;
            state.faults.clear();
        });
        eventually("everything is decided", || {
            let open = ["Pending", "Sending"].map(|status| {
                let path = format!("/api/messages?direction=Outbound&status={status}&limit=200");
                self.bench.server.get(&path).1["messages"].as_array().unwrap().len()
            });
            if open == [0, 0] {
                return Some(());
            }
            // A limit that was hit is lifted by the person's next message.
            let text = format!("in {}", self.written.len());
            self.told.push(self.bench.fake.write(0, &text));
            self.written.push(text);
            std::thread::sleep(Duration::from_millis(200));
            None
        });
        let wanted = self.written.clone();
        assert_eq!(self.bench.until_inbound(wanted.len().min(200)), wanted, "lost or doubled");
        let mut taken: HashMap<String, u64> = HashMap::new();
        let texts = self.bench.fake.texts(0);
        for text in &texts {
            *taken.entry(text.clone()).or_default() += 1;
        }
        for (text, id) in &self.made {
            let message = self.bench.message(id);
            let times = taken.get(text).copied().unwrap_or(0);
            let retries = message["retry_count"].as_u64().unwrap();
            match message["status"].as_str().unwrap() {
                "Sent" => assert!(times >= 1, "it is Sent, and was never taken: {message}"),
                "Failed" => assert!(message["last_error"].is_string(), "{message}"),
                status => panic!("{status}: {message}"),
            }
            assert!(times <= retries + 1, "{times} times: {message}");
        }
        let mut firsts: Vec<String> = Vec::new();
        for text in texts {
            if !firsts.contains(&text) {
                firsts.push(text);
            }
        }
        let order = |text: &String| self.made.iter().position(|(made, _)| made == text).unwrap();
        assert!(firsts.is_sorted_by_key(order), "out of order: {firsts:?}");
        assert_eq!(self.bench.fake.state().bots[0].most_polls, 1);
        self.bench.assert_no_complaints();
    }
}

#[test]
fn no_fault_makes_a_message_sent_that_was_not_taken_lost_or_doubled_in_silence() {
    let seed = number("RECHAT_WECHAT_SEED", SEED);
    let steps = usize::try_from(number("RECHAT_WECHAT_STEPS", STEPS as u64)).unwrap();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut run = Run {
        bench: Bench::logged_in("answer_timeout = 0.4"),
        random: TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
        written: Vec::new(),
        told: Vec::new(),
        made: Vec::new(),
    };
    eprintln!("seed {seed}, {steps} steps, {WITH_ANN}");
    run.person_writes();
    for _ in 0..steps {
        run.step();
    }
    run.check();
}
