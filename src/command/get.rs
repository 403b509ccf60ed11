//! `rechat get`

use super::context::around;
use super::ids::id_of;
use super::listing::{ListForm, details};
use super::output::Output;
use super::source::reader;
use crate::cli::{Column, GlobalOptions, MessageArg};
use crate::error::Result;

pub(super) async fn run(one: MessageArg, globals: &GlobalOptions) -> Result<()> {
    let mut client = reader(&one.source, globals).await?;
    let id = id_of(&mut client, one.id).await?;
    let message = client.get(id).await?;
    let mut out = Output::paged(globals);
    if let Some(count) = one.context {
        let messages = around(&mut client, message, count).await?;
        let form = ListForm::usual(one.json, &out).without(Column::Conversation);
        form.print(&mut out, &messages)?;
    } else if one.json {
        out.json(&message)?;
    } else {
        details(&mut out, &message)?;
    }
    out.finish()
}
