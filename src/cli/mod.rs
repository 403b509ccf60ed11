//! The command line, as types: a file for each family of commands.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

mod action;
mod cluster;
mod columns;
mod filter;
mod list;
mod login;
mod mcp;
mod media;
mod message;
mod overview;
mod page;
mod parse;
mod send;
mod serve;
mod shell;
mod source;
mod store;
mod values;
mod watch;

pub use action::{Edit, React, RequestsArgs};
pub use cluster::{ClusterArgs, ClusterCommand, ClusterInit, ClusterLeave, ClusterShow};
pub use columns::{Column, Format, Template, TemplatePart};
pub use filter::FilterArgs;
pub use list::{ListArgs, ListFormatArgs, SearchArgs};
pub use login::{LoginArgs, Logout};
pub use mcp::McpArgs;
pub use media::MediaArgs;
pub use message::{Delete, MessageArg, MessagesArgs, SetStatus};
pub use overview::{BotsArgs, ConversationsArgs, PlatformsArgs, ReadArgs, StatsArgs, StatusArgs};
pub use page::OpenArgs;
pub use parse::parse;
pub use send::{ContentArgs, ReplyArgs, Send, SendOptions};
pub use serve::{LoopbackMode, Notify, Pictures, Serve, Tui, TuiLanguage};
pub use shell::{Completions, Man};
pub use source::SourceArgs;
pub use store::{BackupArgs, Check, Compact, Doctor, ExportArgs, Import};
pub use watch::WatchArgs;

use clap::{Args, ColorChoice, Parser, Subcommand, ValueHint};
use std::path::PathBuf;

/// The version, and the commit it was built from.
pub const VERSION: &str = env!("RECHAT_VERSION");

/// Collects the chats of several platforms on your own machine.
#[derive(Debug, Parser)]
#[command(name = "rechat", version = VERSION, max_term_width = 100, propagate_version = true)]
#[command(arg_required_else_help = true, subcommand_required = true)]
#[command(after_help = "Examples:
  rechat serve                                start the server on 127.0.0.1:8080
  rechat send -r group_123456 'Hello'         store a message and send it
  rechat list --status failed                 list the messages that were not sent, and why

Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: CliCommand,

    /// The options that all commands have.
    #[command(flatten)]
    pub globals: GlobalOptions,
}

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
pub struct GlobalOptions {
    /// Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,

    /// Colors: auto (at a terminal, unless NO_COLOR is set), always or never
    #[arg(long, global = true, value_name = "WHEN", default_value_t, hide_possible_values = true)]
    #[arg(hide_default_value = true)]
    pub color: ColorChoice,

    /// Print long output at once, without $PAGER
    #[arg(long, global = true)]
    pub no_pager: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Run the server
    Serve(Serve),
    /// Store a message and send it
    Send(Send),
    /// Answer a message
    Reply(ReplyArgs),
    /// List messages, the newest first
    List(ListArgs),
    /// Run a command for each new message
    Watch(WatchArgs),
    /// Find messages by a text in them, the newest first
    Search(SearchArgs),
    /// Show one message
    #[command(visible_alias = "show")]
    Get(MessageArg),
    /// Edit a message that you sent
    Edit(Edit),
    /// Take sent messages back on their platform
    #[command(after_help = "Example:
  rechat recall 6f0a0c1e

What was taken back stays in the store; `rechat delete` deletes it there.")]
    Recall(MessagesArgs),
    /// React to a message with an emoji
    React(React),
    /// Set the status of a message by hand
    SetStatus(SetStatus),
    /// Cancel messages that are not sent yet
    #[command(after_help = "Examples:
  rechat cancel 6f0a0c1e
  rechat list --status pending -p qq -n 1000 --format '{id}' | xargs -r rechat cancel")]
    Cancel(MessagesArgs),
    /// Send failed or canceled messages again
    #[command(after_help = "Examples:
  rechat retry 6f0a0c1e
  rechat list --status failed -n 1000 --format '{id}' | xargs -r rechat retry")]
    Retry(MessagesArgs),
    /// Delete messages; they cannot be brought back
    Delete(Delete),
    /// List the conversations, unread ones first
    Conversations(ConversationsArgs),
    /// Mark conversations as read
    Read(ReadArgs),
    /// List the platforms, and how they are connected
    Platforms(PlatformsArgs),
    /// List the bots, and how they are connected
    Bots(BotsArgs),
    /// List requests of people to be a friend or to join a group, and answer them
    Requests(RequestsArgs),
    /// Count the messages of each status
    Stats(StatsArgs),
    /// Show how the server, the platforms, the queue and the disk are
    Status(StatusArgs),
    /// Open the page in a browser, signed in
    Open(OpenArgs),
    /// Read and answer in the terminal, live
    Tui(Tui),
    /// Let agents read and write chats, by the Model Context Protocol
    Mcp(McpArgs),
    /// Log in to a platform by a QR code
    Login(LoginArgs),
    /// Log an account out of its platform
    Logout(Logout),
    /// Check a store for damage
    Check(Check),
    /// Check everything a server needs, and say what to correct
    Doctor(Doctor),
    /// Write messages as JSON lines, the oldest first
    Export(ExportArgs),
    /// Store messages that were exported; known ones stay as they are
    Import(Import),
    /// Copy the store, also while the server runs
    Backup(BackupArgs),
    /// List the files that messages have, or remove some
    Media(MediaArgs),
    /// Make the store's file as small as possible
    Compact(Compact),
    /// Create a cluster, or show its state
    Cluster(ClusterArgs),
    /// Print the version
    #[command(after_help = "Example:
  rechat version")]
    Version,
    /// Make a random token
    #[command(after_help = "Example:
  rechat serve --listen 0.0.0.0:8080 --token \"$(rechat token)\"")]
    Token,
    /// Print the completion script of a shell
    Completions(Completions),
    /// Print a manual page, or write all of them to a folder
    Man(Man),
}
