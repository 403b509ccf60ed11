//! Running a command for each new message.

use super::filter::FilterArgs;
use super::source::SourceArgs;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `rechat watch`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat watch --exec 'jq -r .content'
  rechat watch -c group_123456 --direction in --place bot.place --exec ./answer.sh

The command gets the message as JSON on its standard input, and its ID, platform and
conversation in RECHAT_ID, RECHAT_PLATFORM and RECHAT_CONVERSATION. One runs at a time, in the
order of the messages. With --place none is missed while this does not run, and the last one may
come again.")]
pub struct WatchArgs {
    /// Command for the shell
    #[arg(long, value_name = "COMMAND")]
    pub exec: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub filter: FilterArgs,

    /// File that keeps how far it got, and where it goes on the next time
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub place: Option<PathBuf>,

    /// Seconds that the command may run for one message; then it is killed
    #[arg(long, value_name = "SECS", default_value_t = 60)]
    pub timeout: u64,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}
