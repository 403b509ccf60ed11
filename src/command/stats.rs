//! `rechat stats`

use super::conversation::Known;
use super::open::reader;
use super::output::Output;
use crate::cli::{Globals, StatsArgs};
use crate::error::Result;
use crate::store::MessageFilter;

pub(super) async fn run(stats: StatsArgs, globals: &Globals) -> Result<()> {
    let mut client = reader(&stats.source, globals).await?;
    let mut filter = MessageFilter { platform: stats.platform, ..MessageFilter::default() };
    if let Some(typed) = &stats.conversation {
        Known::default().narrow(&mut client, &mut filter, typed).await?;
    }
    let counts = client.stats(&filter).await?;
    let mut out = Output::new(globals);
    if stats.json {
        out.json(&counts)?;
    } else {
        let rows = [
            ("pending", counts.pending),
            ("sending", counts.sending),
            ("sent", counts.sent),
            ("failed", counts.failed),
            ("canceled", counts.canceled),
            ("total", counts.total),
        ];
        for (name, count) in rows {
            out.line(format_args!("{name:<9} {count:>12}"))?;
        }
    }
    out.finish()
}
