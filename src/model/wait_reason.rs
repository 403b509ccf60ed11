//! Why a message waits.

use super::reason::Reason;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The reason why a message waits: its text, and the code that is known when it is made. Messages
/// that wait for the same reason share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitReason(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    text: String,
    code: Option<&'static str>,
    detail: Option<String>,
}

impl WaitReason {
    /// A reason with its code; `detail` is what others said in it, or a time.
    pub fn new(code: &'static str, text: impl Into<String>, detail: Option<String>) -> Self {
        Self(Arc::new(Parts { text: text.into(), code: Some(code), detail }))
    }

    /// The code; lower case and stable. `None` if the text was read and has no known form.
    pub fn code(&self) -> Option<&'static str> {
        self.0.code
    }

    /// Text of the platform, a host or the system, or a time, if the reason has any.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }
}

/// Reads the code from the text.
impl From<String> for WaitReason {
    fn from(text: String) -> Self {
        let reason = Reason::of(&text);
        let code = reason.map(|reason| reason.code);
        let detail = reason.and_then(|reason| reason.detail).map(str::to_owned);
        Self(Arc::new(Parts { text, code, detail }))
    }
}

impl From<&str> for WaitReason {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Deref for WaitReason {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.text
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
