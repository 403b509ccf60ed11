//! Files in both directions: encrypted here, put on the platform's file servers, and fetched from there.

use crate::bench::{Bench, WITH_ANN};
use crate::fake::Fault;
use crate::server::eventually;
use base64::prelude::{BASE64_STANDARD, Engine};
use ecb::cipher::block_padding::Pkcs7;
use ecb::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyInit};
use serde_json::{Value, json};

/// The key of files that come in, and its hexadecimal digits.
const KEY: [u8; 16] = [9; 16];
const DIGITS: &str = "09090909090909090909090909090909";

/// Puts a file on the platform's servers; gives what leads to it.
fn put(bench: &Bench, reference: &str, bytes: &[u8]) -> Value {
    let encryptor = ecb::Encryptor::<aes::Aes128>::new(&KEY.into());
    let encrypted = encryptor.encrypt_padded_vec::<Pkcs7>(bytes);
    bench.fake.change(|state| state.files.insert(reference.into(), encrypted));
    json!({"encrypt_query_param": reference, "aes_key": BASE64_STANDARD.encode(DIGITS)})
}

/// Waits until the file of the newest message is here, and gives its segment and its bytes.
fn until_here(bench: &Bench) -> (Value, Vec<u8>) {
    let segment = eventually("it is here", || {
        let segment = bench.inbound().last()?["segments"][0].clone();
        segment["media"].is_string().then_some(segment)
    });
    let path = format!("/api/media/{}", segment["media"].as_str().unwrap());
    let mut answer = crate::server::agent().get(bench.server.url(&path)).call().unwrap();
    (segment, answer.body_mut().read_to_vec().unwrap())
}

/// Waits until the file of the newest message could not be fetched, and gives why.
fn until_failed(bench: &Bench) -> Value {
    eventually("it is not here", || {
        let failure = bench.inbound().last()?["segments"][0]["failure"].clone();
        failure.is_object().then_some(failure)
    })
}

#[test]
fn a_picture_that_comes_in_is_fetched_and_decrypted() {
    let bench = Bench::logged_in("");
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x04\x08\x06\0\0\0";
    let media = put(&bench, "a picture", picture);
    bench.fake.tell(0, json!([{"type": 2, "image_item": {"media": media}}]));
    let (segment, bytes) = until_here(&bench);
    assert_eq!((&segment["mime"], &segment["width"]), (&json!("image/png"), &json!(3)));
    assert_eq!(bytes, picture);
}

#[test]
fn voices_files_and_videos_are_fetched_as_they_arrive_for_their_references_expire() {
    let mut bench = Bench::logged_in("");
    let voice = b"\x02#!SILK_V3 a voice";
    let item = json!({"media": put(&bench, "a voice", voice), "playtime": 1500, "encode_type": 4});
    bench.fake.tell(0, json!([{"type": 3, "voice_item": item}]));
    bench.until_inbound(1);
    assert_eq!(until_here(&bench).1, voice);
    let file = vec![7; 1_000];
    let item = json!({"media": put(&bench, "a file", &file), "file_name": "a.bin", "len": "1000"});
    bench.fake.tell(0, json!([{"type": 4, "file_item": item}]));
    bench.until_inbound(2);
    let (segment, bytes) = until_here(&bench);
    assert_eq!((&segment["name"], &segment["size"]), (&json!("a.bin"), &json!(1_000)));
    assert_eq!(bytes, file);
    // One that came just before a kill is fetched after the next start.
    bench.fake.fail("download", &[Fault::HoldBefore]);
    let video = b"\0\0\0\x18ftypmp42 a video";
    let item = json!({"media": put(&bench, "a video", video), "video_size": 32});
    bench.fake.tell(0, json!([{"type": 5, "video_item": item}]));
    bench.until_inbound(3);
    bench.fake.until_held("download");
    bench.server.kill();
    bench.server.start_again();
    assert_eq!(until_here(&bench).1, video);
}

#[test]
fn only_pictures_are_fetched_where_that_is_configured() {
    let bench = Bench::logged_in("[media]\nfetch = ['image']");
    let file = json!({"media": put(&bench, "a file", b"bytes"), "file_name": "a.bin"});
    bench.fake.tell(0, json!([{"type": 4, "file_item": file}]));
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x04\x08\x06\0\0\0";
    let media = put(&bench, "a picture", picture);
    bench.fake.tell(0, json!([{"type": 2, "image_item": {"media": media}}]));
    bench.until_inbound(2);
    until_here(&bench);
    let file = bench.inbound()[0].clone();
    assert_eq!(file["segments"][0].get("media"), None, "{file}");
    let path = format!("/api/messages/{}/media", file["id"].as_str().unwrap());
    let (status, file) = bench.server.ask("POST", &path, None);
    assert_eq!(status, 200, "{file}");
    assert!(file["segments"][0]["media"].is_string(), "it is fetched once somebody asks: {file}");
}

#[test]
fn a_file_that_is_gone_or_has_another_key_says_so_and_its_message_stays() {
    let bench = Bench::logged_in("");
    let gone = json!({"encrypt_query_param": "expired", "aes_key": BASE64_STANDARD.encode(DIGITS)});
    bench.fake.tell(0, json!([{"type": 4, "file_item": {"media": gone, "file_name": "a.bin"}}]));
    bench.until_inbound(1);
    let failure = until_failed(&bench);
    assert_ne!(failure["retryable"], true, "{failure}");
    assert!(failure["reason"].as_str().unwrap().contains("404"), "{failure}");
    // The same file sent twice: the servers keep the first, and the second message has a new key.
    let mut other = put(&bench, "a file", b"some bytes");
    other["aes_key"] = json!(BASE64_STANDARD.encode("08".repeat(16)));
    bench.fake.tell(0, json!([{"type": 4, "file_item": {"media": other, "file_name": "b.bin"}}]));
    bench.until_inbound(2);
    let failure = until_failed(&bench);
    assert_ne!(failure["retryable"], true, "{failure}");
    assert!(failure["reason"].as_str().unwrap().contains("decrypted"), "{failure}");
    assert_eq!(bench.until_inbound(2), ["a.bin", "b.bin"]);
}

#[test]
fn a_message_with_a_file_that_comes_again_under_another_id_and_address_is_one() {
    let bench = Bench::logged_in("");
    let item = json!({"media": put(&bench, "here", b"bytes"), "file_name": "a.bin", "len": "5"});
    let mut again = bench.fake.tell(0, json!([{"type": 4, "file_item": item}]));
    bench.until_inbound(1);
    again["message_id"] = json!("9007199254740993");
    let media = &mut again["item_list"][0]["file_item"]["media"];
    media["encrypt_query_param"] = json!("there");
    media["full_url"] = json!("https://cdn.example/there");
    bench.fake.tell_again(0, again);
    bench.fake.write(0, "last");
    assert_eq!(bench.until_inbound(2), ["a.bin", "last"]);
}

/// Decrypts as the platform's clients do: the key is the base64 of its hex digits.
fn decrypted(media: &Value, bytes: &[u8]) -> Vec<u8> {
    let digits = BASE64_STANDARD.decode(media["aes_key"].as_str().unwrap()).unwrap();
    let digits = String::from_utf8(digits).unwrap();
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let key: [u8; 16] = std::array::from_fn(|n| byte(2 * n));
    let decryptor = ecb::Decryptor::<aes::Aes128>::new(&key.into());
    decryptor.decrypt_padded_vec::<Pkcs7>(bytes).unwrap()
}

#[test]
fn files_are_encrypted_put_and_referred_to_each_in_a_message_of_its_own() {
    let bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    let (picture, file) = (vec![7; 1_000], b"some words".to_vec());
    let address = |bytes: &[u8]| format!("base64://{}", BASE64_STANDARD.encode(bytes));
    let body = json!({"recipient": WITH_ANN, "platform": "wechat", "segments": [
        {"type": "text", "text": "look"},
        {"type": "image", "url": address(&picture)},
        {"type": "file", "name": "a.txt", "url": address(&file)},
    ]});
    // The file servers fail at first.
    bench.fake.change(|state| state.file_faults.push_back(500));
    let (status, made) = bench.server.post(&body);
    assert_eq!(status, 201, "{made}");
    bench.server.until(made["id"].as_str().unwrap(), "Sent");
    let state = bench.fake.state();
    let items: Vec<_> = state.bots[0].taken.iter().map(|one| &one["item_list"][0]).collect();
    assert_eq!(items[0]["text_item"]["text"], "look");
    let image = &items[1]["image_item"];
    let reference = image["media"]["encrypt_query_param"].as_str().unwrap();
    let put = &state.files[reference];
    assert_eq!(image["mid_size"], put.len());
    assert_eq!(decrypted(&image["media"], put), picture);
    let sent = &items[2]["file_item"];
    assert_eq!((&sent["file_name"], &sent["len"]), (&json!("a.txt"), &json!("10")));
    let reference = sent["media"]["encrypt_query_param"].as_str().unwrap();
    assert_eq!(decrypted(&sent["media"], &state.files[reference]), file);
    assert_eq!(state.uploads[0]["media_type"], 1);
    assert_eq!(state.uploads[0]["filesize"], 1_008);
    assert_eq!(state.uploads[1]["media_type"], 3);
    assert_eq!(state.uploads[1]["rawsize"], 10);
}

/// Makes a message of one file.
fn make_file(bench: &Bench) -> String {
    let segment = json!({"type": "file", "name": "a.txt", "url": "base64://aGk="});
    let body = json!({"recipient": WITH_ANN, "platform": "wechat", "segments": [segment]});
    let (status, made) = bench.server.post(&body);
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_account_that_may_send_no_files_sends_the_texts_behind_them() {
    let bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.fake.fail("getuploadurl", &[Fault::Ret(-2)]);
    let file = make_file(&bench);
    let text = bench.make("a text behind it");
    let failed = bench.server.until(&file, "Failed");
    assert!(failed["last_error"].as_str().unwrap().contains("takes no files"), "{failed}");
    bench.server.until(&text, "Sent");
    assert_eq!(bench.fake.texts(0), ["a text behind it"]);
}

#[test]
fn a_file_goes_to_the_configured_address_or_a_public_one() {
    let bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    let private = "http://127.0.0.2:9/put?key=secret".to_owned();
    bench.fake.change(|state| state.upload_address = Some(private));
    let failed = bench.server.until(&make_file(&bench), "Failed");
    let reason = failed["last_error"].as_str().unwrap();
    assert!(reason.contains("not sent there") && !reason.contains("secret"), "{failed}");
    let configured = format!("{}/c2c/upload?encrypted_query_param=put+here+1", bench.fake.url());
    bench.fake.change(|state| state.upload_address = Some(configured));
    bench.server.until(&make_file(&bench), "Sent");
    assert_eq!(bench.fake.state().files.len(), 1);
}

#[test]
fn a_file_that_is_refused_fails_with_the_reason() {
    let bench = Bench::logged_in("");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.fake.change(|state| state.file_faults.push_back(403));
    let failed = bench.server.until(&make_file(&bench), "Failed");
    assert!(failed["last_error"].as_str().unwrap().contains("too much"), "{failed}");
    assert_eq!(bench.fake.state().bots[0].attempts, 0);
}

#[test]
fn an_attempt_ends_in_time_though_the_file_server_does_not_answer_and_goes_on_after_its_first_part()
{
    let bench = Bench::logged_in("answer_timeout = 0.5");
    bench.fake.write(0, "hello");
    bench.until_inbound(1);
    bench.fake.fail("upload", &[Fault::HoldBefore]);
    let segments = json!([
        {"type": "text", "text": "look"},
        {"type": "file", "name": "a.txt", "url": "base64://aGk="},
    ]);
    let body = json!({"recipient": WITH_ANN, "platform": "wechat", "segments": segments});
    let (_, made) = bench.server.post(&body);
    let sent = bench.server.until(made["id"].as_str().unwrap(), "Sent");
    assert_eq!(sent["retry_count"], 1, "{sent}");
    assert_eq!(bench.fake.texts(0), ["look"]);
    assert_eq!(bench.fake.state().files.len(), 1);
}
