//! `rechat get`

use super::ids::id_of;
use super::listing::details;
use super::open::reader;
use super::output::Output;
use crate::cli::{Globals, One};
use crate::error::Result;

pub(super) async fn run(one: One, globals: &Globals) -> Result<()> {
    let mut client = reader(&one.source, globals).await?;
    let id = id_of(&mut client, one.id).await?;
    let message = client.get(id).await?;
    let mut out = Output::paged(globals);
    if one.json {
        out.json(&message)?;
    } else {
        details(&mut out, &message)?;
    }
    out.finish()
}
