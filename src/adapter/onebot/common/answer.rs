//! The answer to an action.

use super::scalar::Scalar;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The retcode of [`ActionResponse::too_large`]; no implementation uses it.
const TOO_LARGE: i64 = i64::MIN;

/// The answer to an action.
///
/// OneBot 11: communication/http.md, "响应"; OneBot 12: connect/data-protocol/action-response.md.
#[derive(Clone, Debug)]
pub(in crate::adapter::onebot) struct ActionResponse {
    /// `ok`, `async` or `failed`.
    pub(in crate::adapter::onebot) status: String,
    pub(in crate::adapter::onebot) retcode: i64,
    pub(in crate::adapter::onebot) data: Option<Box<RawValue>>,
    /// The implementation's words for people.
    pub(in crate::adapter::onebot) text: String,
}

impl ActionResponse {
    /// Stands for an answer that was larger than a frame may be, and was passed over.
    pub(in crate::adapter::onebot) fn too_large(bytes: usize) -> Self {
        Self {
            status: "failed".into(),
            retcode: TOO_LARGE,
            data: None,
            text: format!("the answer has {bytes} bytes, more than `max_frame`"),
        }
    }

    pub(in crate::adapter::onebot) fn is_too_large(&self) -> bool {
        self.retcode == TOO_LARGE
    }

    /// Whether the action was done, or was taken to be done later. The status counts, and the
    /// retcode only where there is none that the specification knows.
    pub(in crate::adapter::onebot) fn is_accepted(&self) -> bool {
        match self.status.as_str() {
            "ok" | "async" => true,
            "failed" => false,
            _ => matches!(self.retcode, 0 | 1),
        }
    }

    /// Whether the action was only queued (OneBot 11, api/public.md, "异步调用").
    pub(in crate::adapter::onebot) fn is_async(&self) -> bool {
        self.status == "async" || self.status != "ok" && self.retcode == 1
    }

    /// The data, if it has this form.
    pub(in crate::adapter::onebot) fn data<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.data.as_ref()?.get()).ok()
    }

    /// One field of the data, if there is such a thing.
    pub(in crate::adapter::onebot) fn field(&self, name: &str) -> Option<Scalar<'_>> {
        self.data::<HashMap<String, Scalar<'_>>>()?.remove(name)
    }

    /// The ID of a message that was sent, where the implementation tells one.
    pub(in crate::adapter::onebot) fn message_id(&self) -> Option<String> {
        self.field("message_id")?.id().map(str::to_owned)
    }

    /// The refusal for people.
    pub(in crate::adapter::onebot) fn reason(&self) -> String {
        if self.text.is_empty() {
            format!("refused with retcode {}", self.retcode)
        } else {
            format!("refused with retcode {}: {}", self.retcode, self.text)
        }
    }
}
