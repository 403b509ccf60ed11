//! Reading many messages.

use super::columns::{Column, Format};
use super::filter::FilterArgs;
use super::source::SourceArgs;
use super::values::{context, limit, orders, statuses, time, types};
use crate::error::{Error, Result};
use crate::model::message::{MessageType, Status};
use crate::store::Order;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

/// `rechat list`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat list
  rechat list -c group_123456 -n 20
  rechat list --status failed --json | jq -r .last_error
  rechat list --since 2h --status failed --status pending
  rechat list --since 2026-11-20 --until 2026-11-21 --sender Ann
  rechat list --follow -p qq
  rechat list --follow --direction in --search lunch
  rechat list --columns time,sender,content
  rechat list --format '{id} {sender}: {content}'
  rechat list --status failed -C 2
  rechat list | cut -f 1,7,8

At a terminal it is a table with short IDs, which every command takes; the status is told where it \
is not Sent. In a pipe the fields are separated by tabs: 1 time, 2 direction, 3 platform, \
4 conversation, 5 status, 6 type, 7 sender, 8 content, 9 ID. In a template {column} stands for a \
column, {{ and }} for braces, \\t and \\n for tab and line end.")]
pub struct ListArgs {
    /// Only messages with one of these statuses; with commas, or repeated
    #[arg(long, ignore_case = true, value_delimiter = ',', value_parser = statuses())]
    pub status: Vec<Status>,

    /// The messages that are meant.
    #[command(flatten)]
    pub filter: FilterArgs,

    /// Only messages of this sender, given by the ID or the name as it is shown
    #[arg(long, value_name = "SENDER", alias = "from")]
    pub sender: Option<String>,

    /// Only messages of this type; one with text and pictures is a Text
    #[arg(short = 't', long = "type", value_name = "TYPE", ignore_case = true, value_parser = types())]
    pub message_type: Option<MessageType>,

    /// Only messages made at this time or later: 2h, 3d, today, 14:30, 2026-11-20
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<u64>,

    /// Only messages made before this time; a date is its beginning
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<u64>,

    /// Only messages with this text in the content, a file's name or the sender's, in any case
    #[arg(long, value_name = "TEXT", short_alias = 'q', value_parser = NonEmptyStringValueParser::new())]
    pub search: Option<String>,

    /// Number of messages at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50, aliases = ["last", "count"])]
    #[arg(value_parser = limit, allow_negative_numbers = true)]
    pub limit: usize,

    /// Number of the newest messages to skip
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub offset: u64,

    /// Only messages older than this one, given by its ID or the beginning of it
    #[arg(long, value_name = "ID")]
    pub before: Option<String>,

    /// Order by when messages came, or by when they were said: messages of a platform's history may
    /// come later [default: time for one conversation, else seq]
    #[arg(long, ignore_case = true, value_parser = orders())]
    pub order: Option<Order>,

    /// Show so many messages of the conversation before and after each one, too
    #[arg(short = 'C', long, value_name = "N", value_parser = context)]
    pub context: Option<usize>,

    /// Go on with new messages as they arrive, and at a terminal with what becomes of them; needs a server
    #[arg(short, long)]
    pub follow: bool,

    /// The form of the output.
    #[command(flatten)]
    pub shape: ListFormatArgs,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

impl ListArgs {
    /// Refuses options that have no meaning beside `--follow`, and says why.
    ///
    /// # Errors
    /// There is such an option.
    pub fn check(&self) -> Result<()> {
        let refused = match self {
            Self { follow: false, .. } => return Ok(()),
            Self { until: Some(_), .. } => ("--until", "has an end, and --follow has none"),
            Self { before: Some(_), .. } => {
                ("--before", "asks for older messages, --follow for new ones")
            }
            Self { offset: 1.., .. } => {
                ("--offset", "skips the newest messages, --follow begins with them")
            }
            Self { order: Some(Order::Time), .. } => {
                ("--order time", "sorts a whole list, and --follow prints messages as they come")
            }
            Self { context: Some(_), .. } => {
                ("--context", "shows messages around others, and --follow those that come")
            }
            _ => return Ok(()),
        };
        let (option, why) = refused;
        Err(Error::usage(format!("{option} cannot be used with --follow: it {why}"))
            .hint(format!("leave out {option} or --follow")))
    }
}

/// How a list is printed.
#[derive(Debug, Args)]
pub struct ListFormatArgs {
    /// Columns to print, with commas between them
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', ignore_case = true)]
    pub columns: Vec<Column>,

    /// How to print: table, json, jsonl, tsv, or a template such as '{id} {content}'
    #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
    pub format: Option<Format>,

    /// Print the messages as JSON lines, as --format jsonl does
    #[arg(long, conflicts_with = "columns")]
    pub json: bool,
}

/// `rechat search`
#[derive(Debug, Args)]
#[command(mut_arg("search", |arg| arg.hide(true)))]
#[command(after_help = "Examples:
  rechat search lunch
  rechat search 你好 --platform qq --limit 10
  rechat search two words --json | jq -r .content
  rechat search lunch -C 3                    # with 3 messages before and after each
  rechat search lunch --follow")]
pub struct SearchArgs {
    /// The text, which has to stand together; case and full-width forms make no difference
    #[arg(required_unless_present = "search", conflicts_with = "search")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub text: Vec<String>,

    /// The list that is asked for.
    #[command(flatten)]
    pub list: ListArgs,
}
