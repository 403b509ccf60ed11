//! `rechat get`

use super::open::reader;
use super::output::Output;
use crate::cli::One;
use crate::error::Result;
use std::path::PathBuf;

pub(super) async fn run(one: One, config: Option<PathBuf>) -> Result<()> {
    let message = reader(&one.source, config).await?.get(one.id).await?;
    let mut out = Output::new();
    if one.json {
        out.json(&message)?;
    } else {
        out.details(&message)?;
    }
    out.finish()
}
