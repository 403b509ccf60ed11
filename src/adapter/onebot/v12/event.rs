//! Frames of OneBot 12: events (data-protocol/event.md) and action responses.

use super::address::OneBot12Address;
use super::notice::OneBot12NoticeFrame;
use super::segment;
use crate::adapter::api::cut;
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::parts::MessageReading;
use crate::adapter::onebot::common::scalar::Scalar;
use crate::clock::now;
use crate::model::content::Content;
use crate::model::inbound::{AlikeEntries, Inbound};
use crate::model::json_object::object_from_str;
use crate::model::message::{Sender, check_name};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One frame.
#[derive(Debug)]
pub(super) enum OneBot12Frame<'a> {
    /// An event, and the bot it happened to, which meta events do not tell.
    Event { bot: Option<BotId>, event: OneBot12Event<'a> },
    /// An answer, and the echo of its action.
    ActionResponse { echo: String, answer: ActionResponse },
}

/// The identity of an account (data-protocol/basic-types.md, `self`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BotId {
    pub(super) platform: String,
    pub(super) user_id: String,
}

/// An event.
#[derive(Debug)]
pub(super) enum OneBot12Event<'a> {
    /// `message.private`, `message.group` or `message.channel`.
    Message(Box<OneBot12Message<'a>>),
    /// `meta.heartbeat`: the next one comes in so many milliseconds.
    Heartbeat { interval: i64 },
    /// `meta.status_update`: which bots are there, and whether they are online.
    Status(Vec<(BotId, bool)>),
    /// Something that is no message.
    Notice(OneBot12NoticeFrame<'a>),
    /// A frame of OneBot 11, which does not belong here.
    OtherVersion,
    /// Not relevant here.
    Other,
}

/// Every field we read, of whatever frame it is.
#[derive(Debug, Deserialize)]
struct OneBot12EventFields<'a> {
    #[serde(borrow, default)]
    id: Scalar<'a>,
    #[serde(default)]
    time: Scalar<'a>,
    #[serde(rename = "type", default)]
    kind: Scalar<'a>,
    #[serde(default)]
    detail_type: Scalar<'a>,
    #[serde(default)]
    post_type: Scalar<'a>,
    #[serde(default)]
    self_id: Scalar<'a>,
    #[serde(rename = "self", borrow)]
    bot: Option<&'a RawValue>,
    #[serde(default)]
    message_id: Scalar<'a>,
    message: Option<&'a RawValue>,
    #[serde(default)]
    alt_message: Scalar<'a>,
    #[serde(default)]
    user_id: Scalar<'a>,
    #[serde(default)]
    group_id: Scalar<'a>,
    #[serde(default)]
    guild_id: Scalar<'a>,
    #[serde(default)]
    channel_id: Scalar<'a>,
    #[serde(default)]
    interval: Scalar<'a>,
    status: Option<&'a RawValue>,
    #[serde(default)]
    retcode: Scalar<'a>,
    data: Option<&'a RawValue>,
    #[serde(default)]
    echo: Scalar<'a>,
}

impl<'a> OneBot12Frame<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        let fields: OneBot12EventFields<'a> = object_from_str(text)?;
        if fields.kind.text().is_none() && fields.post_type.text().is_some() {
            let user_id = fields.self_id.id().map(str::to_owned);
            let bot = user_id.map(|user_id| BotId { platform: String::new(), user_id });
            return Ok(Self::Event { bot, event: OneBot12Event::OtherVersion });
        }
        if fields.kind.text().is_none() {
            return Ok(fields.into_answer());
        }
        let bot = fields.bot.and_then(bot_id);
        let event = match (fields.kind.or_empty(), fields.detail_type.or_empty()) {
            ("message", _) => OneBot12Event::Message(Box::new(OneBot12Message(fields))),
            ("notice" | "request", _) => OneBot12Event::Notice(OneBot12NoticeFrame::parse(text)),
            ("meta", "heartbeat") => {
                OneBot12Event::Heartbeat { interval: fields.interval.number().unwrap_or_default() }
            }
            ("meta", "status_update") => {
                OneBot12Event::Status(fields.status.map(bots).unwrap_or_default())
            }
            _ => OneBot12Event::Other,
        };
        Ok(Self::Event { bot, event })
    }
}

impl OneBot12EventFields<'_> {
    fn into_answer<'a>(self) -> OneBot12Frame<'a> {
        let scalar = |json: Option<&RawValue>| {
            let value = json.and_then(|json| serde_json::from_str::<Scalar<'_>>(json.get()).ok());
            value.unwrap_or_default().or_empty().to_owned()
        };
        let answer = ActionResponse {
            status: scalar(self.status),
            retcode: self.retcode.number().unwrap_or(-1),
            data: self.data.map(RawValue::to_owned),
            text: cut(&scalar(self.message)).into_owned(),
        };
        OneBot12Frame::ActionResponse { echo: self.echo.or_empty().to_owned(), answer }
    }
}

/// Reads a `self`; the platform is known otherwise where it is not told.
fn bot_id(json: &RawValue) -> Option<BotId> {
    #[derive(Deserialize)]
    struct Bot<'a> {
        #[serde(borrow, default)]
        platform: Scalar<'a>,
        user_id: Scalar<'a>,
    }
    let bot: Bot<'_> = serde_json::from_str(json.get()).ok()?;
    let user_id = bot.user_id.text()?.to_owned();
    Some(BotId { platform: bot.platform.or_empty().to_owned(), user_id })
}

/// The bots of a status (interface/meta/actions.md, `get_status`), and whether each is online.
pub(super) fn bots(status: &RawValue) -> Vec<(BotId, bool)> {
    #[derive(Deserialize)]
    struct Status<'a> {
        #[serde(borrow, default)]
        bots: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Bot<'a> {
        #[serde(rename = "self", borrow)]
        id: &'a RawValue,
        #[serde(default)]
        online: Scalar<'a>,
    }
    let read = |json: &RawValue| {
        let bot: Bot<'_> = serde_json::from_str(json.get()).ok()?;
        Some((bot_id(bot.id)?, bot.online.or_empty() != "false"))
    };
    let status = serde_json::from_str::<Status<'_>>(status.get());
    status.map(|status| status.bots.into_iter().filter_map(read).collect()).unwrap_or_default()
}

/// A message event (interface/user, group, guild: message-events.md).
#[derive(Debug)]
pub(super) struct OneBot12Message<'a>(OneBot12EventFields<'a>);

impl OneBot12Message<'_> {
    /// The conversation it belongs to. An own private message does not name it.
    fn address(&self, account: &str) -> Option<OneBot12Address<'_>> {
        let fields = &self.0;
        match fields.detail_type.or_empty() {
            "private" => {
                let user_id = fields.user_id.text().filter(|user| *user != account)?;
                Some(OneBot12Address::Private { user_id })
            }
            "group" => Some(OneBot12Address::Group { group_id: fields.group_id.text()? }),
            "channel" => Some(OneBot12Address::Channel {
                guild_id: fields.guild_id.text()?.into(),
                channel_id: fields.channel_id.text()?.into(),
            }),
            _ => None,
        }
    }

    /// The message as the core takes it; the error says what is missing.
    pub(super) fn into_inbound(self, platform: &str, account: &str) -> Result<Inbound, String> {
        let address = self.address(account).ok_or_else(|| {
            format!("a `{}` message without `group_id` or `user_id`", self.0.detail_type.or_empty())
        })?;
        let conversation = address.conversation();
        check_name("conversation", &conversation)?;
        let fields = &self.0;
        let user = fields.user_id.or_empty();
        let read = self.read(account).ok_or("a message without `message`")?;
        let MessageReading { content, reply_to, original, .. } = read;
        // The event's own ID is as good, where the message has none.
        let external_id = fields.message_id.text().or(fields.id.text()).ok_or("no `message_id`")?;
        Ok(Inbound {
            platform: platform.to_owned(),
            account: account.to_owned(),
            conversation,
            conversation_name: None,
            sender: Sender { id: user.to_owned(), name: user.to_owned() },
            content,
            reply_to,
            external_id: external_id.to_owned(),
            time: fields.time.time().unwrap_or_else(now),
            own: user == account,
            from_history: false,
            alike: AlikeEntries::default(),
            clock_ahead: None,
            original,
            fingerprint: None,
        })
    }
}

impl OneBot12Message<'_> {
    /// Reads the message; `alt_message` where the message itself brings no more than names, or is
    /// missing.
    fn read(&self, account: &str) -> Option<MessageReading> {
        let read = self.0.message.map(|message| segment::read(message, &|user| user == account));
        let says_nothing = read.as_ref().is_none_or(|reading| reading.says_nothing);
        let alt = self.0.alt_message.text().filter(|alt| says_nothing && !alt.trim().is_empty());
        let Some(alt) = alt else { return read };
        Some(MessageReading {
            content: Content::text(alt),
            reply_to: read.and_then(|reading| reading.reply_to),
            original: self.0.message.map(|message| message.get().to_owned()),
            says_nothing: false,
        })
    }
}

/// Reads a frame as a connection does; no frame may panic.
#[cfg(any(test, fuzzing))]
pub(in crate::adapter) fn swallow(text: &str) {
    match OneBot12Frame::parse(text) {
        Ok(OneBot12Frame::Event { event: OneBot12Event::Message(message), .. }) => {
            if let Ok(inbound) = message.into_inbound("wechat", "me") {
                assert!(!inbound.content.is_empty() && !inbound.external_id.is_empty());
            }
        }
        Ok(OneBot12Frame::Event { event: OneBot12Event::Notice(notice), .. }) => {
            notice.event("wechat", "me", &|_, _| None);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_array_is_no_frame() {
        for length in 0..40 {
            let frame = format!("[{}]", vec!["null"; length].join(","));
            assert!(OneBot12Frame::parse(&frame).is_err(), "{length}");
        }
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("null".to_owned()),
            Just("[{\"type\":\"text\",\"data\":{\"text\":1}},{\"type\":2},[]]".to_owned()),
            Just("{\"platform\":\"qq\",\"user_id\":[]}".to_owned()),
            Just("{\"bots\":[{\"self\":{\"user_id\":\"1\"}},{},4]}".to_owned()),
            any::<f32>()
                .prop_filter("no JSON", |number| number.is_finite())
                .prop_map(|n| n.to_string()),
            ".{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        ]
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            swallow(&text);
        }

        #[test]
        fn no_field_panics(
            fields in prop::collection::btree_map(
                "id|time|self|self_id|post_type|message_id|message|alt_message|user_id|group_id|guild_id|channel_id|\
                 interval|status|retcode|data|echo",
                value(),
                0..10,
            ),
            kind in "message|meta|notice|request",
            detail in "group|private|channel|heartbeat|status_update|group_message_delete|\
                       x.message_edit|new_friend|get_group_poke",
        ) {
            let mut parts = vec![format!("\"type\":\"{kind}\",\"detail_type\":\"{detail}\"")];
            parts.extend(fields.iter().map(|(name, value)| format!("\"{name}\":{value}")));
            swallow(&format!("{{{}}}", parts.join(",")));
        }
    }
}
