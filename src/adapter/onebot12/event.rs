//! Frames of OneBot 12: events (data-protocol/event.md) and action responses.

use super::address::Address;
use super::segment::{self, Reading};
use crate::adapter::Inbound;
use crate::adapter::onebot::answer::Answer;
use crate::adapter::onebot::word::Word;
use crate::clock::now;
use crate::model::message::{Sender, check_name};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One frame.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    /// An event, and the bot it happened to, which meta events do not tell.
    Event { bot: Option<BotId>, event: Event<'a> },
    /// An answer, and the echo of its action.
    Answer { echo: String, answer: Answer },
}

/// What tells one account from another (data-protocol/basic-types.md, `self`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BotId {
    pub(super) platform: String,
    pub(super) user_id: String,
}

/// What happened.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// `message.private`, `message.group` or `message.channel`.
    Message(Box<Message<'a>>),
    /// `meta.heartbeat`: the next one comes in so many milliseconds.
    Heartbeat { interval: i64 },
    /// `meta.status_update`: which bots are there, and whether they are online.
    Status(Vec<(BotId, bool)>),
    /// Nothing for us.
    Other,
}

/// Every field we read, of whatever frame it is.
#[derive(Debug, Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(default)]
    time: Word<'a>,
    #[serde(rename = "type", default)]
    kind: Word<'a>,
    #[serde(default)]
    detail_type: Word<'a>,
    #[serde(rename = "self", borrow)]
    bot: Option<&'a RawValue>,
    #[serde(default)]
    message_id: Word<'a>,
    message: Option<&'a RawValue>,
    #[serde(default)]
    alt_message: Word<'a>,
    #[serde(default)]
    user_id: Word<'a>,
    #[serde(default)]
    group_id: Word<'a>,
    #[serde(default)]
    guild_id: Word<'a>,
    #[serde(default)]
    channel_id: Word<'a>,
    #[serde(default)]
    interval: Word<'a>,
    status: Option<&'a RawValue>,
    #[serde(default)]
    retcode: Word<'a>,
    data: Option<&'a RawValue>,
    #[serde(default)]
    echo: Word<'a>,
}

impl<'a> Frame<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        let fields: Fields<'a> = serde_json::from_str(text)?;
        if fields.kind.text().is_none() {
            return Ok(fields.into_answer());
        }
        let bot = fields.bot.and_then(bot_id);
        let event = match (fields.kind.or_empty(), fields.detail_type.or_empty()) {
            ("message", _) => Event::Message(Box::new(Message(fields))),
            ("meta", "heartbeat") => {
                Event::Heartbeat { interval: fields.interval.number().unwrap_or_default() }
            }
            ("meta", "status_update") => Event::Status(fields.status.map(bots).unwrap_or_default()),
            _ => Event::Other,
        };
        Ok(Self::Event { bot, event })
    }
}

impl Fields<'_> {
    fn into_answer<'a>(self) -> Frame<'a> {
        let word = |json: Option<&RawValue>| {
            let word = json.and_then(|json| serde_json::from_str::<Word<'_>>(json.get()).ok());
            word.unwrap_or_default().or_empty().to_owned()
        };
        let answer = Answer {
            status: word(self.status),
            retcode: self.retcode.number().unwrap_or(-1),
            data: self.data.map(RawValue::to_owned),
            text: word(self.message),
        };
        Frame::Answer { echo: self.echo.or_empty().to_owned(), answer }
    }
}

/// Reads a `self`; the platform is known otherwise where it is not told.
fn bot_id(json: &RawValue) -> Option<BotId> {
    #[derive(Deserialize)]
    struct Bot<'a> {
        #[serde(borrow, default)]
        platform: Word<'a>,
        user_id: Word<'a>,
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
        online: Word<'a>,
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
pub(super) struct Message<'a>(Fields<'a>);

impl Message<'_> {
    /// Whom it was said to. A private message of the bot's own does not tell.
    fn address(&self, account: &str) -> Option<Address<'_>> {
        let fields = &self.0;
        match fields.detail_type.or_empty() {
            "private" => {
                let user_id = fields.user_id.text().filter(|user| *user != account)?;
                Some(Address::Private { user_id })
            }
            "group" => Some(Address::Group { group_id: fields.group_id.text()? }),
            "channel" => Some(Address::Channel {
                guild_id: fields.guild_id.text()?.into(),
                channel_id: fields.channel_id.text()?.into(),
            }),
            _ => None,
        }
    }

    /// The message in our words; the error says what keeps it from being one.
    pub(super) fn into_inbound(self, platform: &str, account: &str) -> Result<Inbound, String> {
        let address = self.address(account).ok_or_else(|| {
            format!(
                "a `{}` message that does not tell its conversation",
                self.0.detail_type.or_empty()
            )
        })?;
        let conversation = address.conversation();
        check_name("conversation", &conversation)?;
        let fields = &self.0;
        let user = fields.user_id.or_empty();
        let Reading { message_type, content, original } = match fields.message {
            Some(message) => segment::read(message),
            None => Reading {
                message_type: crate::model::message::MessageType::Text,
                content: fields.alt_message.text().ok_or("the event has no `message`")?.to_owned(),
                original: None,
            },
        };
        // The event's own ID is as good, where the message has none.
        let external_id = fields.message_id.text().or(fields.id.text()).ok_or("no `message_id`")?;
        Ok(Inbound {
            platform: platform.to_owned(),
            account: account.to_owned(),
            conversation,
            conversation_name: None,
            sender: Sender { id: user.to_owned(), name: user.to_owned() },
            message_type,
            content,
            external_id: external_id.to_owned(),
            time: fields.time.time().unwrap_or_else(now),
            own: user == account,
            from_history: false,
            original,
        })
    }
}

/// Whatever a frame says, it is read or refused; what is read makes a message or an error.
#[cfg(any(test, fuzzing))]
pub(in crate::adapter) fn swallow(text: &str) {
    if let Ok(Frame::Event { event: Event::Message(message), .. }) = Frame::parse(text)
        && let Ok(inbound) = message.into_inbound("wechat", "me")
    {
        assert!(!inbound.content.is_empty() && !inbound.external_id.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
                "id|time|self|message_id|message|alt_message|user_id|group_id|guild_id|channel_id|\
                 interval|status|retcode|data|echo",
                value(),
                0..10,
            ),
            kind in "message|meta|notice",
            detail in "group|private|channel|heartbeat|status_update",
        ) {
            let mut parts = vec![format!("\"type\":\"{kind}\",\"detail_type\":\"{detail}\"")];
            parts.extend(fields.iter().map(|(name, value)| format!("\"{name}\":{value}")));
            swallow(&format!("{{{}}}", parts.join(",")));
        }
    }
}
