//! Members of a group, collected from its messages, because other platforms give rechat no list.

use crate::gateway::bot::ServedAccount;
use crate::model::message::{Direction, Sender};
use crate::store::{MessageFilter, Page, Result, View};
use std::collections::HashSet;
use tokio::task::block_in_place;

/// The newest messages that are read.
const MAX_LOOKED_AT: usize = 500;

/// The people who wrote the newest messages of a conversation, each once, by their newest name.
pub(super) fn writers(
    view: &View,
    account: &ServedAccount,
    conversation: &str,
) -> Result<Vec<Sender>> {
    let filter = MessageFilter {
        platform: Some(account.platform.clone()),
        conversation: Some(conversation.to_owned()),
        direction: Some(Direction::Inbound),
        ..MessageFilter::default()
    };
    let page = Page { offset: 0, limit: MAX_LOOKED_AT, before: None };
    let newest = block_in_place(|| view.list(&filter, page))?;
    let mut met = HashSet::new();
    let writers = newest.into_iter().filter(|message| account.has(message));
    let writers = writers.filter_map(|message| message.sender);
    Ok(writers.filter(|sender| met.insert(sender.id.clone())).collect())
}
