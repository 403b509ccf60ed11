//! Where a command finds the messages.

use clap::{Args, ValueHint};
use std::path::PathBuf;

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
