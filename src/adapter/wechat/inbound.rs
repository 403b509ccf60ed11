//! Parses a message of the interface into segments.

use super::address::conversation;
use super::json::{count, id, list, number, read_partly, text};
use crate::adapter::api::cut;
use crate::model::content::{Content, Media, Segment};
use crate::model::inbound::{AlikeEntries, Inbound};
use crate::model::message::{ReplyTo, Sender, excerpt};
use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use serde_json::Value;
use serde_json::value::RawValue;

/// A time below this is in seconds: as milliseconds it would be in 1973.
const MIN_MILLISECONDS: u64 = 100_000_000_000;

/// The type of a message that a bot sent: an echo.
const FROM_BOT: i64 = 2;

/// The sender of a message that names none.
const NOBODY: &str = "unknown";

/// A message as it came.
#[derive(Debug)]
pub(super) enum ReadMessage {
    Message(Box<Received>),
    /// The echo of one of the bot's own.
    Echo,
    /// It is no message that could be read.
    Unreadable,
}

/// A message, and what came with it.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) message: Inbound,
    /// The token to answer it with.
    pub(super) context_token: Option<String>,
    /// When it was written, in Unix milliseconds; 0 where that is not told.
    pub(super) written_ms: u64,
}

/// Reads a message as far as it goes.
pub(super) fn read(told: &RawValue, platform: &str, account: &str) -> ReadMessage {
    let value = read_partly(told);
    if !value.is_object() {
        ReadMessage::Unreadable
    } else if number(&value, "message_type") == Some(FROM_BOT) {
        ReadMessage::Echo
    } else {
        ReadMessage::Message(Box::new(received(&value, platform, account)))
    }
}

fn received(value: &Value, platform: &str, account: &str) -> Received {
    let sender = text(value, "from_user_id").unwrap_or(NOBODY);
    // No group was ever seen; should one come, it is no private conversation.
    let conversation = match text(value, "group_id") {
        Some(group) => format!("group_{group}"),
        None => conversation(sender),
    };
    let time = count(value, "create_time_ms").unwrap_or(0);
    let is_exact = time >= MIN_MILLISECONDS;
    let written_ms = if is_exact { time } else { time * 1000 };
    let items = list(value, "item_list");
    let print = fingerprint(sender, written_ms, items);
    let unnamed = || if is_exact { print.clone() } else { name(value, &print) };
    let external_id = id(value, "message_id").unwrap_or_else(unnamed);
    let is_text = |item: &Value| number(item, "type") == Some(1) && item.get("ref_msg").is_none();
    let segments = segments(items);
    Received {
        message: Inbound {
            platform: platform.to_owned(),
            account: account.to_owned(),
            conversation,
            conversation_name: None,
            sender: Sender { id: sender.to_owned(), name: String::new() },
            content: Content::of(segments),
            reply_to: items.iter().find_map(quoted).map(Box::new),
            external_id,
            time: written_ms / 1000,
            own: false,
            from_history: false,
            alike: AlikeEntries::default(),
            clock_ahead: None,
            original: (!items.iter().all(is_text)).then(|| value["item_list"].to_string()),
            // Without it, or with seconds, two messages that say the same are not told apart.
            fingerprint: is_exact.then_some(print),
        },
        context_token: text(value, "context_token").map(str::to_owned),
        written_ms,
    }
}

/// The name of a message that has neither an ID nor an exact time: of all else that tells it from
/// another that says the same.
fn name(value: &Value, print: &str) -> String {
    let fields = ["seq", "client_id", "context_token"].map(|field| id(value, field));
    HEXLOWER.encode(&Md5::digest(format!("{print} {fields:?}")))
}

/// By which a message is known when it comes again under another ID: its sender, its time and what
/// it says. IDs of items, times of the server and addresses of files are left out, which may be others.
fn fingerprint(sender: &str, written_ms: u64, items: &[Value]) -> String {
    let mut hash = Md5::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(sender);
    add(&written_ms.to_string());
    for item in items {
        let fields = item.as_object().into_iter().flatten();
        for (name, value) in fields.filter(|(name, _)| name.ends_with("_item") || *name == "type") {
            add(name);
            match FILES.iter().find(|(item, _)| item == name) {
                Some((_, lasting)) => {
                    let file = file_print(value, lasting);
                    for field in &file {
                        add(field);
                    }
                }
                None => add(&value.to_string()),
            }
        }
    }
    HEXLOWER.encode(&hash.finalize())
}

/// The items that are files, with the fields by which each is known wherever it lies (facts, section 5.2).
const FILES: [(&str, &[&str]); 4] = [
    ("image_item", &["aeskey", "mid_size", "hd_size"]),
    ("voice_item", &["playtime"]),
    ("file_item", &["file_name", "md5", "len"]),
    ("video_item", &["video_md5", "video_size", "play_length"]),
];

/// Fields of a file that are the same wherever it lies: those named, and its key.
fn file_print(file: &Value, lasting: &[&str]) -> Vec<String> {
    let key = file.get("media").and_then(|media| media.get("aes_key"));
    let fields = lasting.iter().map(|name| file.get(name));
    let shown = |field: Option<&Value>| field.unwrap_or(&Value::Null).to_string();
    fields.chain([key]).map(shown).collect()
}

fn segments(items: &[Value]) -> Vec<Segment> {
    let mut segments: Vec<_> = items.iter().map(segment).collect();
    if segments.is_empty() {
        segments.push(unknown(&Value::Null));
    }
    segments
}

/// One item. Addresses of files are left out: the files are encrypted, and only this adapter can read
/// them.
fn segment(item: &Value) -> Segment {
    let part = |name: &str| item.get(name).unwrap_or(&Value::Null);
    match number(item, "type") {
        Some(1) => {
            let text = text(part("text_item"), "text").unwrap_or_default();
            Segment::Text { text: text.to_owned() }
        }
        Some(2) => Segment::Image(Media::default()),
        Some(3) => Segment::Audio(voice(part("voice_item"))),
        Some(4) => {
            let file = part("file_item");
            Segment::File(Media {
                name: text(file, "file_name").map(str::to_owned),
                size: count(file, "len"),
                ..Media::default()
            })
        }
        Some(5) => Segment::Video(Media::default()),
        Some(11 | 12) => {
            let call = match part("tool_call_start_item") {
                Value::Null => part("tool_call_result_item"),
                call => call,
            };
            let text = text(call, "tool_name").map(str::to_owned);
            Segment::Other { name: "tool_call".into(), text }
        }
        _ => unknown(item),
    }
}

/// An item of no known type, by the platform's own word: its part, else the number of its type, else
/// the field where items are.
fn unknown(item: &Value) -> Segment {
    let mut fields = item.as_object().into_iter().flat_map(|fields| fields.keys());
    let part = fields.find(|name| name.ends_with("_item"));
    let kind = || number(item, "type").map(|number| number.to_string());
    let name = part.cloned().or_else(kind).unwrap_or_else(|| "item_list".into());
    Segment::Other { name: cut(&name).into_owned(), text: None }
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds of a voice are few")]
fn voice(voice: &Value) -> Media {
    let mime = match number(voice, "encode_type") {
        Some(5) => Some("audio/amr"),
        // 4 says Speex, and yet comes with SILK.
        Some(4 | 6) => Some("audio/silk"),
        Some(7) => Some("audio/mpeg"),
        _ => None,
    };
    Media {
        mime: mime.map(str::to_owned),
        duration: count(voice, "playtime").map(|milliseconds| milliseconds as f64 / 1000.0),
        text: text(voice, "text").map(str::to_owned),
        ..Media::default()
    }
}

/// The message that an item quotes. Newer versions tell nothing of it but its ID.
fn quoted(item: &Value) -> Option<ReplyTo> {
    let quote = item.get("ref_msg").filter(|quote| quote.is_object())?;
    let message = quote.get("message_item").filter(|message| message.is_object());
    let content = match (message, text(quote, "title")) {
        (Some(message), _) => Some(Content::of(vec![segment(message)]).readable().into_owned()),
        (None, title) => title.map(str::to_owned),
    };
    Some(ReplyTo {
        id: None,
        sender: None,
        content: content.map(|content| excerpt(&content)),
        external_id: id(quote, "svr_id").or_else(|| id(message?, "msg_id")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(items: &Value) -> Inbound {
        let value = json!({
            "message_id": 7_497_484_083_968_569_736_u64, "from_user_id": "u@im.wechat",
            "create_time_ms": 1_700_000_000_123_u64, "item_list": items, "context_token": "c",
        });
        let received = received(&value, "wechat", "a@im.bot");
        assert_eq!(received.context_token.as_deref(), Some("c"));
        assert_eq!(received.written_ms, 1_700_000_000_123);
        received.message
    }

    #[test]
    fn each_item_is_a_segment() {
        let all = told(&json!([
            {"type": 1, "text_item": {"text": "look [微笑]"}},
            {"type": 2, "image_item": {"media": {"full_url": "https://cdn/x"}, "mid_size": 99}},
            {"type": 3, "voice_item": {"playtime": 1500, "encode_type": 4, "text": "hello"}},
            {"type": 4, "file_item": {"file_name": "a.pdf", "len": "12"}},
            {"type": 5, "video_item": {"play_length": 3}},
            {"type": 11, "tool_call_start_item": {"tool_name": "search"}},
            {"type": 99},
            {"type": 98, "sticker_item": {}},
            {},
        ]));
        let segments = serde_json::to_value(all.content.segments().unwrap()).unwrap();
        assert_eq!(
            segments,
            json!([
                {"type": "text", "text": "look [微笑]"},
                {"type": "image"},
                {"type": "audio", "mime": "audio/silk", "duration": 1.5, "text": "hello"},
                {"type": "file", "name": "a.pdf", "size": 12},
                {"type": "video"},
                {"type": "other", "name": "tool_call", "text": "search"},
                {"type": "other", "name": "99"},
                {"type": "other", "name": "sticker_item"},
                {"type": "other", "name": "item_list"},
            ])
        );
        assert!(all.original.unwrap().contains("https://cdn/x"), "the platform's own words");
        assert_eq!(all.external_id, "7497484083968569736");
    }

    #[test]
    fn a_text_is_plain_and_needs_no_words_of_the_platform() {
        let text = told(&json!([{"type": 1, "text_item": {"text": "hi"}}]));
        assert_eq!((text.content, text.original), (Content::text("hi"), None));
    }

    #[test]
    fn a_quote_tells_what_is_known_of_it() {
        let quote = |quote: &Value| {
            let text = json!({"text": "yes"});
            told(&json!([{"type": 1, "text_item": text, "ref_msg": quote}])).reply_to.unwrap()
        };
        let newer = quote(&json!({"svr_id": 7_497_484_083_968_569_737_u64}));
        assert_eq!(newer.external_id.as_deref(), Some("7497484083968569737"));
        assert_eq!(newer.content, None);
        let item = json!({"type": 4, "msg_id": "5", "file_item": {"file_name": "a.pdf"}});
        let older = quote(&json!({"message_item": item, "title": "Ann: [file]"}));
        assert_eq!(older.external_id.as_deref(), Some("5"));
        assert_eq!(older.content.as_deref(), Some("a.pdf"));
    }

    #[test]
    fn what_is_odd_is_read_as_far_as_it_goes() {
        let odd = received(&json!({"item_list": null, "from_user_id": 5}), "wechat", "a");
        assert_eq!(odd.message.conversation, "private_unknown");
        assert_eq!(odd.message.content.readable(), "[item_list]");
        assert!(!odd.message.external_id.is_empty());
        let grouped = json!({"from_user_id": "u", "group_id": "7@chatroom"});
        assert_eq!(received(&grouped, "wechat", "a").message.conversation, "group_7@chatroom");
    }

    #[test]
    fn a_message_is_told_from_echoes_and_from_what_is_none() {
        let read = |text: &str| read(&RawValue::from_string(text.into()).unwrap(), "wechat", "a");
        assert!(matches!(read(r#"{"message_type": 2}"#), ReadMessage::Echo));
        for odd in ["5", "null", r#"["x"]"#] {
            assert!(matches!(read(odd), ReadMessage::Unreadable), "{odd}");
        }
        // A number that is none, and quotes nested beyond what is read.
        let deep = format!("{}{}", r#"{"message_item":{"ref_msg":"#.repeat(100), "}}".repeat(100));
        let deep = deep.replace(":}", ":null}");
        let item = format!(r#"{{"type":1,"text_item":{{"text":"yes"}},"ref_msg":{deep}}}"#);
        let message = format!(r#"{{"from_user_id":"u","seq":1e999,"item_list":[{item}]}}"#);
        let ReadMessage::Message(message) = read(&message) else { panic!("it is a message") };
        assert_eq!(message.message.content, Content::text("yes"));
        assert_eq!(message.message.sender.id, "u");
    }

    #[test]
    fn two_messages_that_say_the_same_are_two_whatever_tells_them_apart() {
        let of = |field: &str, value: Value| {
            let item = json!({"type": 1, "text_item": {"text": "ok"}});
            let mut told = json!({"from_user_id": "u", "item_list": [item]});
            told[field] = value;
            received(&told, "wechat", "a").message
        };
        for (field, one, other) in [
            ("message_id", json!(11), json!(12)),
            ("seq", json!(5), json!(6)),
            ("client_id", json!("a"), json!("b")),
            ("context_token", json!("a"), json!("b")),
            ("create_time_ms", json!(1_700_000_000), json!(1_700_000_001)),
        ] {
            let (first, other) = (of(field, one.clone()), of(field, other));
            assert_ne!(first.external_id, other.external_id, "{field}");
            assert_eq!(first.external_id, of(field, one).external_id, "{field}");
            assert_eq!((first.fingerprint, other.fingerprint), (None, None), "{field}");
        }
    }

    #[test]
    fn a_time_in_seconds_is_read_as_such() {
        let read = |time: u64| {
            let received = received(&json!({"create_time_ms": time}), "wechat", "a");
            (received.written_ms, received.message.time, received.message.fingerprint.is_some())
        };
        assert_eq!(read(1_700_000_000), (1_700_000_000_000, 1_700_000_000, false));
        assert_eq!(read(1_700_000_000_123), (1_700_000_000_123, 1_700_000_000, true));
        assert_eq!(read(0), (0, 0, false));
    }

    #[test]
    fn a_fingerprint_is_of_sender_time_and_content() {
        let print = |sender: &str, time: u64, text: &str, id: &str| {
            let item = json!({"type": 1, "msg_id": id, "text_item": {"text": text}});
            fingerprint(sender, time, &[item])
        };
        assert_eq!(print("a", 1, "x", "5"), print("a", 1, "x", "6"));
        for other in [print("b", 1, "x", "5"), print("a", 2, "x", "5"), print("a", 1, "y", "5")] {
            assert_ne!(print("a", 1, "x", "5"), other);
        }
    }

    #[test]
    fn a_fingerprint_of_a_file_leaves_out_where_it_lies() {
        let print = |kind: i64, name: &str, field: (&str, Value), address: &str, key: &str| {
            let media = json!({
                "full_url": format!("https://cdn/{address}"), "encrypt_query_param": address,
                "aes_key": key,
            });
            let mut item = json!({"type": kind, name: {
                "media": media, "thumb_media": {"encrypt_query_param": address}, "url": address,
            }});
            item[name][field.0] = field.1;
            fingerprint("a", 1, &[item])
        };
        for (kind, name, field) in [
            (2, "image_item", "mid_size"),
            (3, "voice_item", "playtime"),
            (4, "file_item", "md5"),
            (5, "video_item", "video_size"),
        ] {
            let first = print(kind, name, (field, json!(1)), "here", "key");
            assert_eq!(first, print(kind, name, (field, json!(1)), "there", "key"), "{name}");
            assert_ne!(first, print(kind, name, (field, json!(2)), "here", "key"), "{name}");
            assert_ne!(first, print(kind, name, (field, json!(1)), "here", "other"), "{name}");
        }
    }
}
