//! How fetching the bytes of a picture, sound, video or file failed.

use crate::model::reason::Reason;
use serde::Deserialize;
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// How the last attempt to fetch the bytes of a picture, sound, video or file failed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MediaFailure {
    /// The cause, in words for people.
    pub reason: String,
    /// Another attempt may help.
    #[serde(default)]
    pub retryable: bool,
    /// Unix seconds of the attempt.
    pub at: u64,
}

/// Beside the reason stands its code, where it has one.
impl Serialize for MediaFailure {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("MediaFailure", 5)?;
        fields.serialize_field("reason", &self.reason)?;
        if let Some(Reason { code, detail }) = Reason::of(&self.reason) {
            fields.serialize_field("code", code)?;
            if detail.is_some() {
                fields.serialize_field("detail", &detail)?;
            }
        }
        if self.retryable {
            fields.serialize_field("retryable", &true)?;
        }
        fields.serialize_field("at", &self.at)?;
        fields.end()
    }
}
