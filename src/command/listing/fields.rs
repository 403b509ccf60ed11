//! Messages as text for programs: fields separated by tabs, and templates.

use super::time::utc;
use crate::cli::{Column, Template, TemplatePart};
use crate::model::message::Message;
use crate::text::escaped;

/// The fields of a line in a pipe.
pub(super) const FIELDS: [Column; 9] = [
    Column::Time,
    Column::Direction,
    Column::Platform,
    Column::Conversation,
    Column::Status,
    Column::Type,
    Column::Sender,
    Column::Content,
    Column::Id,
];

/// Columns of a message, separated by tabs.
pub(super) fn fields(message: &Message, columns: &[Column]) -> String {
    columns.iter().map(|&column| field(message, column)).collect::<Vec<_>>().join("\t")
}

/// A template filled in.
pub(super) fn filled(message: &Message, template: &Template) -> String {
    let part = |part: &TemplatePart| match part {
        TemplatePart::Text(text) => text.clone(),
        TemplatePart::Column(column) => field(message, *column),
    };
    template.0.iter().map(part).collect()
}

/// The value of a message in a column, uncut and on one line; empty if it has none.
pub(super) fn field(message: &Message, column: Column) -> String {
    let sender = message.sender.as_ref();
    let optional = |text: Option<&str>| text.map(escaped).unwrap_or_default();
    match column {
        Column::Id => message.id.to_string(),
        Column::Time => utc(message.created_at),
        Column::Updated => utc(message.updated_at),
        Column::Direction => message.direction.to_string(),
        Column::Platform => escaped(message.platform_or_local()),
        Column::Conversation => escaped(&message.recipient),
        Column::Name => optional(message.conversation_name.as_deref()),
        Column::Status => message.status.to_string(),
        Column::Type => message.message_type().to_string(),
        Column::Sender => optional(sender.map(|sender| &*sender.name)),
        Column::SenderId => optional(sender.map(|sender| &*sender.id)),
        Column::Account => optional(message.account.as_deref()),
        Column::Content => escaped(&message.content.readable()),
        Column::Error => optional(message.last_error.as_deref()),
        Column::Waiting => optional(message.waiting.as_deref()),
        Column::Retries => message.retry_count.to_string(),
    }
}
