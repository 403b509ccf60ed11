//! Sending.

use super::source::SourceArgs;
use super::values::types;
use crate::model::message::MessageType;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `rechat send`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat send -r group_123456 Hello from a script
  rechat send -r 'Hiking on Sunday' 'Who brings the map?'
  uptime | rechat send -p qq -r private_10001
  rechat send -p qq -r group_123456 -t image https://example.com/cat.png
  rechat send -p qq -r group_123456 -t file report.pdf
  rechat send -r group_123456 --wait=30 'Waits up to 30 s until this is sent'
  rechat send --batch < messages.jsonl

With --wait the exit code is 0 if the message was sent, and 1 if it failed or the time ran out. The
seconds are written with `=`, because `--wait 30` would be --wait and the text 30.
A line for --batch is a JSON object with recipient, content and optionally message_type, platform
and idempotency_key.")]
pub struct Send {
    /// Conversation to send to: its name, or its ID: group_<id>, private_<id>
    #[arg(short, long, value_name = "CONVERSATION", required_unless_present = "batch")]
    pub recipient: Option<String>,

    /// Platform, such as qq; without it, the platform where the conversation is known
    #[arg(short, long)]
    pub platform: Option<String>,

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

    /// Send also to a platform or conversation that was never seen
    #[arg(long)]
    pub new: bool,

    /// Print the message as JSON
    #[arg(long)]
    pub json: bool,

    /// Wait until it is sent or has failed, at most SECS seconds, 30 without `=SECS`
    #[arg(long, value_name = "SECS", num_args = 0..=1, require_equals = true, default_missing_value = "30")]
    pub wait: Option<u64>,

    /// Send only once, however often this runs within 24 h with the same key
    #[arg(long, value_name = "KEY", conflicts_with = "batch")]
    pub idempotency_key: Option<String>,

    /// Read messages as JSON lines from FILE (`-`: standard input)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    #[arg(conflicts_with_all = ["recipient", "content", "wait"], value_hint = ValueHint::FilePath)]
    pub batch: Option<PathBuf>,

    /// Text; for other types a URL, or a file to read and send. `-` or nothing: standard input
    pub content: Vec<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}
