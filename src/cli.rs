//! The command line, as types.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

mod login;

use crate::config::LogFormat;
use crate::media::Hash;
use crate::model::message::{Direction, MessageType, Status};
use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use uuid::Uuid;

pub use login::{Login, Logout};

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
    #[command(subcommand)]
    #[allow(missing_docs)]
    pub command: Command,

    /// Configuration file [env: RECHAT_CONFIG] [default: $XDG_CONFIG_HOME/rechat/config.toml]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// The command line of this process; ends the process where it is wrong or asks for help.
pub fn parse() -> Cli {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(seconds) = detached_seconds(&arguments) {
        let text = format!(
            "`--wait {seconds}` would send the text `{seconds}`\n\n  \
             write --wait={seconds} for the seconds, or `-- {seconds}` for the text"
        );
        Cli::command().error(ErrorKind::InvalidValue, text).exit();
    }
    Cli::parse_from(arguments)
}

/// A number that follows `--wait` as an argument of its own: meant as its seconds, and parsed as
/// the text to send.
fn detached_seconds(arguments: &[OsString]) -> Option<&str> {
    let options = arguments.iter().take_while(|argument| *argument != "--");
    let pairs = options.clone().zip(options.skip(1));
    let mut numbers = pairs.filter(|(option, _)| *option == "--wait").map(|(_, value)| value);
    let is_number = |text: &&str| text.parse::<f64>().is_ok();
    numbers.find_map(|value| value.to_str().filter(is_number))
}

/// Reads the ID of a message.
fn id(text: &str) -> Result<Uuid, &'static str> {
    text.parse()
        .map_err(|_| "a message ID looks like 6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0; `rechat list` shows them")
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(Serve),
    /// Store a message and send it
    Send(Send),
    /// List messages, the newest first
    List(List),
    /// Find messages by a text in them, the newest first
    Search(Search),
    /// Show one message
    Get(One),
    /// Set the status of a message by hand
    SetStatus(SetStatus),
    /// Cancel messages that are not sent yet
    Cancel(Many),
    /// Send failed or canceled messages again
    Retry(Many),
    /// Delete messages; they cannot be brought back
    Delete(Many),
    /// Count the messages of each status
    Stats(Stats),
    /// Read and answer in the terminal, live
    Tui(Tui),
    /// Log in to a platform by a QR code
    Login(Login),
    /// Log an account out of its platform
    Logout(Logout),
    /// Check a store for damage
    Check(Check),
    /// Check everything a server needs, and say what to correct
    Doctor(Doctor),
    /// Write messages as JSON lines, the oldest first
    Export(Export),
    /// Store messages that were exported; known ones stay as they are
    Import(Import),
    /// Copy the store, also while the server runs
    Backup(Backup),
    /// List the files that messages have, or remove some
    Media(Media),
    /// Make the store's file as small as possible
    Compact(Compact),
    /// Make a random token
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

SIGTERM or Ctrl-C stops the server within 5 s; a second one stops it at once.")]
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

    /// File that contains the token [env: RECHAT_TOKEN_FILE]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "token")]
    pub token_file: Option<PathBuf>,

    /// Serve without a token, also on an address that other hosts can reach
    #[arg(long)]
    pub allow_no_token: bool,

    /// Also start the platform `loopback`, which accepts every message, for trying out
    #[arg(long)]
    pub loopback: bool,

    /// Log entries: error, warn, info, debug, trace, or a filter [env: RECHAT_LOG__LEVEL]
    #[arg(long, value_name = "LEVEL")]
    pub log: Option<String>,

    /// How to log [env: RECHAT_LOG__FORMAT]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Print every setting and where it comes from, then exit
    #[arg(long)]
    pub print_config: bool,
}

/// Where the messages are: a server, else the local store.
#[derive(Clone, Debug, Default, Args)]
pub struct SourceArgs {
    /// The store's file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "server")]
    pub db: Option<PathBuf>,

    /// Use another server, such as https://host:8080 [env: RECHAT_SERVER]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub server: Option<String>,

    /// The token of that server [env: RECHAT_TOKEN]
    #[arg(long, value_name = "T")]
    pub token: Option<String>,

    /// Certificate to trust for HTTPS besides the system's, as PEM [env: RECHAT_CA]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca: Option<PathBuf>,
}

/// `rechat send`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat send -r group_123456 'Hello from a script'
  uptime | rechat send -p qq -r private_10001
  rechat send -p qq -r group_123456 -t image https://example.com/cat.png
  rechat send -p qq -r group_123456 -t file report.pdf
  rechat send -r group_123456 --wait=30 'Waits up to 30 s until this is sent'
  rechat send --batch < messages.jsonl

With --wait the exit code is 0 if the message was sent, and 1 if it failed or the time ran out. The
seconds are written with `=`, because `--wait 30` would be --wait and the text 30.
A line for --batch is a JSON object with recipient, content and optionally message_type, platform
and idempotency_key.")]
pub struct Send {
    /// Conversation to send to: group_<id>, private_<id>, or one that is known
    #[arg(short, long, value_name = "CONVERSATION", required_unless_present = "batch")]
    pub recipient: Option<String>,

    /// Platform, such as qq; without it, the platform where the conversation is known
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

    /// Send also to a platform or conversation that was never seen
    #[arg(long)]
    pub new: bool,

    /// Print the message as JSON
    #[arg(long)]
    pub json: bool,

    /// Wait until it is sent or has failed, at most SECS seconds, 30 without `=SECS`
    #[arg(long, value_name = "SECS", num_args = 0..=1, require_equals = true, default_missing_value = "30")]
    pub wait: Option<u64>,

    /// Send only once, however often this runs within 24 h with the same key
    #[arg(long, value_name = "KEY", conflicts_with = "batch")]
    pub idempotency_key: Option<String>,

    /// Read messages as JSON lines from FILE (`-`: standard input)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    #[arg(conflicts_with_all = ["recipient", "content", "wait"], value_hint = ValueHint::FilePath)]
    pub batch: Option<PathBuf>,

    /// Text; for other types a URL, or a file to read and send. `-` or nothing: standard input
    pub content: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// `rechat list`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat list
  rechat list --platform qq --conversation group_123456 --limit 20
  rechat list --status failed --json | jq -r .last_error
  rechat list --follow --platform qq
  rechat list | cut -f 1,7,8    # when piped, fields separated by tabs: 1 time, 2 direction,
                                # 3 platform, 4 conversation, 5 status, 6 type, 7 sender,
                                # 8 content, 9 ID")]
pub struct List {
    /// Only messages with this status
    #[arg(long, ignore_case = true)]
    pub status: Option<Status>,

    /// Only messages of this platform
    #[arg(short, long)]
    pub platform: Option<String>,

    /// Only messages of this conversation
    #[arg(long)]
    pub conversation: Option<String>,

    /// Only outbound messages, or only inbound ones
    #[arg(long, ignore_case = true)]
    pub direction: Option<Direction>,

    /// Only messages with this text in the content or the name of the sender, in any case
    #[arg(long, value_name = "TEXT", conflicts_with = "follow", value_parser = NonEmptyStringValueParser::new())]
    pub search: Option<String>,

    /// Number of messages at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    pub limit: usize,

    /// Number of the newest messages to skip
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub offset: u64,

    /// Only messages older than this one
    #[arg(long, value_name = "ID")]
    pub before: Option<String>,

    /// Go on with new messages as they arrive; needs a server
    #[arg(short, long, conflicts_with_all = ["offset", "before"])]
    pub follow: bool,

    /// Print the messages as JSON lines
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// `rechat search`
#[derive(Debug, Args)]
#[command(mut_arg("search", |arg| arg.hide(true)), mut_arg("follow", |arg| arg.hide(true)))]
#[command(after_help = "Examples:
  rechat search lunch
  rechat search 你好 --platform qq --limit 10
  rechat search 'two words' --json | jq -r .content")]
pub struct Search {
    /// The text, which has to stand together; case and full-width forms make no difference
    #[arg(conflicts_with_all = ["search", "follow"], value_parser = NonEmptyStringValueParser::new())]
    pub text: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub list: List,
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
    #[arg(ignore_case = true)]
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
    pub source: SourceArgs,
}

/// `rechat tui`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat tui
  rechat tui --server http://host:8080 --token \"$TOKEN\"
  NO_COLOR=1 rechat tui

It needs a server, and waits until that runs. The key `?` shows all keys.")]
pub struct Tui {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// `rechat doctor`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat doctor

Checks configuration, store, socket, port, adapters, clock and disk. Exit code 0: nothing is wrong;
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
pub struct Export {
    /// File to write; `-` or nothing: standard output
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,

    /// Only messages with this status
    #[arg(long, ignore_case = true)]
    pub status: Option<Status>,

    /// Only messages of this platform
    #[arg(short, long)]
    pub platform: Option<String>,

    /// Only messages of this conversation
    #[arg(long)]
    pub conversation: Option<String>,

    /// Only outbound messages, or only inbound ones
    #[arg(long, ignore_case = true)]
    pub direction: Option<Direction>,

    /// Also write the files that messages have, into a folder beside the file: `FILE-media`
    #[arg(long, requires = "file")]
    pub media: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// `rechat import`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat import messages.jsonl
  zstd -dc qq.jsonl.zst | rechat import -

Messages keep their ID, times and status. Known ones are skipped, so an import that stopped halfway
can simply be repeated. Pending messages are sent. The files in `FILE-media`, where that folder is,
are taken in first.")]
pub struct Import {
    /// File with lines as `rechat export` writes them; `-`: standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// `rechat backup`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rechat backup /backup/rechat-$(date +%F).redb

The copy has the state of one moment. It is a store that every command can use: --db FILE. The files
that messages have are copied into the folder FILE-media.")]
pub struct Backup {
    /// File to write the copy to
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// `rechat media`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat media
  rechat media --json | jq -r 'select(.size > 50000000) | .media' | xargs -n1 rechat media --remove

A file is named by the SHA-256 of its bytes. Messages whose file is removed stay. Files that no message
has are removed after a day.")]
pub struct Media {
    /// Remove this file, and take it out of its messages; may be repeated
    #[arg(long, value_name = "MEDIA", conflicts_with_all = ["json", "limit"])]
    pub remove: Vec<Hash>,

    /// List at most so many, the newest
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub limit: u64,

    /// Print each file as a line of JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// `rechat compact`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  systemctl stop rechat && rechat compact && systemctl start rechat

No other process may use the store meanwhile. New messages use the space of deleted ones again;
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

Exit code 0: the store is sound; 1: it is damaged, with a line for each finding.
No server may use the store meanwhile.")]
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
  rechat completions zsh > ~/.zfunc/_rechat      # with ~/.zfunc in fpath
  rechat completions fish > ~/.config/fish/completions/rechat.fish
  rechat completions powershell >> $PROFILE

While you type, the script asks rechat for values: platforms, conversations, message IDs.")]
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
    /// Command whose page to print, or `rechat.toml` for the configuration file
    #[arg(conflicts_with = "out")]
    pub page: Option<String>,

    /// Write all pages into this folder, below man1 and man5
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}
