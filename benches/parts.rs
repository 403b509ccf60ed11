//! The pure parts that every message goes through: `cargo bench`.

#![allow(clippy::expect_used, reason = "benches")]

use divan::{Bencher, black_box};
use rechat::hub::frame::{Frame, FrameContent};
use rechat::model::cursor::Cursor;
use rechat::model::message::{Draft, Message, MessageType};
use rechat::model::subscription::Topic;
use rechat::store::postings::Places;
use rechat::store::record;

fn main() {
    divan::main();
}

fn message() -> Message {
    let content = "Somebody says something of the length that people write".to_owned();
    let draft = Draft::new(MessageType::Text, content, "group_123456".into(), Some("qq".into()));
    draft.expect("a draft").into_message(1_000_000, uuid::Uuid::from_u128(7), 1_700_000_000)
}

#[divan::bench]
fn encode_a_record(bencher: Bencher) {
    let message = message();
    bencher.bench(|| record::encode(black_box(&message)));
}

#[divan::bench]
fn decode_a_record(bencher: Bencher) {
    let bytes = record::encode(&message()).expect("a record");
    bencher.bench(|| record::decode(1_000_000, black_box(&bytes)));
}

#[divan::bench]
fn encode_a_frame(bencher: Bencher) {
    let message = message();
    let place = Cursor::default().into();
    bencher.bench(|| Frame::of(&FrameContent::New(black_box(&message)), place, false));
}

#[divan::bench]
fn serialise_a_message(bencher: Bencher) {
    let message = message();
    bencher.bench(|| serde_json::to_vec(black_box(&message)));
}

#[divan::bench]
fn match_a_message() -> usize {
    Topic::matching(black_box("qq"), black_box("group_123456")).into_iter().count()
}

#[divan::bench]
fn add_to_a_set_and_encode_it(bencher: Bencher) {
    let mut places = Places::default();
    for place in 0..2000 {
        places.set(place * 2, true);
    }
    bencher.bench_local(|| {
        places.set(black_box(4001), true);
        places.encode()
    });
}
