//! The fields of a frame.

use crate::adapter::api::cut;
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::scalar::Scalar;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Every field we read, of whatever frame it is.
#[derive(Debug, Deserialize)]
pub(super) struct OneBot11EventFields<'a> {
    #[serde(borrow, default)]
    pub(super) post_type: Scalar<'a>,
    #[serde(default)]
    pub(super) meta_event_type: Scalar<'a>,
    #[serde(rename = "type", default)]
    pub(super) kind: Scalar<'a>,
    #[serde(default)]
    pub(super) detail_type: Scalar<'a>,
    #[serde(default)]
    pub(super) message_type: Scalar<'a>,
    #[serde(default)]
    pub(super) time: Scalar<'a>,
    #[serde(default)]
    pub(super) self_id: Scalar<'a>,
    #[serde(default)]
    pub(super) user_id: Scalar<'a>,
    #[serde(default)]
    pub(super) group_id: Scalar<'a>,
    #[serde(default)]
    pub(super) group_name: Scalar<'a>,
    #[serde(default)]
    pub(super) guild_id: Scalar<'a>,
    #[serde(default)]
    pub(super) channel_id: Scalar<'a>,
    #[serde(default)]
    pub(super) self_tiny_id: Scalar<'a>,
    #[serde(default)]
    pub(super) target_id: Scalar<'a>,
    #[serde(default)]
    pub(super) message_id: Scalar<'a>,
    #[serde(borrow)]
    pub(super) message: Option<&'a RawValue>,
    pub(super) raw_message: Option<&'a RawValue>,
    pub(super) sender: Option<&'a RawValue>,
    pub(super) anonymous: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) interval: Scalar<'a>,
    pub(super) status: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) retcode: Scalar<'a>,
    pub(super) data: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) wording: Scalar<'a>,
    #[serde(default)]
    pub(super) msg: Scalar<'a>,
    #[serde(default)]
    pub(super) echo: Scalar<'a>,
}

/// The sender of a message, or the alias of an anonymous one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EventPerson<'a> {
    #[serde(borrow)]
    pub(super) id: Scalar<'a>,
    pub(super) name: Scalar<'a>,
    pub(super) user_id: Scalar<'a>,
    pub(super) nickname: Scalar<'a>,
    pub(super) card: Scalar<'a>,
    pub(super) group_id: Scalar<'a>,
}

impl OneBot11EventFields<'_> {
    /// The echo of the action and the answer to it.
    pub(super) fn into_answer(self) -> (String, ActionResponse) {
        let answer = ActionResponse {
            status: parse_or_default::<Scalar<'_>>(self.status).or_empty().to_owned(),
            retcode: self.retcode.number().unwrap_or(-1),
            data: self.data.map(RawValue::to_owned),
            text: self.text(),
        };
        (self.echo.or_empty().to_owned(), answer)
    }

    /// The words for people, from the field that holds them.
    fn text(&self) -> String {
        let message: Scalar<'_> = parse_or_default(self.message);
        let said = self.wording.text().or(message.text()).or(self.msg.text());
        cut(said.unwrap_or_default()).into_owned()
    }
}

/// Reads JSON; the default value if it is missing or has another form.
pub(super) fn parse_or_default<'a, T: Deserialize<'a> + Default>(json: Option<&'a RawValue>) -> T {
    json.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default()
}
