//! Running a command for each new message.

use super::filter::FilterArgs;
use super::source::SourceArgs;
use super::values::{types, whole_seconds};
use crate::model::message::MessageType;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `rechat watch`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat watch --exec 'jq -r .content'
  rechat watch -c group_123456 --direction in --cursor-file bot.cursor --exec ./answer.sh
  rechat watch --search invoice --sender Ann --exec 'jq -r .content'

The command gets the message as JSON on its standard input, and its ID, platform and \
conversation in RECHAT_ID, RECHAT_PLATFORM and RECHAT_CONVERSATION. One runs at a time, in the \
order of the messages. With --cursor-file none is missed while this does not run, and the last one may \
come again.")]
pub struct WatchArgs {
    /// Command for the shell
    #[arg(long, value_name = "COMMAND")]
    pub exec: String,

    /// The messages that are meant.
    #[command(flatten)]
    pub filter: FilterArgs,

    /// Only messages of this sender, given by the ID or the name as it is shown
    #[arg(long, value_name = "SENDER", alias = "from")]
    pub sender: Option<String>,

    /// Only messages of this type; one with text and pictures is a Text
    #[arg(short = 't', long = "type", value_name = "TYPE", ignore_case = true, value_parser = types())]
    pub message_type: Option<MessageType>,

    /// Only messages with this text in the content, a file's name or the sender's, in any case
    #[arg(long, value_name = "TEXT", short_alias = 'q', value_parser = NonEmptyStringValueParser::new())]
    pub search: Option<String>,

    /// File that stores the cursor; the next start continues there
    #[arg(long, value_name = "FILE", alias = "place", value_hint = ValueHint::FilePath)]
    pub cursor_file: Option<PathBuf>,

    /// Seconds that the command may run for one message; then it is killed
    #[arg(long, value_name = "SECS", default_value = "60", value_parser = whole_seconds)]
    pub timeout: u64,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}
