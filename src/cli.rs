//! The command line, as types.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use crate::config::LogFormat;
use crate::model::message::{Direction, MessageType, Status};
use clap::{Args, Parser, Subcommand, ValueHint};
use std::net::SocketAddr;
use std::path::PathBuf;
use uuid::Uuid;

/// The version, and the commit it was built from.
pub const VERSION: &str = env!("RECHAT_VERSION");

/// Gathers the chats of many platforms in one durable place, at hand in the terminal.
#[derive(Debug, Parser)]
#[command(name = "rechat", version = VERSION, max_term_width = 100, propagate_version = true)]
#[command(arg_required_else_help = true, subcommand_required = true)]
#[command(after_help = "Examples:
  rechat serve                                start the server on 127.0.0.1:8080
  rechat send -r group_123456 'Hello'         store a message and have it sent
  rechat list --status failed                 what did not go out, and why

Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub struct Cli {
    #[command(subcommand)]
    #[allow(missing_docs)]
    pub command: Command,

    /// Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// Reads the ID of a message.
fn id(text: &str) -> Result<Uuid, &'static str> {
    text.parse()
        .map_err(|_| "no message has such an ID; `rechat list` shows them, last in each line")
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(Serve),
    /// Store a message and have it sent
    Send(Send),
    /// List messages, the newest first
    List(List),
    /// Show one message
    Get(One),
    /// Set the status of a message by hand
    SetStatus(SetStatus),
    /// Take messages back before they are sent
    Cancel(Many),
    /// Send failed or canceled messages again
    Retry(Many),
    /// Delete messages for good
    Delete(Many),
    /// Count the messages in each state
    Stats(Stats),
    /// Watch and answer from the terminal
    Tui(Tui),
    /// Verify a store: indexes and counts against the messages
    Check(Check),
    /// Look at everything a server needs, and say what to mend
    Doctor(Doctor),
    /// Write messages as lines of JSON, the oldest first
    Export(Export),
    /// Take in messages that were exported, without doubles
    Import(Import),
    /// Copy the store, also while the server runs
    Backup(Backup),
    /// Make the store's file as small as it can be
    Compact(Compact),
    /// Make a strong token
    #[command(after_help = "Example:
  rechat serve --listen 0.0.0.0:8080 --token \"$(rechat token)\"")]
    Token,
    /// Print the completion script of a shell
    Completions(Completions),
    /// Print a manual page, or write all of them to a folder
    Man(Man),
}

/// `rechat serve`
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  rechat serve
  rechat serve --listen 0.0.0.0:8080 --token \"$(rechat token)\"
  rechat serve --print-config

SIGTERM or Ctrl-C ends it within 5 s; a second one ends it at once.")]
pub struct Serve {
    /// Address to serve on [env: RECHAT_LISTEN] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,

    /// The store's file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub db: Option<PathBuf>,

    /// Token that clients must show [env: RECHAT_TOKEN]
    #[arg(long, value_name = "T")]
    pub token: Option<String>,

    /// File that the token is in [env: RECHAT_TOKEN_FILE]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "token")]
    pub token_file: Option<PathBuf>,

    /// Serve an address that others can reach without a token
    #[arg(long)]
    pub allow_no_token: bool,

    /// Also start an adapter `loopback` that accepts everything, to try things out
    #[arg(long)]
    pub loopback: bool,

    /// What to log: error, warn, info, debug, trace, or a filter [env: RECHAT_LOG__LEVEL]
    #[arg(long, value_name = "LEVEL")]
    pub log: Option<String>,

    /// How to log [env: RECHAT_LOG__FORMAT]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Print every setting in force and where it comes from, and end
    #[arg(long)]
    pub print_config: bool,
}

/// Where the messages are: a server, else the local store.
#[derive(Clone, Debug, Default, Args)]
pub struct Place {
    /// The store's file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "server")]
    pub db: Option<PathBuf>,

    /// Ask a server elsewhere, such as https://host:8080 [env: RECHAT_SERVER]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub server: Option<String>,

    /// The token of that server [env: RECHAT_TOKEN]
    #[arg(long, value_name = "T")]
    pub token: Option<String>,

    /// Certificate to trust over HTTPS beside the system's, as PEM [env: RECHAT_CA]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca: Option<PathBuf>,
}

/// `rechat send`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat send -r group_123456 'Hello from a script'
  uptime | rechat send -p qq -r private_10001
  rechat send -p qq -r group_123456 -t image https://example.com/cat.png
  rechat send -r group_123456 --wait=30 'Tell me when it is out'
  rechat send --batch < messages.jsonl

A line for --batch is a JSON object with recipient, content and, if you like,
message_type, platform and idempotency_key.")]
pub struct Send {
    /// Receiver: group_<id>, private_<id>, or another conversation
    #[arg(short, long, required_unless_present = "batch")]
    pub recipient: Option<String>,

    /// Platform, such as qq; found by the conversation where left out
    #[arg(short, long)]
    pub platform: Option<String>,

    /// Type of the message
    #[arg(
        short = 't',
        long = "type",
        value_name = "TYPE",
        default_value = "Text",
        ignore_case = true
    )]
    pub message_type: MessageType,

    /// Print the message as JSON
    #[arg(long)]
    pub json: bool,

    /// Wait until it is sent or has failed, at most SECS seconds [default: 30]
    #[arg(long, value_name = "SECS", num_args = 0..=1, require_equals = true, default_missing_value = "30")]
    pub wait: Option<u64>,

    /// Send once, however often this is run within 24 h with the same key
    #[arg(long, value_name = "KEY", conflicts_with = "batch")]
    pub idempotency_key: Option<String>,

    /// Read messages as JSON lines from FILE (`-`: standard input)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    #[arg(conflicts_with_all = ["recipient", "content", "wait"], value_hint = ValueHint::FilePath)]
    pub batch: Option<PathBuf>,

    /// The text, or a URL; `-` or nothing reads standard input
    pub content: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: Place,
}

/// `rechat list`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat list
  rechat list --platform qq --conversation group_123456 --limit 20
  rechat list --status failed --json | jq -r .last_error
  rechat list --follow --platform qq
  rechat list | cut -f 1,6      # tab-separated when piped: time, direction, platform,
                                # conversation, status, type, sender, content, ID")]
pub struct List {
    /// Only messages in this state
    #[arg(long, ignore_case = true)]
    pub status: Option<Status>,

    /// Only messages of this platform
    #[arg(long)]
    pub platform: Option<String>,

    /// Only messages of this conversation
    #[arg(long)]
    pub conversation: Option<String>,

    /// Only messages that went out, or came in
    #[arg(long, ignore_case = true)]
    pub direction: Option<Direction>,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,

    /// How many of the newest to pass over
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub offset: u64,

    /// Only messages older than this one
    #[arg(long, value_name = "ID")]
    pub before: Option<String>,

    /// Go on with new messages as they come; needs a server
    #[arg(short, long, conflicts_with_all = ["offset", "before"])]
    pub follow: bool,

    /// Print the messages as JSON lines
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: Place,
}

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
    pub place: Place,
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

    /// The state it shall have
    #[arg(ignore_case = true)]
    pub status: Status,

    /// Print the message as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: Place,
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
    pub place: Place,
}

/// `rechat stats`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat stats --json | jq .failed")]
pub struct Stats {
    /// Print the counts as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: Place,
}

/// `rechat tui`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat tui
  rechat tui --server http://host:8080 --token \"$TOKEN\"
  NO_COLOR=1 rechat tui

It needs a running server, and waits for one that is away. The key `?` shows all keys.")]
pub struct Tui {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: Place,
}

/// `rechat doctor`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat doctor

Looks at configuration, store, socket, port, adapters, clock and disk. Ends with 0 where nothing
is wrong, with 1 where something must be mended.")]
pub struct Doctor {
    /// The store's file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub db: Option<PathBuf>,

    /// Also read every message and compare the indexes, where no server has the store open
    #[arg(long)]
    pub full: bool,

    /// Print what was found as JSON lines
    #[arg(long)]
    pub json: bool,
}

/// `rechat export`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat export messages.jsonl
  rechat export --platform qq | zstd > qq.jsonl.zst

A file is put in its place only once it is whole.")]
pub struct Export {
    /// Where to write; `-` or nothing is standard output
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,

    /// Only messages in this state
    #[arg(long, ignore_case = true)]
    pub status: Option<Status>,

    /// Only messages of this platform
    #[arg(long)]
    pub platform: Option<String>,

    /// Only messages of this conversation
    #[arg(long)]
    pub conversation: Option<String>,

    /// Only messages that went out, or came in
    #[arg(long, ignore_case = true)]
    pub direction: Option<Direction>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: Place,
}

/// `rechat import`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat import messages.jsonl
  zstd -dc qq.jsonl.zst | rechat import -

Messages keep their ID, times and state; those that are known already stay as they are, so that
an import that broke off is just run again. What is Pending is sent.")]
pub struct Import {
    /// What to read: lines as `rechat export` writes them; `-` is standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: Place,
}

/// `rechat backup`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat backup /backup/rechat-$(date +%F).redb

The copy is as the store was at one moment, and is used as any store: --db FILE.")]
pub struct Backup {
    /// Where the copy goes
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: Place,
}

/// `rechat compact`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  systemctl stop rechat && rechat compact && systemctl start rechat

Nobody may use the store meanwhile. Room that deleted messages left is used again anyway; this
gives it back to the disk.")]
pub struct Compact {
    /// The store's file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub db: Option<PathBuf>,
}

/// `rechat check`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat check --db /backup/rechat.redb

Ends with 0 where all is well, with 1 and a line for each finding where not.
The store must not be in use by a server.")]
pub struct Check {
    /// First try again to store the events of platforms that were set aside
    #[arg(long)]
    pub retry: bool,
    /// The store's file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub db: Option<PathBuf>,
}

/// `rechat completions`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat completions bash > ~/.local/share/bash-completion/completions/rechat
  rechat completions fish > ~/.config/fish/completions/rechat.fish")]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `rechat man`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat man | man -l -
  rechat man send | man -l -
  rechat man rechat.toml | man -l -
  rechat man --out ~/.local/share/man")]
pub struct Man {
    /// The command whose page to print, or `rechat.toml` for the configuration file
    #[arg(conflicts_with = "out")]
    pub page: Option<String>,

    /// Write all pages below this folder, to man1 and man5
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}
