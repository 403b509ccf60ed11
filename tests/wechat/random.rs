//! Random faults against a model: no run makes a message `Sent` that the other side did not take,
//! loses one, or doubles one without `retry_count` saying so.

use crate::bench::{ANN, Bench, WITH_ANN};
use crate::fake::Fault;
use crate::server::eventually;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// Steps unless `RECHAT_WECHAT_STEPS` says otherwise.
const STEPS: usize = 120;

/// Logins after the first.
const MAX_LOGINS: usize = 3;

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
    /// The IDs of what was made, in order, by text or by the file's name.
    made: Vec<(String, String)>,
    /// The person's bot, the newest of all.
    bot: usize,
    /// Times that the configuration was read anew.
    reloads: usize,
    /// Of the adapter's entry.
    options: &'static str,
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
        match self.below(28) {
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
                let bot = self.bot;
                self.bench.fake.change(|state| state.bots[bot].quota = quota);
            }
            18 => {
                let hides = self.below(2) == 0;
                self.bench.fake.change(|state| state.hides_ids = hides);
            }
            19..=21 => self.make_file(),
            22 | 23 => {
                let fault = self.fault();
                let call = ["getuploadurl", "upload"][self.below(2)];
                self.bench.fake.fail(call, &[fault]);
            }
            24 => {
                let bot = self.bot;
                self.bench.fake.change(|state| state.bots[bot].is_closed = true);
            }
            25 => {
                self.reloads += 1;
                self.bench.configure(&format!(
                    "{}\nrate_limit = {}",
                    self.options,
                    1_000 + self.reloads
                ));
                self.bench.server.signal(Signal::HUP);
            }
            26 if self.bot < MAX_LOGINS => self.log_in_again(),
            _ => {
                self.bench.server.kill();
                self.bench.server.start_again();
            }
        }
    }

    fn person_writes(&mut self) {
        let text = format!("in {}", self.written.len());
        let message = self.bench.fake.write(self.bot, &text);
        self.written.push(text);
        self.told.push(message);
    }

    fn make_file(&mut self) {
        let name = format!("file {}", self.made.len());
        let segment = json!({"type": "file", "name": name, "url": "base64://aGk="});
        let body = json!({"recipient": WITH_ANN, "platform": "wechat", "segments": [segment]});
        let (status, made) = self.bench.server.post(&body);
        assert_eq!(status, 201, "{made}");
        self.made.push((name, made["id"].as_str().unwrap().to_owned()));
    }

    /// The person scans a code anew and gets another bot; what the old one had not told yet would be gone.
    fn log_in_again(&mut self) {
        self.bench.fake.change(|state| state.faults.clear());
        self.bench.until_inbound(self.written.len().min(200));
        self.bench.log_in(ANN);
        self.bot += 1;
        self.told.clear();
    }

    /// The texts that the other side took, in order: each line of a text, and the name of each file.
    fn taken(&self) -> Vec<String> {
        let state = self.bench.fake.state();
        let mut all = Vec::new();
        for message in state.bots.iter().flat_map(|bot| &bot.taken) {
            let item = &message["item_list"][0];
            let words =
                item["text_item"]["text"].as_str().or(item["file_item"]["file_name"].as_str());
            all.extend(words.unwrap().lines().map(str::to_owned));
        }
        all
    }

    /// Lets everything that waits go out, and compares it with what the other side has.
    fn check(&mut self) {
        let bot = self.bot;
        self.bench.fake.change(|state| {
            state.bots[bot].quota = 1_000;
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
            self.person_writes();
            std::thread::sleep(Duration::from_millis(200));
            None
        });
        let wanted = self.written.clone();
        assert_eq!(self.bench.until_inbound(wanted.len().min(200)), wanted, "lost or doubled");
        let mut taken: HashMap<String, u64> = HashMap::new();
        let texts = self.taken();
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
        assert!(self.bench.fake.state().bots.iter().all(|bot| bot.most_polls <= 1), "two pollers");
        self.bench.assert_no_complaints();
    }
}

/// A run of random steps; its seed is printed, and given again by `RECHAT_WECHAT_SEED`.
fn run(seed: u64, options: &'static str) {
    let seed = number("RECHAT_WECHAT_SEED", seed);
    let steps = usize::try_from(number("RECHAT_WECHAT_STEPS", STEPS as u64)).unwrap();
    eprintln!("seed {seed}, {steps} steps");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut run = Run {
        bench: Bench::logged_in(options),
        random: TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
        written: Vec::new(),
        told: Vec::new(),
        made: Vec::new(),
        bot: 0,
        reloads: 0,
        options,
    };
    run.person_writes();
    for _ in 0..steps {
        run.step();
    }
    run.check();
}

#[test]
fn no_fault_makes_a_message_sent_that_was_not_taken_lost_or_doubled_in_silence() {
    run(1, "answer_timeout = 0.4");
}

#[test]
fn nor_does_one_where_texts_go_out_joined() {
    run(2, "answer_timeout = 0.4\njoin_texts = true");
}
