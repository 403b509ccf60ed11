//! `rechat doctor`: checks everything a server needs, and says what to correct.

mod accounts;
mod findings;

use super::check::{kept_log, kept_store};
use super::listing::local_time;
use super::output::Output;
use super::progress::of_migration;
use crate::cli::{Doctor, GlobalOptions};
use crate::client::Client;
use crate::clock::now;
use crate::cluster::{self, MissingNode, NodeStatus};
use crate::config::{self, Config, Sources};
use crate::error::{Error, Result};
use crate::model::message::Status;
use crate::model::wait_reason::WaitReason;
use crate::store::{
    Access, MessageFilter, Page, Store, StoreOptions, View, check, kept_logs, kept_stores,
};
use crate::text::{in_units, visible};
use accounts::{NEEDS_TOKEN, look_at_accounts, look_at_entries};
use findings::{CheckState, Findings};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Bytes below which a disk is soon full.
pub(super) const LOW_SPACE_BYTES: u64 = 1 << 30;

/// Seconds by which the newest message may be ahead of the clock.
const MAX_AHEAD_SECONDS: u64 = 60;

/// The newest messages that wait whose reasons are looked at, and the reasons that are told.
const WAITING_LOOKED_AT: usize = 200;
const REASONS_TOLD: usize = 3;

pub(super) async fn run(doctor: Doctor, globals: &GlobalOptions) -> Result<()> {
    let mut findings = Findings::default();
    let mut sources = Sources::of_process(globals.config.clone())?;
    if let Some(db) = &doctor.db {
        sources.flags.push(("db", "--db", db.display().to_string().into()));
    }
    match config::load(&sources) {
        Ok(loaded) => {
            look_at_configuration(&mut findings, &sources.file, &loaded.config);
            look_at_entries(&mut findings, &loaded.config);
            look_at_disk(&mut findings, &loaded.config);
            look_at_cluster(&mut findings, &loaded.config).await;
            look_at_server(&mut findings, &loaded.config, doctor.full).await;
        }
        Err(error) => findings.wrong("configuration", &error),
    }
    print(&findings, doctor.json, globals)
}

async fn look_at_cluster(findings: &mut Findings, config: &Config) {
    let Some(settings) = &config.cluster else { return };
    let status = match cluster::status(settings).await {
        Ok(status) => status,
        Err(error) => return findings.wrong("cluster", &error),
    };
    let node = |node: &NodeStatus| format!("{} ({} behind)", node.presence.node, node.lag);
    let nodes: Vec<_> = status.nodes.iter().map(node).collect();
    let leader = status.leader.as_deref().unwrap_or("none");
    let (current, replicas) = (status.replicas_current, status.replicas);
    let seen = format!(
        "the leader is {leader}, these nodes run: {}; the log is on {current} of {replicas} NATS servers",
        nodes.join(", ")
    );
    if status.leader.is_none() {
        let advice = "start the nodes; if none becomes the leader, their logs say why";
        findings.add("cluster", CheckState::Wrong, seen, advice);
    } else if let Some(error) = status.missing_error {
        let seen = format!("{seen}; it is not known whether nodes are missing: {error}");
        let advice = "see whether NATS is well, and try again";
        findings.add("cluster", CheckState::Doubtful, seen, advice);
    } else if let Some(missing) = status.missing.filter(|missing| !missing.is_empty()) {
        let one = |node: &MissingNode| format!("{} since {}", node.node, local_time(node.seen_at));
        let missing: Vec<_> = missing.iter().map(one).collect();
        let seen = format!("{seen}; missing: {}", missing.join(", "));
        let advice = "start these nodes; one that is gone for good is left out after seven days";
        findings.add("cluster", CheckState::Doubtful, seen, advice);
    } else if current < replicas {
        let advice = "start the NATS servers that are away";
        findings.add("cluster", CheckState::Doubtful, seen, advice);
    } else {
        findings.well("cluster", seen);
    }
}

fn look_at_configuration(findings: &mut Findings, file: &Path, config: &Config) {
    let mode = file.metadata().map(|metadata| metadata.permissions().mode());
    let seen = match &mode {
        Ok(_) => format!("{} is read", file.display()),
        Err(_) => format!("no file at {}, so the defaults are used", file.display()),
    };
    let has_secrets = !config.tokens.is_empty() || config.bot.iter().any(|bot| bot.token.is_some());
    if has_secrets && mode.is_ok_and(|mode| mode & 0o077 != 0) {
        let advice = format!("it may contain tokens: chmod 600 {}", file.display());
        findings.add(
            "configuration",
            CheckState::Doubtful,
            format!("{seen}, and other users can read it"),
            &advice,
        );
    } else {
        findings.well("configuration", seen);
    }
    let is_open = !config.listen.ip().is_loopback() && config.tokens.is_empty();
    if is_open && config.allow_no_token {
        let advice =
            "set a token (`rechat token` makes one), unless a firewall keeps strangers out";
        findings.add(
            "access",
            CheckState::Doubtful,
            "everybody who can reach the server may read and send",
            advice,
        );
    } else if is_open {
        let advice = "set a token: `rechat token` makes one";
        findings.add("access", CheckState::Wrong, "`serve` will refuse to start", advice);
    } else {
        findings.well(
            "access",
            match config.tokens.len() {
                0 => "from this host, without a token".to_owned(),
                count => format!("with {count} token(s)"),
            },
        );
    }
    if !config.listen.ip().is_loopback() && config.tls.is_none() {
        findings.add(
            "encryption",
            CheckState::Doubtful,
            "tokens and messages cross the network without encryption",
            "set tls.certificate and tls.key, or put a reverse proxy in front",
        );
    }
}

/// The folder of the store, or the one in which that would be made.
fn folder_of(config: &Config) -> Option<&Path> {
    let above = config.db.ancestors().skip(1);
    let mut named =
        above.map(|folder| if folder == Path::new("") { Path::new(".") } else { folder });
    named.find(|folder| folder.is_dir())
}

fn look_at_disk(findings: &mut Findings, config: &Config) {
    let Some(Ok(disk)) = folder_of(config).map(rustix::fs::statvfs) else { return };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let seen = format!("{} are free on the disk of the store", in_units(free));
    match free {
        0.. if free < config.store.reserve_bytes => {
            findings.add(
                "disk",
                CheckState::Wrong,
                seen,
                "the server stores nothing until there is space again",
            );
        }
        0.. if free < LOW_SPACE_BYTES => {
            findings.add("disk", CheckState::Doubtful, seen, "free some space before it is full");
        }
        _ => findings.well("disk", seen),
    }
}

async fn look_at_server(findings: &mut Findings, config: &Config, full: bool) {
    let socket = config::socket_beside(&config.db);
    match Client::at_socket(&socket).await {
        Ok(Some(mut client)) => {
            findings.well("server", format!("a server answers at {}", socket.display()));
            match client.fault().await {
                Ok(None) => {}
                Ok(Some(reason)) => {
                    let advice = "its log has the details";
                    findings.add("health", CheckState::Wrong, reason, advice);
                }
                Err(error) => findings.wrong("health", &error),
            }
            if let Err(error) = look_at_adapters(findings, config, &mut client).await {
                findings.wrong("adapters", &error);
            }
        }
        Ok(None) => {
            let advice = "start it with `rechat serve`, or `systemctl start rechat`";
            findings.add("server", CheckState::Doubtful, "no server uses this store", advice);
            look_at_port(findings, config);
            look_at_store(findings, config, full);
        }
        Err(error) => findings.wrong("server", &error),
    }
}

async fn look_at_adapters(
    findings: &mut Findings,
    config: &Config,
    client: &mut Client,
) -> Result<()> {
    let stats = client.stats(&MessageFilter::default(), None).await?;
    findings.well("store", format!("{} messages, {} of them pending", stats.total, stats.pending));
    let adapters = client.platforms().await?;
    if adapters.is_empty() {
        let mut advice = "connect one: the view Platforms of the page shows how; the server's log \
                          names implementations that were refused"
            .to_owned();
        if !config.tokens.is_empty() {
            advice += "; ";
            advice += NEEDS_TOKEN;
        }
        findings.add("adapters", CheckState::Doubtful, "none has connected yet", &advice);
    }
    look_at_accounts(findings, config, &adapters);
    look_at_queue(findings, client).await?;
    let page = Page { offset: 0, limit: 1, before: None };
    let newest = client.list(&MessageFilter::default(), page, None).await?;
    look_at_clock(findings, newest.first().map(|message| message.updated_at));
    Ok(())
}

/// Shows why messages wait, each reason once.
async fn look_at_queue(findings: &mut Findings, client: &mut Client) -> Result<()> {
    let filter = MessageFilter { statuses: vec![Status::Pending], ..MessageFilter::default() };
    let page = Page { offset: 0, limit: WAITING_LOOKED_AT, before: None };
    let mut reasons: Vec<(WaitReason, usize)> = Vec::new();
    for message in client.list(&filter, page, None).await? {
        let Some(reason) = message.waiting else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    for (reason, count) in reasons.into_iter().take(REASONS_TOLD) {
        let seen = format!("messages that wait: {count}; {reason}");
        let advice = "`rechat list --status pending` shows them, `rechat cancel` cancels one";
        findings.add("queue", CheckState::Doubtful, seen, advice);
    }
    Ok(())
}

fn look_at_port(findings: &mut Findings, config: &Config) {
    let listen = config.listen;
    match TcpListener::bind(listen) {
        Ok(_) => findings.well("port", format!("{listen} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => findings.add(
            "port",
            CheckState::Wrong,
            format!("{listen} is taken by another program"),
            "stop that program (`ss -ltnp` names it), or set `listen` to another port",
        ),
        Err(error) => findings.add(
            "port",
            CheckState::Wrong,
            format!("{listen} cannot be served: {error}"),
            "set `listen` to an address of this host",
        ),
    }
}

fn look_at_store(findings: &mut Findings, config: &Config, full: bool) {
    if !config.db.exists() {
        let (db, folder) = (config.db.display(), folder_of(config));
        if folder
            .is_some_and(|folder| rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok())
        {
            findings.well("store", format!("none yet at {db}; `rechat serve` creates it"));
        } else {
            let folder = folder.unwrap_or(Path::new("/")).display();
            let seen = format!("none yet at {db}, and this user may not write in {folder}");
            let advice = "give this user the right to it, or choose another file with --db";
            findings.add("store", CheckState::Wrong, seen, advice);
        }
        return;
    }
    let migration = Some(of_migration());
    let options = StoreOptions { migration, ..config.store_options(Access::Read) };
    let opened = Store::open(&options, Box::new(()));
    let looked = opened.and_then(|store| {
        let view = store.view()?;
        let stats = view.stats();
        findings
            .well("store", format!("{} messages, {} of them pending", stats.total, stats.pending));
        let logs = kept_logs(&config.db).into_iter().map(|kept| kept_log(&kept));
        for kept in logs.chain(kept_stores(&config.db).into_iter().map(|kept| kept_store(&kept))) {
            let advice = "messages may be missing; remove that file once you have looked";
            findings.add("store", CheckState::Wrong, kept, advice);
        }
        match view.quarantined()? {
            0 => {}
            count => findings.add(
                "store",
                CheckState::Wrong,
                format!("{count} received events could not be stored and are quarantined"),
                "`rechat check` tells which; `rechat check --retry` stores them",
            ),
        }
        look_at_clock(findings, newest(&view)?);
        if full { check::check(&view).map(Some) } else { Ok(None) }
    });
    match looked {
        Ok(Some(report)) if !report.findings.is_empty() => {
            let advice = "restore a backup, or `rechat export` and `rechat import` into a new store; `rechat check` lists every finding";
            findings.add("store", CheckState::Wrong, &report.findings[0], advice);
        }
        Ok(Some(report)) => {
            let seen = format!("{} messages and {} rows agree", report.messages, report.rows);
            findings.well("store", seen);
        }
        Ok(None) => {}
        Err(error) => findings.wrong("store", &error.into()),
    }
}

fn newest(view: &View) -> crate::store::Result<Option<u64>> {
    let newest = view.before(u64::MAX)?.next().transpose()?;
    Ok(newest.map(|message| message.updated_at))
}

fn look_at_clock(findings: &mut Findings, newest: Option<u64>) {
    let ahead = newest.unwrap_or_default().saturating_sub(now());
    if ahead > MAX_AHEAD_SECONDS {
        let seen = format!("the newest message is {ahead} s ahead of this host's clock");
        findings.add("clock", CheckState::Doubtful, seen, "set the clock: `timedatectl` shows it");
    } else {
        findings.well("clock", "no message is newer than the clock");
    }
}

fn print(findings: &Findings, as_json: bool, globals: &GlobalOptions) -> Result<()> {
    let mut out = Output::new(globals);
    for finding in &findings.0 {
        if as_json {
            out.json(finding)?;
            continue;
        }
        let mark = match finding.health {
            CheckState::Well => "✓",
            CheckState::Doubtful => "!",
            CheckState::Wrong => "✗",
        };
        let seen = visible(&finding.seen);
        out.line(format_args!("{mark} {:<14} {seen}", finding.about))?;
        if let Some(advice) = &finding.advice {
            out.line(format_args!("  {:<14} → {}", "", visible(advice)))?;
        }
    }
    out.finish()?;
    match findings.0.iter().filter(|finding| finding.health == CheckState::Wrong).count() {
        0 => Ok(()),
        count => Err(Error::failed(format!("{count} problem(s) found"))),
    }
}
