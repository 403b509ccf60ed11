//! The settings of OneBot 11's own.

use serde::Deserialize;

/// The settings of OneBot 11's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OneBot11Options {
    /// Messages of each conversation that are fetched after a reconnect; 0 fetches none.
    pub(super) history: usize,
    /// The most conversations of which messages are fetched, the newest first.
    pub(super) history_conversations: usize,
    /// How a file goes to a conversation.
    pub(super) group_file: GroupFile,
    /// The folder of media as the implementation sees it.
    pub(super) media_folder: Option<String>,
    /// How a message is written in an action.
    pub(super) message_format: MessageFormat,
}

impl Default for OneBot11Options {
    fn default() -> Self {
        Self {
            history: 20,
            history_conversations: 20,
            group_file: GroupFile::Message,
            media_folder: None,
            message_format: MessageFormat::Array,
        }
    }
}

/// How a file goes to a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum GroupFile {
    /// As a `file` segment of a message.
    Message,
    /// By `upload_group_file` and `upload_private_file`, which some implementations want.
    Upload,
}

/// How a message is written in an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum MessageFormat {
    /// As segments.
    Array,
    /// As a string, for implementations that know nothing else; plain text is marked as such.
    String,
}
