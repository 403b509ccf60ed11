//! Looking after a store: copies, transfers, checks.

use super::filter::FilterArgs;
use super::source::SourceArgs;
use super::values::statuses;
use crate::model::message::Status;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `rechat doctor`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat doctor

Checks configuration, disk, server, port, store, adapters, messages that wait, and clock. Exit code 0: nothing is wrong; \
1: something must be corrected.")]
pub struct Doctor {
    /// The store's file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub db: Option<PathBuf>,

    /// Also check every message and index, if no server has the store open
    #[arg(long)]
    pub full: bool,

    /// Print the findings as JSON lines
    #[arg(long)]
    pub json: bool,
}

/// `rechat export`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat export messages.jsonl
  rechat export --platform qq | zstd > qq.jsonl.zst

The file appears under its name only when it is complete.")]
pub struct ExportArgs {
    /// File to write; `-` or nothing: standard output
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,

    /// Only messages with one of these statuses; with commas, or repeated
    #[arg(long, ignore_case = true, value_delimiter = ',', value_parser = statuses())]
    pub status: Vec<Status>,

    /// The messages that are meant.
    #[command(flatten)]
    pub filter: FilterArgs,

    /// Replace the file if it exists
    #[arg(long, requires = "file")]
    pub force: bool,

    /// Also write the files that messages have, into a folder beside the file: `FILE-media`
    #[arg(long, requires = "file")]
    pub media: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat import`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat import messages.jsonl
  zstd -dc qq.jsonl.zst | rechat import -

Messages keep their ID, times and status. Known ones are skipped, so an import that stopped halfway \
can simply be repeated. Pending messages are sent. The files in `FILE-media`, where that folder is, \
are taken in first.")]
pub struct Import {
    /// File with lines as `rechat export` writes them; `-`: standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat backup`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat backup /backup/rechat-$(date +%F).redb

The copy has the state of one moment. It is a store that every command can use: --db FILE. The files \
that messages have are copied into the folder FILE-media.")]
pub struct BackupArgs {
    /// File to write the copy to
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `rechat compact`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  sudo systemctl stop rechat
  sudo rechat compact --db /var/lib/rechat/rechat.redb
  sudo systemctl start rechat

No other process may use the store meanwhile. New messages use the space of deleted ones again; \
this command gives that space back to the disk.")]
pub struct Compact {
    /// The store's file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub db: Option<PathBuf>,
}

/// `rechat check`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat check --db /backup/rechat.redb

--repair makes the store anew from what can be read, which a start does by itself only where the file \
cannot be opened at all; the damaged file is kept beside it.

Exit code 0: the store is sound; 1: it is damaged, or events of platforms could not be stored and \
are quarantined, with a line for each; 2: a server uses the store, so that only what is quarantined could \
be looked at. There --retry has the server try again.")]
pub struct Check {
    /// First try again to store the events of platforms that were quarantined
    #[arg(long)]
    pub retry: bool,
    /// First make the store anew from everything that can be read, and keep the damaged file
    #[arg(long)]
    pub repair: bool,
    /// The store's file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub db: Option<PathBuf>,
}
