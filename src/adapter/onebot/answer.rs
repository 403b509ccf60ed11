//! The answer to an action.

use super::word::Word;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// What came back for an action.
///
/// OneBot 11: communication/http.md, "响应"; OneBot 12: connect/data-protocol/action-response.md.
#[derive(Clone, Debug)]
pub(in crate::adapter) struct Answer {
    /// `ok`, `async` or `failed`.
    pub(in crate::adapter) status: String,
    pub(in crate::adapter) retcode: i64,
    pub(in crate::adapter) data: Option<Box<RawValue>>,
    /// What the implementation says for people.
    pub(in crate::adapter) text: String,
}

impl Answer {
    /// Whether the action was done, or was taken to be done later. The status counts, and the
    /// retcode only where there is none that the specification knows.
    pub(in crate::adapter) fn is_accepted(&self) -> bool {
        match self.status.as_str() {
            "ok" | "async" => true,
            "failed" => false,
            _ => matches!(self.retcode, 0 | 1),
        }
    }

    /// The data, if it has this form.
    pub(in crate::adapter) fn data<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.data.as_ref()?.get()).ok()
    }

    /// One field of the data, if there is such a thing.
    pub(in crate::adapter) fn field(&self, name: &str) -> Option<Word<'_>> {
        self.data::<HashMap<String, Word<'_>>>()?.remove(name)
    }

    /// The ID of a message that was sent, where the implementation tells one.
    pub(in crate::adapter) fn message_id(&self) -> Option<String> {
        self.field("message_id")?.id().map(str::to_owned)
    }

    /// The refusal for people.
    pub(in crate::adapter) fn reason(&self) -> String {
        if self.text.is_empty() {
            format!("refused with retcode {}", self.retcode)
        } else {
            format!("refused with retcode {}: {}", self.retcode, self.text)
        }
    }
}
