//! Frames of OneBot 11 as implementations really send them: events and answers.

mod fields;
mod message;
#[cfg(test)]
mod tests;

pub(super) use message::{MessageOrigin, OneBot11Message};

use super::notice::OneBot11NoticeFrame;
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::scalar::Scalar;
use crate::model::json_object::object_from_str;
use fields::OneBot11EventFields;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One frame.
#[derive(Debug)]
pub(super) enum OneBot11Frame<'a> {
    /// An event, and the account it says it happened to.
    Event { account: Option<String>, event: OneBot11Event<'a> },
    /// An answer, and the echo of its action; some send back an empty one for none.
    ActionResponse { echo: String, answer: ActionResponse },
}

/// An event (event/README.md).
#[derive(Debug)]
pub(super) enum OneBot11Event<'a> {
    /// A message came in, or went out by this account.
    Message(Box<OneBot11Message<'a>>),
    /// The implementation is there, and may say whether the account is (event/meta.md, "心跳").
    Heartbeat { interval: i64, online: Option<bool> },
    /// Something that is no message.
    Notice(OneBot11NoticeFrame<'a>),
    /// A frame of OneBot 12, which does not belong here.
    OtherVersion,
    /// The state that the implementation reports of itself.
    Meta,
    /// Not relevant here.
    Other,
}

impl<'a> OneBot11Frame<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        let fields: OneBot11EventFields<'a> = object_from_str(text)?;
        if fields.post_type.text().is_none() {
            if fields.kind.text().is_some() && fields.detail_type.text().is_some() {
                return Ok(Self::Event { account: None, event: OneBot11Event::OtherVersion });
            }
            let (echo, answer) = fields.into_answer();
            return Ok(Self::ActionResponse { echo, answer });
        }
        let account = fields.self_id.id().map(str::to_owned);
        let event = match fields.post_type.or_empty() {
            "message" | "message_sent" => OneBot11Event::Message(Box::new(OneBot11Message(fields))),
            "meta_event" if fields.meta_event_type.or_empty() == "heartbeat" => {
                OneBot11Event::Heartbeat {
                    interval: fields.interval.number().unwrap_or_default(),
                    online: fields.status.and_then(online),
                }
            }
            "meta_event" => OneBot11Event::Meta,
            "notice" | "request" => OneBot11Event::Notice(OneBot11NoticeFrame::parse(text)),
            _ => OneBot11Event::Other,
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

/// Reads a frame as a connection does; no frame may panic.
#[cfg(any(test, fuzzing))]
pub(in crate::adapter) fn swallow(text: &str) {
    match OneBot11Frame::parse(text) {
        Ok(OneBot11Frame::Event { event: OneBot11Event::Message(message), .. }) => {
            if let Ok((inbound, _)) = message.into_inbound("qq", "1", None) {
                assert!(!inbound.content.is_empty() && !inbound.external_id.is_empty());
            }
        }
        Ok(OneBot11Frame::Event { event: OneBot11Event::Notice(notice), .. }) => {
            notice.events("qq", "1", &|_, _| None);
        }
        _ => {}
    }
}
