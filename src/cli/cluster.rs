//! Clusters.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// `rechat cluster`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rechat cluster init --from rechat.redb
  rechat cluster status

NATS servers and names are those of `[cluster]` in the configuration; docs/cluster.md has a guide.")]
#[command(arg_required_else_help = true, subcommand_required = true)]
pub struct ClusterArgs {
    /// The command about the cluster.
    #[command(subcommand)]
    pub command: ClusterCommand,
}

/// The commands of a cluster.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Make the cluster that is configured
    #[command(after_help = "Examples:
  rechat cluster init
  rechat cluster init --from /var/lib/rechat/rechat.redb

Makes its stream and its buckets on the NATS servers, and a snapshot that every node starts from.

A store that is put into it stays as it is; no server may use it meanwhile. Pictures and files are not \
copied: copy the folder `FILE-media` beside the store of one node, and the others get them from there.")]
    Init(ClusterInit),
    /// Show the nodes, the leader, and how far each node is behind
    Status(ClusterShow),
    /// Take the store of this node out of its cluster
    #[command(after_help = "Example:
  rechat cluster leave --db /var/lib/rechat/rechat.redb

Stop the server first. If the cluster has messages that this store does not have, nothing is changed: \
start the node, stop it again, and repeat the command; or take the store as it is with `--as-it-is`.

Remove `[cluster]` from the configuration afterwards; the server then goes on with this store alone.")]
    Leave(ClusterLeave),
}

/// `rechat cluster init`
#[derive(Debug, Args)]
pub struct ClusterInit {
    /// Store to put into the cluster [default: an empty one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub from: Option<PathBuf>,
}

/// `rechat cluster status`
#[derive(Debug, Args)]
pub struct ClusterShow {
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `rechat cluster leave`
#[derive(Debug, Args)]
pub struct ClusterLeave {
    /// The store's file [env: RECHAT_DB] [default: $XDG_DATA_HOME/rechat/rechat.redb]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub db: Option<PathBuf>,
    /// Take it also where the cluster has more, or cannot be asked
    #[arg(long)]
    pub as_it_is: bool,
}
