//! Frames of OneBot 11 as implementations really send them: events and answers.

use super::notice::NoticeFrame;
use super::reading;
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::channel;
use crate::adapter::onebot::common::parts::Reading;
use crate::adapter::onebot::common::scalar::Scalar;
use crate::clock::now;
use crate::model::change::Inbound;
use crate::model::message::{Sender, check_name};
use serde::Deserialize;
use serde_json::value::RawValue;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// One frame.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    /// An event, and the account it says it happened to.
    Event { account: Option<String>, event: Event<'a> },
    /// An answer, and the echo of its action; some send back an empty one for none.
    ActionResponse { echo: String, answer: ActionResponse },
}

/// An event (event/README.md).
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// A message came in, or went out by this account.
    Message(Box<Message<'a>>),
    /// The implementation is there, and may say whether the account is (event/meta.md, "心跳").
    Heartbeat { interval: i64, online: Option<bool> },
    /// Something that is no message.
    Notice(NoticeFrame<'a>),
    /// A frame of OneBot 12, which does not belong here.
    OtherVersion,
    /// What the implementation says of itself.
    Meta,
    /// Nothing for us.
    Other,
}

/// Every field we read, of whatever frame it is.
#[derive(Debug, Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    post_type: Scalar<'a>,
    #[serde(default)]
    meta_event_type: Scalar<'a>,
    #[serde(rename = "type", default)]
    kind: Scalar<'a>,
    #[serde(default)]
    detail_type: Scalar<'a>,
    #[serde(default)]
    message_type: Scalar<'a>,
    #[serde(default)]
    time: Scalar<'a>,
    #[serde(default)]
    self_id: Scalar<'a>,
    #[serde(default)]
    user_id: Scalar<'a>,
    #[serde(default)]
    group_id: Scalar<'a>,
    #[serde(default)]
    group_name: Scalar<'a>,
    #[serde(default)]
    guild_id: Scalar<'a>,
    #[serde(default)]
    channel_id: Scalar<'a>,
    #[serde(default)]
    self_tiny_id: Scalar<'a>,
    #[serde(default)]
    target_id: Scalar<'a>,
    #[serde(default)]
    message_id: Scalar<'a>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    raw_message: Option<&'a RawValue>,
    sender: Option<&'a RawValue>,
    anonymous: Option<&'a RawValue>,
    #[serde(default)]
    interval: Scalar<'a>,
    status: Option<&'a RawValue>,
    #[serde(default)]
    retcode: Scalar<'a>,
    data: Option<&'a RawValue>,
    #[serde(default)]
    wording: Scalar<'a>,
    #[serde(default)]
    msg: Scalar<'a>,
    #[serde(default)]
    echo: Scalar<'a>,
}

/// The sender of a message, or the alias of an anonymous one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Person<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    name: Scalar<'a>,
    user_id: Scalar<'a>,
    nickname: Scalar<'a>,
    card: Scalar<'a>,
    group_id: Scalar<'a>,
}

impl<'a> Frame<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        let fields: Fields<'a> = serde_json::from_str(text)?;
        if fields.post_type.text().is_none() {
            if fields.kind.text().is_some() && fields.detail_type.text().is_some() {
                return Ok(Self::Event { account: None, event: Event::OtherVersion });
            }
            return Ok(fields.into_answer());
        }
        let account = fields.self_id.id().map(str::to_owned);
        let event = match fields.post_type.or_empty() {
            "message" | "message_sent" => Event::Message(Box::new(Message(fields))),
            "meta_event" if fields.meta_event_type.or_empty() == "heartbeat" => Event::Heartbeat {
                interval: fields.interval.number().unwrap_or_default(),
                online: fields.status.and_then(online),
            },
            "meta_event" => Event::Meta,
            "notice" | "request" => Event::Notice(NoticeFrame::parse(text)),
            _ => Event::Other,
        };
        Ok(Self::Event { account, event })
    }
}

/// Whether a status says the account is on; some send null.
pub(super) fn online(status: &RawValue) -> Option<bool> {
    #[derive(Deserialize)]
    struct Status<'a> {
        #[serde(borrow)]
        online: Scalar<'a>,
    }
    match serde_json::from_str::<Status<'_>>(status.get()).ok()?.online.text()? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn scalar(json: Option<&RawValue>) -> Scalar<'_> {
    json.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default()
}

impl Fields<'_> {
    fn into_answer<'a>(self) -> Frame<'a> {
        let answer = ActionResponse {
            status: scalar(self.status).or_empty().to_owned(),
            retcode: self.retcode.number().unwrap_or(-1),
            data: self.data.map(RawValue::to_owned),
            text: self.text(),
        };
        Frame::ActionResponse { echo: self.echo.or_empty().to_owned(), answer }
    }

    /// The words for people, from the field that holds them.
    fn text(&self) -> String {
        let message = scalar(self.message);
        let said = self.wording.text().or(message.text()).or(self.msg.text());
        said.unwrap_or_default().to_owned()
    }
}

/// A message event (event/message.md), or a message of a history.
#[derive(Debug)]
pub(super) struct Message<'a>(Fields<'a>);

/// Where a message was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) conversation: String,
    /// The conversation's name, where the event told it.
    pub(super) name: Option<String>,
    /// The group through which strangers talk, in a temporary session.
    pub(super) through: Option<String>,
}

impl<'a> Message<'a> {
    /// Reads a message of a history, which may lack what makes it an event.
    pub(super) fn parse(json: &'a RawValue) -> Option<Self> {
        serde_json::from_str(json.get()).ok().map(Self)
    }

    /// Whether the account itself wrote it.
    fn is_own(&self, account: &str) -> bool {
        self.0.post_type.or_empty() == "message_sent"
            || self.sender_id() == Some(account)
            // In guilds the account has another ID (go-cqhttp, guild.md).
            || self.0.self_tiny_id.id().is_some_and(|own| self.sender_id() == Some(own))
    }

    fn sender_id(&self) -> Option<&str> {
        self.0.user_id.id()
    }

    /// The conversation. An own private message tells it as `target_id`, or not at all.
    fn origin(&self, account: &str, sender: &Person<'_>) -> Option<Origin> {
        let fields = &self.0;
        let group = fields.group_id.id();
        let is_group = match fields.message_type.or_empty() {
            "group" => true,
            "private" => false,
            "guild" => {
                let ids = fields.guild_id.id().zip(fields.channel_id.id());
                let conversation =
                    ids.map(|(guild, channel)| channel::conversation(guild, channel));
                return Some(Origin { conversation: conversation?, name: None, through: None });
            }
            "" => group.is_some(),
            _ => return None,
        };
        if is_group {
            let name = fields.group_name.text().map(str::to_owned);
            return Some(Origin { conversation: format!("group_{}", group?), name, through: None });
        }
        let own = self.is_own(account);
        let other =
            if own { fields.target_id.id() } else { self.sender_id().or(sender.user_id.id()) };
        let name = (!own).then(|| sender.nickname.text()).flatten().map(str::to_owned);
        let through = group.or(sender.group_id.id()).map(str::to_owned);
        Some(Origin { conversation: format!("private_{}", other?), name, through })
    }

    /// The message as the core takes it; the error says what is missing.
    ///
    /// A history was asked for one conversation, and its messages may not name it.
    pub(super) fn into_inbound(
        self,
        platform: &str,
        account: &str,
        asked_for: Option<&str>,
    ) -> Result<(Inbound, Origin), String> {
        let from: Person<'_> = parse_or_default(self.0.sender);
        let origin = self.origin(account, &from).or_else(|| {
            let conversation = asked_for?.to_owned();
            Some(Origin { conversation, name: None, through: None })
        });
        let origin = origin.ok_or_else(|| {
            let message_type = self.0.message_type.or_empty();
            format!("a `{message_type}` message that does not tell its conversation")
        })?;
        check_name("conversation", &origin.conversation)?;
        let message = self.0.message.or(self.0.raw_message).ok_or("a message without `message`")?;
        let Reading { content, reply_to, original, .. } = self.read(message, account);
        let inbound = Inbound {
            platform: platform.to_owned(),
            account: account.to_owned(),
            conversation: origin.conversation.clone(),
            conversation_name: origin.name.clone(),
            sender: self.sender(&from),
            content,
            reply_to,
            external_id: self.external_id(message),
            time: self.0.time.time().unwrap_or_else(now),
            own: self.is_own(account),
            from_history: false,
            original,
            fingerprint: None,
        };
        Ok((inbound, origin))
    }

    /// Reads the message; `raw_message` where the message itself brings no more than names.
    fn read(&self, message: &RawValue, account: &str) -> Reading {
        let is_me = |user: &str| user == account || self.0.self_tiny_id.id() == Some(user);
        let reading = reading::read(message, &is_me);
        if !reading.says_nothing {
            return reading;
        }
        let raw = self.0.raw_message.map(|raw| reading::read(raw, &is_me));
        match raw.filter(|raw| !raw.says_nothing) {
            Some(raw) => Reading {
                original: Some(message.get().to_owned()),
                reply_to: reading.reply_to.or(raw.reply_to),
                ..raw
            },
            None => reading,
        }
    }

    /// The sender, by the group card where there is one, else the nickname.
    fn sender(&self, from: &Person<'_>) -> Sender {
        let anonymous: Person<'_> = parse_or_default(self.0.anonymous);
        let id = anonymous.id.id().or(self.sender_id()).or(from.user_id.id()).unwrap_or_default();
        let card = from.card.text().filter(|card| !card.trim().is_empty());
        let name = anonymous.name.text().or(card).or(from.nickname.text()).unwrap_or(id);
        Sender { id: id.to_owned(), name: name.to_owned() }
    }

    /// The platform's ID; where it tells none, a mark that is the same when it comes again.
    fn external_id(&self, message: &RawValue) -> String {
        if let Some(id) = self.0.message_id.id() {
            return id.to_owned();
        }
        let mut mark = SipHasher13::new();
        mark.write(self.0.user_id.or_empty().as_bytes());
        mark.write(message.get().as_bytes());
        format!("mark-{:016x}", mark.finish())
    }
}

fn parse_or_default<'a, T: Deserialize<'a> + Default>(json: Option<&'a RawValue>) -> T {
    json.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default()
}

/// Reads a frame as a connection does; no frame may panic.
#[cfg(any(test, fuzzing))]
pub(in crate::adapter) fn swallow(text: &str) {
    match Frame::parse(text) {
        Ok(Frame::Event { event: Event::Message(message), .. }) => {
            if let Ok((inbound, _)) = message.into_inbound("qq", "1", None) {
                assert!(!inbound.content.is_empty() && !inbound.external_id.is_empty());
            }
        }
        Ok(Frame::Event { event: Event::Notice(notice), .. }) => {
            notice.events("qq", "1", &|_, _| None);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Any JSON, not deep.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|truth| truth.to_string()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f32>()
                .prop_filter("no JSON", |number| number.is_finite())
                .prop_map(|n| n.to_string()),
            ".{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap()),
            Just("{\"type\":\"text\",\"data\":{\"text\":\"[CQ:at,qq=1]\"}}".to_owned()),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let names = "[a-z_]{1,8}|type|data|text|url|raw";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|list| format!("[{}]", list.join(","))),
                prop::collection::btree_map(names, inner, 0..4).prop_map(|map| object(&map)),
            ]
        })
    }

    fn object(fields: &std::collections::BTreeMap<String, String>) -> String {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            swallow(&text);
        }

        #[test]
        fn no_field_panics(
            fields in prop::collection::btree_map(
                "time|self_id|user_id|group_id|guild_id|channel_id|type|detail_type|group_name|target_id|message_id|message|raw_message|\
                 sender|anonymous|interval|status|retcode|data|wording|echo|font",
                json(),
                0..10,
            ),
            kind in "message|message_sent|meta_event|notice|request",
            message_type in "group|private|guild|",
        ) {
            let fields = object(&fields);
            let sep = if fields == "{}" { "" } else { "," };
            swallow(&format!(
                "{{\"post_type\":\"{kind}\",\"message_type\":\"{message_type}\"{sep}{}", &fields[1..]
            ));
            swallow(&fields);
        }
    }

    /// Read in a release build: `cargo test --release -- --ignored --nocapture frames_a_second`.
    #[test]
    #[ignore = "a measurement"]
    fn frames_a_second() {
        let frame = r#"{"time":1700000000,"self_id":1,"post_type":"message","message_type":"group",
            "sub_type":"normal","message_id":7,"group_id":77,"group_name":"Rust","user_id":5,
            "font":14,"raw_message":"看 [CQ:image,file=A.png,url=http://x/a]","message_format":"array",
            "message":[{"type":"at","data":{"qq":"5","name":"Nick"}},
            {"type":"text","data":{"text":" 看看这个，怎么样？"}},
            {"type":"image","data":{"file":"A.png","url":"http://x/a","file_size":"871157"}}],
            "sender":{"user_id":5,"nickname":"Nick","card":"Card","role":"member","title":""}}"#;
        let rounds = 200_000;
        let began = std::time::Instant::now();
        for _ in 0..rounds {
            swallow(frame);
        }
        let each = began.elapsed() / rounds;
        println!("{each:?} a frame, {:.0} frames a second", 1.0 / each.as_secs_f64());
    }
}
