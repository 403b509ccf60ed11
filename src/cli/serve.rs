//! Running a server, and the screen that shows one.

use super::source::SourceArgs;
use super::values::address;
use crate::config::LogFormat;
use clap::{Args, ValueEnum, ValueHint};
use std::net::SocketAddr;
use std::path::PathBuf;

/// `rechat serve`
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  rechat serve
  rechat serve --listen 0.0.0.0:8080 --token \"$(rechat token)\"
  rechat serve --loopback=echo
  rechat serve --print-config

SIGTERM or Ctrl-C stops the server within 5 s; a second one stops it at once.")]
pub struct Serve {
    /// Address to serve on [env: RECHAT_LISTEN] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_parser = address)]
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

    /// Also start the platform `loopback`, which accepts every message, for trying out; with `=echo`
    /// it answers each with the same
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "accept")]
    pub loopback: Option<LoopbackMode>,

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

/// Behaviour of the platform for trying out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LoopbackMode {
    /// Accepts them
    Accept,
    /// Accepts them, and answers each with the same
    Echo,
}

/// `rechat tui`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat tui
  rechat tui --server http://host:8080 --token \"$TOKEN\"
  NO_COLOR=1 rechat tui

It needs a server, and waits until that runs. The key `?` shows all keys.")]
pub struct Tui {
    /// Messages to notify of, by the terminal's notification or its bell
    #[arg(
        long,
        value_name = "WHICH",
        default_value = "mentions",
        env = "RECHAT_NOTIFY",
        hide_env_values = true
    )]
    pub notify: Notify,
    /// How pictures are shown
    #[arg(
        long,
        value_name = "HOW",
        default_value = "auto",
        env = "RECHAT_TUI_PICTURES",
        hide_env_values = true
    )]
    pub pictures: Pictures,
    /// The language of the client's own texts
    #[arg(
        long,
        value_name = "LANGUAGE",
        default_value = "auto",
        env = "RECHAT_TUI_LANGUAGE",
        hide_env_values = true
    )]
    pub language: TuiLanguage,
    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// The language of the terminal client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TuiLanguage {
    /// That of the environment: Chinese where LC_ALL, LC_MESSAGES or LANG begins with zh
    Auto,
    /// English
    En,
    /// Chinese
    Zh,
}

/// How the terminal client shows pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pictures {
    /// The best way that the terminal is known to support
    Auto,
    /// By kitty's graphics protocol
    Kitty,
    /// By sixels
    Sixel,
    /// By iTerm2's inline images
    Iterm2,
    /// By coloured characters, which every terminal has
    Blocks,
    /// Not at all
    Off,
}

/// Messages that the terminal client notifies of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Notify {
    /// None
    Off,
    /// Private messages, and those that mention the account
    Mentions,
    /// Every message
    All,
}
