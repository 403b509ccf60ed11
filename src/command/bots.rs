//! `rechat bots`

use super::listing::{short_time, utc};
use super::output::Output;
use super::platforms::state;
use super::rows::{Grid, cell, quiet};
use super::source::reader;
use crate::cli::{BotsArgs, GlobalOptions};
use crate::clock::now;
use crate::error::{Error, Result};
use jiff::tz::TimeZone;

pub(super) async fn run(bots: BotsArgs, globals: &GlobalOptions) -> Result<()> {
    let mut client = reader(&bots.source, globals).await?;
    if !client.is_served() {
        return Err(Error::failed("no server runs, so no bot is connected")
            .hint("start one with `rechat serve`, or name one with --server"));
    }
    let all = client.bots().await?;
    let mut out = Output::paged(globals);
    if bots.json {
        all.iter().try_for_each(|one| out.json(one))?;
        return out.finish();
    }
    let (now, zone) = (now(), TimeZone::system());
    let headings = ["NAME", "KIND", "STATE", "SINCE", "DELIVERED", "WAITING", "ACCOUNTS", "REASON"];
    let mut grid = Grid::new(headings).with_last_whole();
    for one in all {
        let since = one.since;
        let since = if out.is_terminal { short_time(since, now, &zone) } else { utc(since) };
        let waits = one.reason.map(|what| format!("it waits for {what}"));
        let accounts: Vec<_> =
            one.accounts.iter().map(|one| format!("{}/{}", one.platform, one.account)).collect();
        grid.push([
            cell(one.name),
            cell(one.kind),
            state(one.state),
            quiet(since),
            cell(one.delivered.to_string()),
            cell(one.waiting.to_string()),
            cell(accounts.join(" ")),
            cell(one.last_error.or(waits).unwrap_or_default()),
        ]);
    }
    grid.print(&mut out, "no bot is configured; docs/bots.md shows how")?;
    out.finish()
}
