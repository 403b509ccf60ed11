//! Opening the page.

use super::source::SourceArgs;
use clap::Args;

/// `rechat open`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat open
  rechat open --print
  rechat open --server https://chat.example.com --token \"$TOKEN\"

Where the server wants a token, the address has a code that signs the page in once, within a minute. \
The token itself is in no address. On a host without a desktop the address is printed.")]
pub struct OpenArgs {
    /// Print the address, and open no browser
    #[arg(long)]
    pub print: bool,

    /// The server or the store to use.
    #[command(flatten)]
    pub source: SourceArgs,
}
