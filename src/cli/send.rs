//! Arguments for sending.

use super::source::SourceArgs;
use super::values::{id, media_types, types, whole_seconds};
use crate::model::id_prefix::IdPrefix;
use crate::model::message::MessageType;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `rechat send`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat send -r group_123456 Hello from a script
  rechat send -r Family 'Who brings the map?'
  uptime | rechat send -p qq -r private_10001
  rechat send -r group_123456 --file map.png --file plan.pdf Both for Sunday
  rechat send -r group_123456 --mention Ann please look
  rechat send -r group_123456 --file photo.jpg --as file
  rechat send -p qq -r group_123456 -t image https://example.com/cat.png
  rechat send -r group_123456 --wait=30 'Waits up to 30 s until this is sent'
  rechat send --batch < messages.jsonl

With --wait the exit code is 0 if the message was sent, and 1 if it failed or the time ran out. The \
seconds are written with `=`, because `--wait 30` would be --wait and the text 30. A text that \
begins with a hyphen comes after `--`.

Without -p the message goes to the platform where the conversation is known, else to \
default_platform of the configuration, else to the only platform that was ever connected or is \
configured (loopback is not counted). Where several could be meant, it waits until you name one.

A line for --batch is a JSON object with recipient and content (or segments), and optionally \
message_type, platform, reply_to and idempotency_key. A line that is refused keeps no other from \
being stored, and the exit code is 1.")]
pub struct Send {
    /// Conversation to send to: its name, or its ID: group_<id>, private_<id>
    #[arg(short, long, value_name = "CONVERSATION", required_unless_present = "batch")]
    #[arg(visible_short_alias = 'c', visible_alias = "conversation", alias = "to")]
    pub recipient: Option<String>,

    /// Platform, such as qq; without it, it is chosen as described below
    #[arg(short, long)]
    pub platform: Option<String>,

    /// Message that this one answers, by its ID or the beginning of it
    #[arg(long, value_name = "ID", value_parser = id, conflicts_with = "batch")]
    pub reply_to: Option<IdPrefix>,

    /// Send also to a platform or conversation that was never seen
    #[arg(long)]
    pub new: bool,

    /// Read messages as JSON lines from FILE (`-`: standard input)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    #[arg(conflicts_with_all = ["recipient", "content", "wait", "file", "mention", "segments", "idempotency_key"], value_hint = ValueHint::FilePath)]
    pub batch: Option<PathBuf>,

    /// The content of the message.
    #[command(flatten)]
    pub content: ContentArgs,

    /// How it is sent, and how the outcome is shown.
    #[command(flatten)]
    pub sending: SendOptions,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat reply`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat reply 6f0a0c1e I will be there
  rechat reply 6f0a0c1e --file map.png
  rechat reply 6f0a0c1e --wait=30 On my way

It goes to the conversation of the message, and on platforms that can it shows what it answers.")]
pub struct ReplyArgs {
    /// The message to answer, by its ID or the beginning of it
    #[arg(value_parser = id)]
    pub id: IdPrefix,

    /// The content of the message.
    #[command(flatten)]
    pub content: ContentArgs,

    /// How it is sent, and how the outcome is shown.
    #[command(flatten)]
    pub sending: SendOptions,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// The content of a message.
#[derive(Debug, Args)]
pub struct ContentArgs {
    /// Type of the message
    #[arg(
        short = 't',
        long = "type",
        value_name = "TYPE",
        default_value = "Text",
        ignore_case = true,
        value_parser = types()
    )]
    pub message_type: MessageType,

    /// File to read and send, after the text; may be repeated
    #[arg(long, short_alias = 'f', value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "message_type")]
    pub file: Vec<PathBuf>,

    /// Type of the files, instead of the type detected from their bytes
    #[arg(long = "as", value_name = "TYPE", requires = "file", ignore_case = true, value_parser = media_types())]
    pub file_type: Option<MessageType>,

    /// Person to mention before the text, by the name or the platform's ID, or `all`; may be repeated
    #[arg(long, value_name = "USER", conflicts_with = "message_type")]
    pub mention: Vec<String>,

    /// The content as a JSON array of segments, in place of a text
    #[arg(long, value_name = "JSON", conflicts_with_all = ["message_type", "file", "mention", "content"])]
    pub segments: Option<String>,

    /// Text; for other types a URL, or a file to read and send. `-` or nothing: standard input
    pub content: Vec<String>,
}

/// How a message is sent.
#[derive(Debug, Args)]
pub struct SendOptions {
    /// Print the message as JSON
    #[arg(long)]
    pub json: bool,

    /// Wait until it is sent or has failed, at most SECS seconds, 30 without `=SECS`
    #[arg(long, value_name = "SECS", num_args = 0..=1, require_equals = true, default_missing_value = "30", value_parser = whole_seconds)]
    pub wait: Option<u64>,

    /// Send only once, however often this runs within 24 h with the same key
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}
