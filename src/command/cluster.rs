//! `rechat cluster`

use super::listing::time_for;
use super::output::Output;
use super::rows::{Grid, cell, quiet};
use super::run_request::on_one_thread;
use crate::cli::{
    ClusterArgs, ClusterCommand, ClusterInit, ClusterLeave, ClusterShow, GlobalOptions,
};
use crate::cluster;
use crate::config::{self, ClusterSettings, Config, Sources};
use crate::error::{Error, Result, tell};
use crate::store::{self, Access, Membership, Store, StoreOptions};
use std::os::unix::net::UnixStream;
use tokio::runtime::Runtime;

pub(super) fn run(args: ClusterArgs, globals: &GlobalOptions) -> Result<()> {
    match args.command {
        ClusterCommand::Init(args) => init(args, globals),
        ClusterCommand::Status(args) => on_one_thread(status(args, globals)),
        ClusterCommand::Leave(args) => leave(args, globals),
    }
}

fn init(ClusterInit { from }: ClusterInit, globals: &GlobalOptions) -> Result<()> {
    let config = config::load(&Sources::of_process(globals.config.clone())?)?.config;
    let settings = settings(&config)?;
    if let Some(file) = from.as_ref().filter(|file| !file.exists()) {
        return Err(Error::failed(format!("there is no store at {}", file.display())));
    }
    let from = from.map(|path| StoreOptions { path, ..config.store_options(Access::Read) });
    let beside = std::env::temp_dir().join(format!("rechat-{}", std::process::id()));
    let beside = from.as_ref().map_or(beside, |from| from.path.clone());
    let cluster = runtime()?.block_on(cluster::init(settings, from.as_ref(), &beside))?;
    tell(format!(
        "the cluster `{}` ({cluster}) is made; start its nodes with `rechat serve`, each with an empty `db`",
        settings.name
    ));
    Ok(())
}

async fn status(show: ClusterShow, globals: &GlobalOptions) -> Result<()> {
    let config = config::load(&Sources::of_process(globals.config.clone())?)?.config;
    let status = cluster::status(settings(&config)?).await?;
    let mut out = Output::new(globals);
    if show.json {
        out.json(&status)?;
        return out.finish();
    }
    let leader = status.leader.as_deref().unwrap_or("none at the moment");
    out.line(format_args!("Cluster    {} ({})", status.name, status.cluster))?;
    out.line(format_args!("Leader     {leader}"))?;
    out.line(format_args!(
        "Log        messages {} to {}, {} bytes, on {} of {} NATS servers",
        status.first, status.last, status.bytes, status.replicas_current, status.replicas
    ))?;
    if let (Some(stream_seq), Some(bytes)) = (status.snapshot, status.snapshot_bytes) {
        out.line(format_args!("Snapshot   up to message {stream_seq}, {bytes} bytes"))?;
    }
    out.line("")?;
    let mut grid = Grid::new(["NODE", "ROLE", "BEHIND", "VERSION", "LISTEN"]);
    for node in status.nodes {
        let is_leader = status.leader.as_ref() == Some(&node.presence.node);
        grid.push([
            cell(node.presence.node),
            cell(if is_leader { "leads" } else { "follows" }),
            cell(node.lag.to_string()),
            quiet(node.presence.version),
            quiet(node.presence.listen),
        ]);
    }
    for node in status.missing.into_iter().flatten() {
        grid.push([
            cell(node.node),
            cell(format!("missing since {}", time_for(&out, node.seen_at))),
            cell("-"),
            quiet("-"),
            quiet(node.listen),
        ]);
    }
    grid.print(&mut out, "no node runs; `rechat serve` starts one")?;
    if let Some(error) = status.missing_error {
        out.line("")?;
        out.line(format_args!("It is not known whether nodes are missing: {error}"))?;
    }
    out.finish()
}

fn leave(args: ClusterLeave, globals: &GlobalOptions) -> Result<()> {
    let mut sources = Sources::of_process(globals.config.clone())?;
    if let Some(db) = args.db {
        sources.flags.push(("db", "--db", db.display().to_string().into()));
    }
    let config = config::load(&sources)?.config;
    let db = config.db.display();
    if UnixStream::connect(config::socket_beside(&config.db)).is_ok() {
        return Err(Error::failed(format!("a server has {db} open")).hint("stop it first"));
    }
    if !config.db.exists() {
        return Err(
            Error::failed(format!("there is no store at {db}")).hint("`--db` names another place")
        );
    }
    if !args.as_it_is {
        check_has_all(&config)?;
    }
    store::leave(&config.store_options(Access::Write))?;
    tell(format!("{db} no longer belongs to a cluster"));
    Ok(())
}

/// Checks that the store of a node has all that its cluster has, where the cluster is configured.
fn check_has_all(config: &Config) -> Result<()> {
    let store = Store::open(&config.store_options(Access::Read), Box::new(()))?;
    let membership = store.view()?.membership();
    store.close();
    let (Some(settings), Some(Membership { cluster, stream_seq })) = (&config.cluster, membership)
    else {
        return Ok(());
    };
    let hint = "start this node once more and stop it, or take the store with --as-it-is";
    let now = runtime()?.block_on(cluster::status(settings)).map_err(|error| error.hint(hint))?;
    if now.cluster == cluster && now.last > stream_seq {
        let text = format!(
            "the store has the log of its cluster up to message {stream_seq}, and that goes to {}",
            now.last
        );
        return Err(Error::failed(text).hint(hint));
    }
    Ok(())
}

/// A runtime on which the writer of a store can wait.
fn runtime() -> Result<Runtime> {
    let threads =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    threads.map_err(|error| Error::failed(format!("cannot start threads: {error}")))
}

fn settings(config: &Config) -> Result<&ClusterSettings> {
    config.cluster.as_ref().ok_or_else(|| {
        Error::failed("no cluster is configured")
            .hint("`[cluster]` in the configuration names it; docs/cluster.md has a guide")
    })
}
