//! Reading and changing messages that are named.

use super::source::SourceArgs;
use super::values::{id, statuses};
use crate::model::message::Status;
use clap::Args;
use uuid::Uuid;

/// `rechat get`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat get 6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0
  rechat get --json ID | jq .status")]
pub struct One {
    /// The message's ID
    #[arg(value_parser = id)]
    pub id: Uuid,

    /// Print the message as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// `rechat set-status`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat set-status ID canceled
  rechat set-status ID pending        # send it again")]
pub struct SetStatus {
    /// The message's ID
    #[arg(value_parser = id)]
    pub id: Uuid,

    /// The new status
    #[arg(ignore_case = true, value_parser = statuses())]
    pub status: Status,

    /// Print the message as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// `rechat cancel`, `rechat retry` and `rechat delete`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat list --status failed --json | jq -r .id | xargs rechat retry")]
pub struct Many {
    /// IDs of messages
    #[arg(required = true, value_name = "ID", value_parser = id)]
    pub ids: Vec<Uuid>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}
