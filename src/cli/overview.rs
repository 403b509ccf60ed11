//! Overviews: conversations, platforms, counts, the state of everything.

use super::source::SourceArgs;
use super::values::{limit, time};
use clap::Args;

/// `rechat conversations`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat conversations
  rechat conversations family
  rechat conversations --unread
  rechat conversations -p qq --json

Those with unread messages come first, then the others, the latest first. At a terminal it is a \
table, in a pipe the fields are separated by tabs: 1 name, 2 platform, 3 ID, 4 time of the newest \
message, 5 number of unread messages.")]
pub struct ConversationsArgs {
    /// Only those with this text in their name or ID, in any case
    pub text: Option<String>,

    /// Only those of this platform
    #[arg(short, long)]
    pub platform: Option<String>,

    /// Only those with unread messages
    #[arg(short, long)]
    pub unread: bool,

    /// Number of conversations at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50, value_parser = limit)]
    #[arg(allow_negative_numbers = true)]
    pub limit: usize,

    /// Print the conversations as JSON lines
    #[arg(long)]
    pub json: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat read`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat read Family
  rechat read -p qq group_123456 private_10001
  rechat read --all

The page and `rechat tui` share this mark. `rechat conversations --unread` lists what is unread.")]
pub struct ReadArgs {
    /// Conversations, given by their ID or their name
    #[arg(required_unless_present_any = ["named", "all"], value_name = "CONVERSATION")]
    pub conversations: Vec<String>,

    /// A conversation, as other commands take it; may be repeated
    #[arg(short, long = "conversation", visible_short_alias = 'r', visible_alias = "recipient")]
    #[arg(id = "named", value_name = "CONVERSATION")]
    pub conversation: Vec<String>,

    /// Every conversation with unread messages
    #[arg(long, conflicts_with_all = ["conversations", "named"])]
    pub all: bool,

    /// Platform of the conversations
    #[arg(short, long)]
    pub platform: Option<String>,

    /// Print the conversations as JSON lines
    #[arg(long)]
    pub json: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat platforms`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat platforms
  rechat platforms --json | jq -r .state

In a pipe the fields are separated by tabs: 1 platform, 2 account, 3 state, 4 since when, 5 messages \
sent, 6 received, 7 failed, 8 reason.")]
pub struct PlatformsArgs {
    /// Print the platforms as JSON lines
    #[arg(long)]
    pub json: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat bots`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat bots
  rechat bots --json | jq .waiting

In a pipe the fields are separated by tabs: 1 name, 2 kind, 3 state, 4 since when, 5 events it has \
read, 6 events it is to be told yet, 7 accounts, 8 last error.")]
pub struct BotsArgs {
    /// Print the bots as JSON lines
    #[arg(long)]
    pub json: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat stats`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat stats
  rechat stats -c group_123456
  rechat stats -p qq --since 7d
  rechat stats --json | jq .failed")]
pub struct StatsArgs {
    /// Only messages of this platform
    #[arg(short, long)]
    pub platform: Option<String>,

    /// Only messages of this conversation, given by its ID or its name
    #[arg(short, long, visible_short_alias = 'r', visible_alias = "recipient")]
    pub conversation: Option<String>,

    /// Only messages said at this time or later: 2h, 3d, today, 14:30, 2026-11-20
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<u64>,

    /// Print the counts as JSON
    #[arg(long)]
    pub json: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat status`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat status
  rechat status > /dev/null || echo 'rechat needs attention'
  rechat status --json

Exit code 0: a server runs, and nothing is wrong; 1: something needs attention. `rechat doctor` checks \
much more, and says what to correct.")]
pub struct StatusArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}
