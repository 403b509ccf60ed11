//! Searching a history of Chinese and English chat: how fast the index is built, how large it is,
//! and how long a search takes.
//!
//!     cargo bench --bench search -- 1000000 [FOLDER]
//!
//! With a folder, the texts and the queries are left in it for `benches/search_fts5.py`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::option_map_unit_fn,
    reason = "a bench"
)]

use rechat::model::message::{Draft, MessageType};
use rechat::model::routing::RoutingFacts;
use rechat::search::{self, Index, Search};
use rechat::store::{Access, Command, MessageFilter, Page, Store, StoreOptions};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Messages that are queued together.
const BATCH: u64 = 4096;

/// Queries of each kind.
const QUERIES: usize = 300;

const PAGE: Page = Page { offset: 0, limit: 50, before: None };

/// Random numbers (xorshift64*), the same at each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end
    }

    /// A number below `end` that is `i` about as often as the word of rank `i` is used (Zipf).
    fn rank(&mut self, end: usize) -> usize {
        let unit = (self.below(1 << 30) as f64 + 0.5) / f64::from(1 << 30);
        ((end as f64).powf(unit) - 1.0) as usize
    }
}

/// Words of both languages, the most used first.
struct Vocabulary {
    chinese: Vec<String>,
    english: Vec<String>,
}

impl Vocabulary {
    fn new(random: &mut Random) -> Self {
        let character = |random: &mut Random| {
            char::from_u32(0x4E00 + (random.rank(6000) as u32 * 7919) % 20_000).unwrap()
        };
        let chinese = (0..60_000).map(|rank: u32| {
            let length = if rank < 300 { 1 } else { 2 + random.below(10) / 7 };
            (0..length).map(|_| character(random)).collect()
        });
        let chinese = chinese.collect();
        let syllables: Vec<String> = "th e a in er on an re he st en at or ti es nd to is ar it ng te al le ion ing ment ous ver com pro con tra sta ch qu x y z"
            .split(' ').map(str::to_owned).collect();
        let english = (0..40_000).map(|rank| {
            let count = 1 + random.below(if rank < 200 { 2 } else { 4 });
            (0..count).map(|_| &*syllables[random.rank(syllables.len())]).collect()
        });
        Self { chinese, english: english.collect() }
    }

    fn message(&self, random: &mut Random) -> String {
        let mut text = String::new();
        match random.below(10) {
            0..6 => {
                for i in 0..2 + random.below(7) {
                    if i > 0 && random.below(5) == 0 {
                        text.push('，');
                    }
                    text.push_str(&self.chinese[random.rank(self.chinese.len())]);
                }
            }
            6..9 => {
                for i in 0..2 + random.below(9) {
                    if i > 0 {
                        text.push(' ');
                    }
                    text.push_str(&self.english[random.rank(self.english.len())]);
                }
            }
            _ => {
                let word = &self.chinese[random.rank(self.chinese.len())];
                let id = random.below(1 << 30);
                write!(text, "{word} https://example.com/v/{id:x} 😂 {}", id % 1000).unwrap();
            }
        }
        text
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let count = arguments.next().map_or(100_000, |count| count.parse().unwrap());
    let folder = arguments.next().map(PathBuf::from);
    let place = tempfile::tempdir().unwrap();
    let db = place.path().join("rechat.redb");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut random = Random(7);
    let vocabulary = Vocabulary::new(&mut random);
    let store =
        Arc::new(Store::open(&StoreOptions::new(&db, Access::Write), Box::new(())).unwrap());

    let began = Instant::now();
    let texts = folder.as_ref().map(|folder| folder.join("texts.txt"));
    let mut texts = texts.map(|path| std::io::BufWriter::new(std::fs::File::create(path).unwrap()));
    let (mut bytes, mut made) = (0, 0);
    let (mut sample, mut used) = (Vec::new(), HashMap::new());
    while made < count {
        let batch: Vec<String> =
            (0..BATCH.min(count - made)).map(|_| vocabulary.message(&mut random)).collect();
        made += batch.len() as u64;
        for text in &batch {
            bytes += text.len() as u64;
            text.chars().for_each(|c| *used.entry(c).or_insert(0_u64) += 1);
            if let Some(texts) = &mut texts {
                writeln!(texts, "{text}").unwrap();
            }
        }
        sample.push(batch[0].clone());
        runtime.block_on(fill(&store, batch));
    }
    println!("{count} messages, {:.0} MB of text", bytes as f64 / 1e6);
    println!("stored in {:.1} s", began.elapsed().as_secs_f64());

    beside_writes(count.min(300_000), &sample, &runtime);
    let memory = resident("VmRSS");
    let index = Arc::new(Index::new(search::folder_beside(&db)));
    let stop = CancellationToken::new();
    let (began, used_before) = (Instant::now(), processor_seconds());
    let feed = runtime.spawn(search::run(index.clone(), store.clone(), stop.clone()));
    while index.missing(&store.view().unwrap()).unwrap() > 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = began.elapsed().as_secs_f64();
    let size = index.bytes();
    let used_for_each = (processor_seconds() - used_before) / count as f64;
    println!(
        "indexed in {seconds:.1} s: {:.0} messages/s, {:.1} µs of processor for each",
        count as f64 / seconds,
        used_for_each * 1e6
    );
    println!("index {:.0} MB, {:.2} of the text", size as f64 / 1e6, size as f64 / bytes as f64);
    println!(
        "memory {memory} MB before, {} MB after, {} MB at most",
        resident("VmRSS"),
        resident("VmHWM")
    );

    let mut by_use: Vec<(char, u64)> = used.into_iter().collect();
    by_use.sort_by_key(|&(c, uses)| (uses, c));
    let kinds = queries(&by_use, &sample, &mut random);
    let written = folder.map(|folder| std::fs::File::create(folder.join("queries.txt")).unwrap());
    println!(
        "\n{:<24} {:>9} {:>9} {:>9} {:>7}",
        "50 newest with", "p50 ms", "p99 ms", "max ms", "hits"
    );
    for (kind, queries) in kinds {
        for query in written.iter().flat_map(|_| &queries) {
            writeln!(written.as_ref().unwrap(), "{kind}\t{query}").unwrap();
        }
        let filter = MessageFilter::default();
        let mut took = Vec::new();
        let mut hits = 0;
        // The first pass brings the files into the system's cache.
        for is_warm in [false, true] {
            for query in &queries {
                let search = Search::new(Some(query), None).unwrap();
                let began = Instant::now();
                let found = index.search(&store, &filter, &search, PAGE).unwrap();
                if is_warm {
                    took.push(began.elapsed().as_secs_f64() * 1e3);
                    hits += found.messages.len();
                }
            }
        }
        took.sort_by(f64::total_cmp);
        let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
        println!(
            "{kind:<24} {:>9.2} {:>9.2} {:>9.2} {:>7.1}",
            at(0.5),
            at(0.99),
            at(1.0),
            hits as f64 / queries.len() as f64
        );
    }
    stop.cancel();
    runtime.block_on(feed).unwrap();
}

/// Cost of writing beside the index: the same messages, without it and with it, in turn.
fn beside_writes(count: u64, sample: &[String], runtime: &tokio::runtime::Runtime) {
    for round in 1..=3 {
        let rate = |is_indexed: bool| {
            let place = tempfile::tempdir().unwrap();
            let db = place.path().join("rechat.redb");
            let store = Store::open(&StoreOptions::new(&db, Access::Write), Box::new(())).unwrap();
            let (store, stop) = (Arc::new(store), CancellationToken::new());
            let index = Arc::new(Index::new(search::folder_beside(&db)));
            let feed =
                is_indexed.then(|| runtime.spawn(search::run(index, store.clone(), stop.clone())));
            let began = Instant::now();
            for _ in 0..count / BATCH {
                let batch = sample.iter().cycle().take(BATCH as usize).cloned().collect();
                runtime.block_on(fill(&store, batch));
            }
            let rate = count as f64 / began.elapsed().as_secs_f64();
            stop.cancel();
            feed.map(|feed| runtime.block_on(feed).unwrap());
            rate
        };
        let (without, with) = (rate(false), rate(true));
        println!(
            "round {round}: {without:.0} messages/s are stored without an index, {with:.0} with it: {:.2}",
            with / without
        );
    }
}

async fn fill(store: &Store, batch: Vec<String>) {
    let mut answers = Vec::new();
    for text in batch {
        let (recipient, platform) = ("group_1".to_owned(), Some("loopback".to_owned()));
        let draft = Draft::new(MessageType::Text, text, recipient, platform).unwrap();
        let command = Command::Create {
            draft,
            at: 1_700_000_000,
            idempotency: None,
            facts: RoutingFacts::default(),
        };
        answers.push(store.submit(command).await.unwrap());
    }
    for answer in answers {
        answer.await.unwrap();
    }
}

/// Texts that are searched for: of each kind, so many.
fn queries(
    by_use: &[(char, u64)],
    sample: &[String],
    random: &mut Random,
) -> Vec<(&'static str, Vec<String>)> {
    // A part of a message somewhere, of so many characters.
    let mut part = |length: usize, is_wanted: fn(char) -> bool| loop {
        let chars: Vec<char> = sample[random.below(sample.len())].chars().collect();
        if chars.len() >= length {
            let start = random.below(chars.len() - length + 1);
            let part = &chars[start..start + length];
            if part.iter().all(|&c| is_wanted(c)) {
                return part.iter().collect::<String>();
            }
        }
    };
    let is_chinese = |c: char| ('\u{4E00}'..'\u{A000}').contains(&c);
    let is_letter = |c: char| c.is_ascii_lowercase();
    let single = |used: &(char, u64)| used.0.to_string();
    let mut many = |length, is_wanted| (0..QUERIES).map(|_| part(length, is_wanted)).collect();
    vec![
        ("the rarest characters", by_use.iter().take(QUERIES).map(single).collect()),
        ("the commonest characters", by_use.iter().rev().take(30).map(single).collect()),
        ("a Chinese character", many(1, is_chinese)),
        ("two Chinese characters", many(2, is_chinese)),
        ("four Chinese characters", many(4, is_chinese)),
        ("two letters", many(2, is_letter)),
        ("three letters", many(3, is_letter)),
        ("six letters", many(6, is_letter)),
        ("twelve of anything", many(12, |_| true)),
        ("what is nowhere", (0..QUERIES).map(|i| format!("zq{i}xj")).collect()),
    ]
}

/// A figure of this process's memory, in MB.
fn resident(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    number.unwrap_or_default() / 1024
}

/// Processor time that this process has used: the system counts it in hundredths of a second.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
