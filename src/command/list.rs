//! `rechat list`

use super::open::reader;
use super::output::Output;
use crate::cli::List;
use crate::client::{Client, Followed};
use crate::error::Result;
use crate::model::message::Message;
use crate::store::{Filter, Page};
use std::io::{self, Write};
use std::path::PathBuf;

/// Said by `--follow` where the place it was at is unknown to the server.
const STORE_REPLACED: &str = "the server's store is another one now, or an older copy: messages from before this line may be missing";

pub(super) async fn run(list: List, config: Option<PathBuf>) -> Result<()> {
    let mut client = reader(&list.source, config).await?;
    let filter = Filter {
        status: list.status,
        platform: list.platform,
        conversation: list.conversation,
        direction: list.direction,
    };
    let page = Page { offset: list.offset, limit: list.limit, before: None };
    let before = list.before.as_deref();
    let messages = match &list.search {
        Some(text) => client.search(text, &filter, page, before).await?,
        None => client.list(&filter, page, before).await?,
    };
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
        match following.next().await? {
            Followed::Message(message) => print(&message)?,
            Followed::StoreReplaced => drop(writeln!(io::stderr(), "{STORE_REPLACED}")),
        }
    }
}
