//! `rechat stats`

use super::open::reader;
use super::output::Output;
use crate::cli::Stats;
use crate::error::Result;
use std::path::PathBuf;

pub(super) async fn run(stats: Stats, config: Option<PathBuf>) -> Result<()> {
    let counts = reader(&stats.source, config).await?.stats().await?;
    let mut out = Output::new();
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
