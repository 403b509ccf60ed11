//! `rechat list`

use super::output::Output;
use super::reader;
use crate::cli::List;
use crate::error::Result;
use crate::store::{Filter, Page};
use std::path::PathBuf;

pub(super) async fn run(list: List, config: Option<PathBuf>) -> Result<()> {
    let mut client = reader(&list.place, config).await?;
    let filter = Filter {
        status: list.status,
        platform: list.platform,
        conversation: list.conversation,
        direction: list.direction,
    };
    let page = Page { offset: list.offset, limit: list.limit, before: None };
    let messages = client.list(&filter, page, list.before.as_deref()).await?;
    let mut out = Output::new();
    if list.json {
        messages.iter().try_for_each(|message| out.json(message))?;
    } else if !out.is_terminal {
        messages.iter().try_for_each(|message| out.fields(message))?;
    } else if messages.is_empty() {
        out.line("no messages")?;
    } else {
        out.table(&messages)?;
    }
    out.finish()
}
