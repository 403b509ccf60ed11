//! The files that messages have.

use super::source::SourceArgs;
use clap::Args;

/// `rechat media`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat media
  rechat media --json | jq -r 'select(.size > 50000000) | .media' | xargs -rn1 rechat media --remove

A file is named by the SHA-256 of its bytes, or by its first 4 digits and more. In a pipe the fields \
are separated by tabs: 1 SHA-256, 2 time when it was stored, 3 bytes, 4 type, 5 name in the newest \
message that has it, 6 the conversation of that message. Messages whose file is removed stay. Files that no message has are removed \
after a day.")]
pub struct MediaArgs {
    /// Remove this file, named by its beginning too, and take it out of its messages; may be repeated
    #[arg(long, value_name = "MEDIA", conflicts_with_all = ["json", "limit"])]
    pub remove: Vec<String>,

    /// Remove without asking
    #[arg(short, long, requires = "remove")]
    pub yes: bool,

    /// List at most so many, the newest
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub limit: u64,

    /// Print each file as a line of JSON
    #[arg(long)]
    pub json: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}
