//! A thousand messages a second with three bots attached: order is kept, and nothing is missed.

use crate::framework::Framework;
use crate::onebot::Peer;
use crate::onebot11::{group_message, headers, willing};
use crate::satori_client::Satori;
use crate::server::{Home, TestServer, eventually};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::interval;

/// Messages in all: 1,000 a second for 20 s.
const MESSAGES: usize = 20_000;

/// Messages of one step, and the pause between two.
const STEP: usize = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// Reads all messages in order; how long each was on its way, in the end.
async fn read<F: Future<Output = Vec<String>>>(
    mut next: impl FnMut() -> F,
    said: Arc<std::sync::Mutex<Vec<Instant>>>,
) -> Vec<Duration> {
    let mut took = Vec::with_capacity(MESSAGES);
    for n in 0..MESSAGES {
        assert_eq!(next().await, [format!("m{n}")]);
        let at = said.lock().unwrap()[n];
        took.push(at.elapsed());
    }
    took
}

fn shown(name: &str, mut took: Vec<Duration>) {
    took.sort();
    let at = |part: usize| took[took.len() * part / 1_000 - 1];
    eprintln!(
        "{name}: half within {:?}, 99 % within {:?}, all within {:?}",
        at(500),
        at(990),
        at(1_000)
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs half a minute: tests/run"]
async fn a_thousand_messages_a_second_reach_three_bots_in_order() {
    let (one, two) = (Framework::new().await, Framework::new().await);
    let home = Arc::new(Home::new());
    let entry = |name: &str, framework: &Framework| {
        format!("[[bot]]\nname = '{name}'\nkind = 'onebot11'\nurl = '{}'\n", framework.url())
    };
    let satori = "[[bot]]\nname = 'three'\nkind = 'satori'\ntoken = 'secret'\n";
    home.configure(&(entry("one", &one) + &entry("two", &two) + satori));
    let server = TestServer::start_in(home, &[]);
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let peer = Peer::dial(&url, &headers("10001000", "Universal"), willing()).await.unwrap();
    let (first, second) = (one.accept().await, two.accept().await);
    eventually("the account is known", || {
        let told = server.get("/api/bots").1;
        (!told["bots"][2]["accounts"].as_array().unwrap().is_empty()).then_some(())
    });
    let third = Satori::connect(&server, "three").await;
    let said = Arc::new(std::sync::Mutex::new(Vec::with_capacity(MESSAGES)));
    let mut readers = Vec::new();
    for bot in [first, second] {
        let (bot, said) = (Arc::new(tokio::sync::Mutex::new(bot)), said.clone());
        let next = move || {
            let bot = bot.clone();
            async move { bot.lock().await.texts(1).await }
        };
        readers.push(tokio::spawn(read(next, said)));
    }
    let bot = Arc::new(tokio::sync::Mutex::new(third));
    let next = move || {
        let bot = bot.clone();
        async move { bot.lock().await.texts(1).await }
    };
    readers.push(tokio::spawn(read(next, said.clone())));
    let began = Instant::now();
    let mut ticks = interval(PAUSE);
    for (n, id) in (0..MESSAGES).zip(1_i64..) {
        if n % STEP == 0 {
            ticks.tick().await;
        }
        said.lock().unwrap().push(Instant::now());
        peer.push(&group_message(10_001_000, 77, id, &format!("m{n}")));
    }
    let pushed = began.elapsed();
    for (name, reader) in ["OneBot 11", "OneBot 11", "Satori"].into_iter().zip(readers) {
        shown(name, reader.await.unwrap());
    }
    eprintln!("{MESSAGES} messages in {pushed:?}, read by all three after {:?}", began.elapsed());
}
