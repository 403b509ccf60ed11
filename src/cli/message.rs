//! Reading and changing messages that are named.

use super::source::SourceArgs;
use super::values::{context, id, statuses};
use crate::model::id_prefix::IdPrefix;
use crate::model::message::Status;
use clap::Args;

/// `rechat get`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat get 6f0a0c1e
  rechat get --json 6f0a0c1e | jq -r .status
  rechat show 6f0a0c1e -C 5                   # with 5 messages before and after it")]
pub struct MessageArg {
    /// The message's ID, or the beginning of it
    #[arg(value_parser = id)]
    pub id: IdPrefix,

    /// List it among so many messages of the conversation before and after it
    #[arg(short = 'C', long, value_name = "N", value_parser = context)]
    pub context: Option<usize>,

    /// Print the message as JSON
    #[arg(long)]
    pub json: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat set-status`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat set-status 6f0a0c1e canceled
  rechat set-status 6f0a0c1e pending      # send it again")]
pub struct SetStatus {
    /// The message's ID, or the beginning of it
    #[arg(value_parser = id)]
    pub id: IdPrefix,

    /// The new status
    #[arg(ignore_case = true, value_parser = statuses())]
    pub status: Status,

    /// Print the message as JSON
    #[arg(long)]
    pub json: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat delete`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat delete 6f0a0c1e
  rechat list --status canceled -n 1000 --format '{id}' | xargs -r rechat delete

At a terminal it shows the messages and asks first.")]
pub struct Delete {
    /// IDs of messages, or the beginnings of them
    #[arg(required = true, value_name = "ID", value_parser = id)]
    pub ids: Vec<IdPrefix>,

    /// Delete without asking
    #[arg(short, long)]
    pub yes: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat cancel`, `rechat retry` and `rechat recall`
#[derive(Debug, Args)]
pub struct MessagesArgs {
    /// IDs of messages, or the beginnings of them
    #[arg(required = true, value_name = "ID", value_parser = id)]
    pub ids: Vec<IdPrefix>,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}
