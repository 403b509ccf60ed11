//! `rechat edit`, `recall` and `react`

use super::edit::each;
use super::ids::id_of;
use super::open::reader;
use super::output::Output;
use super::segments;
use crate::cli::{Edit, Globals, Many, React};
use crate::error::Result;
use crate::protocol::http::MessageChange;

pub(super) async fn edit(edit: Edit, globals: &Globals) -> Result<()> {
    let mut change = MessageChange::default();
    match &edit.segments {
        Some(json) => change.segments = Some(segments::parse(json)?),
        None => change.content = Some(edit.text.join(" ")),
    }
    let mut client = reader(&edit.source, globals).await?;
    let id = id_of(&mut client, edit.id).await?;
    let message = client.edit(id, &change).await?;
    let mut out = Output::new(globals);
    if edit.json {
        out.json(&message)?;
    } else {
        out.line(format_args!("{id} edited"))?;
    }
    out.finish()
}

pub(super) async fn recall(many: Many, globals: &Globals) -> Result<()> {
    each(many, globals, async |client, id| client.recall(id).await.map(|_| "recalled")).await
}

pub(super) async fn react(react: React, globals: &Globals) -> Result<()> {
    let React { id, emoji, remove, source } = react;
    let many = Many { ids: vec![id], source };
    let done = if remove { "reaction taken back" } else { "reacted" };
    each(many, globals, async |client, id| client.react(id, &emoji, !remove).await.map(|_| done))
        .await
}
