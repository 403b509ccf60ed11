//! Changing messages that were sent, and answering requests.

use super::source::SourceArgs;
use super::values::id;
use crate::model::id_prefix::IdPrefix;
use clap::Args;

/// `rechat edit`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat edit 6f0a0c1e We meet at nine
  rechat edit 6f0a0c1e --segments '[{\"type\": \"text\", \"text\": \"at nine\"}]'

A message that waits is edited in place, one that was sent on its platform, where that can.")]
pub struct Edit {
    /// The message's ID, or the beginning of it
    #[arg(value_parser = id)]
    pub id: IdPrefix,

    /// The new content as a JSON array of segments, in place of a text
    #[arg(long, value_name = "JSON", conflicts_with = "text")]
    pub segments: Option<String>,

    /// The new text
    #[arg(required_unless_present = "segments")]
    pub text: Vec<String>,

    /// Print the message as JSON
    #[arg(long)]
    pub json: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat react`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat react 6f0a0c1e 👍
  rechat react 6f0a0c1e 👍 --remove")]
pub struct React {
    /// The message's ID, or the beginning of it
    #[arg(value_parser = id)]
    pub id: IdPrefix,

    /// The emoji
    pub emoji: String,

    /// Take the reaction back
    #[arg(long)]
    pub remove: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat requests`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat requests
  rechat requests 12 --approve
  rechat requests 12 --refuse --reason 'who are you?'")]
pub struct RequestsArgs {
    /// The request to answer, by the number that the list shows
    #[arg(value_name = "NUMBER")]
    pub id: Option<u64>,

    /// Say yes
    #[arg(long, requires = "id", conflicts_with = "refuse", aliases = ["accept", "yes"])]
    pub approve: bool,

    /// Say no
    #[arg(long, requires = "id", aliases = ["deny", "decline", "reject", "no"])]
    pub refuse: bool,

    /// Words for the person who asked
    #[arg(long, value_name = "TEXT", requires = "id")]
    pub reason: Option<String>,

    /// Print the requests as JSON lines
    #[arg(long)]
    pub json: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}
