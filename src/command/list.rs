//! `rechat list`

use super::open::reader;
use super::output::Output;
use crate::cli::List;
use crate::client::Client;
use crate::error::Result;
use crate::model::message::Message;
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
    if list.follow {
        return follow(client, &filter, messages, list.limit, list.json, out).await;
    }
    if list.json {
        messages.iter().try_for_each(|message| out.json(message))?;
    } else if !out.is_terminal {
        messages.iter().try_for_each(|message| out.fields(message))?;
    } else if messages.is_empty() {
        out.line("no messages")?;
    } else {
        out.listing(&messages)?;
    }
    out.finish()
}

/// Prints what there is, the oldest first, and then whatever comes.
async fn follow(
    client: Client,
    filter: &Filter,
    mut messages: Vec<Message>,
    limit: usize,
    as_json: bool,
    mut out: Output,
) -> Result<()> {
    // Where nothing was listed, everything that comes is new; nothing was to be listed with 0.
    let newest = messages.first().map(|message| message.id.to_string());
    let since = newest.or((limit > 0).then(|| "0".to_owned()));
    messages.reverse();
    let mut print = |message: &Message| {
        match (as_json, out.is_terminal) {
            (true, _) => out.json(message)?,
            (false, true) => out.one_line(message)?,
            (false, false) => out.fields(message)?,
        }
        out.flush()
    };
    messages.iter().try_for_each(&mut print)?;
    let mut following = client.follow(filter, since.as_deref()).await?;
    loop {
        print(&following.next().await?)?;
    }
}
