//! Export, import and backup.

use crate::model::message::{Message, check_name};
use serde::{Deserialize, Serialize};

/// A line of `GET /api/export` and `POST /api/import`: a message, and fields that are otherwise not
/// shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TransferRecord {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// The platform's own ID of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The platform's own IDs of the parts of a message that was sent in several parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// The content as the platform wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// It is unknown whether the message was sent; it is looked for before it is sent again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uncertain: bool,
}

impl From<Message> for TransferRecord {
    fn from(mut message: Message) -> Self {
        let (external_id, original) = (message.external_id.take(), message.original.take());
        let parts = std::mem::take(&mut message.parts);
        let uncertain = message.may_be_sent();
        Self { message, external_id, parts, original, uncertain }
    }
}

impl TransferRecord {
    /// The message, after its fields were checked; the error names the field.
    ///
    /// # Errors
    ///
    /// A field is wrong; the text names it and says what is right.
    pub fn into_message(self) -> Result<Message, String> {
        let Self { mut message, external_id, parts, original, uncertain } = self;
        check_name("recipient", &message.recipient)?;
        if let Some(platform) = &message.platform {
            check_name("platform", platform)?;
        }
        // A recall may have emptied it.
        if message.content.is_empty() && message.recall.is_none() {
            return Err("`content` is empty".into());
        }
        (message.external_id, message.parts, message.original) = (external_id, parts, original);
        message.is_uncertain = uncertain;
        Ok(message)
    }
}

/// Body of `POST /api/backup`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Backup {
    /// Absolute path of the copy, a file that does not exist yet.
    #[schema(value_type = String)]
    pub file: std::path::PathBuf,
}

/// Answer of `POST /api/backup`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BackupDone {
    /// Always `true`: the import is complete.
    pub done: bool,
}

/// Answer of `POST /api/import`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Imported {
    /// Messages that were new.
    pub imported: u64,
    /// Messages that were there already, and did not change.
    pub known: u64,
}
