//! Completion scripts for shells, and manual pages.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `rechat completions`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mkdir -p ~/.local/share/bash-completion/completions
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
