//! `message.list` (resources/message.md): pages of a channel's messages, in both directions.

use super::message::find;
use super::message_methods::shown;
use super::request::{RefusedCall, SatoriCall, bad_request, of_store};
use crate::model::message::{Message, Status};
use crate::store::{self, MessageFilter, Page, View};
use serde_json::{Value, json};
use tokio::task::block_in_place;

/// Default and largest number of messages on a page.
const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// The most bytes of text in an answer, before they are escaped.
const MAX_LIST_BYTES: usize = 1 << 20;

/// Prefix of a token that rechat gave; the `seq` of a message follows. Every other token is the ID
/// of a message.
const TOKEN: &str = "seq-";

/// The direction of a page, and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PageDirection {
    /// Before this message, or the newest messages.
    Before(Option<u64>),
    /// After this message.
    After(u64),
    /// This message, and the messages around it.
    Around(u64),
}

/// A page, the oldest message first, and whether there is more in its direction.
struct ChannelPage {
    messages: Vec<Message>,
    has_older: bool,
    has_newer: bool,
}

/// `message.list`
pub(super) fn list(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let view = asked.view()?;
    let filter = MessageFilter {
        platform: Some(asked.account.platform.clone()),
        conversation: Some(asked.conversation()?),
        // A message that was not sent is not part of the channel.
        statuses: vec![Status::Sent],
        ..MessageFilter::default()
    };
    let limit = asked.text("limit").and_then(|limit| limit.parse().ok());
    let limit = limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let is_descending = asked.text("order").as_deref() == Some("desc");
    block_in_place(|| {
        let direction = direction(asked, &view, &filter)?;
        let page = page(&view, &filter, direction, limit).map_err(|error| of_store(&error))?;
        let token = |message: Option<&Message>| message.map(|one| format!("{TOKEN}{}", one.seq));
        let older = token(page.messages.first().filter(|_| page.has_older));
        let newer = token(page.messages.last().filter(|_| page.has_newer));
        // In one direction both tokens are the same (protocol/api.md, "双向分页列表").
        let (prev, next) = match direction {
            PageDirection::Before(_) => (older.clone(), older),
            PageDirection::After(_) => (newer.clone(), newer),
            PageDirection::Around(_) => (older, newer),
        };
        let own = page.messages.iter().filter(|message| asked.account.has(message));
        let mut data = own.map(|message| shown(asked, message)).collect::<Result<Vec<_>, _>>()?;
        if is_descending {
            data.reverse();
        }
        let mut list = json!({ "data": data });
        for (key, token) in [("prev", prev), ("next", next)] {
            if let Some(token) = token {
                list[key] = token.into();
            }
        }
        Ok(list)
    })
}

fn direction(
    asked: &SatoriCall<'_>,
    view: &View,
    filter: &MessageFilter,
) -> Result<PageDirection, RefusedCall> {
    let token = asked.text("next");
    let position = token.map(|token| position_of(asked, view, filter, &token)).transpose()?;
    match (asked.text("direction").as_deref(), position) {
        (None | Some("before"), position) => Ok(PageDirection::Before(position)),
        (Some("after"), Some(position)) => Ok(PageDirection::After(position)),
        (Some("around"), Some(position)) => Ok(PageDirection::Around(position)),
        (Some("after" | "around"), None) => {
            Err(bad_request("without `next`, `direction` can be `before` alone"))
        }
        _ => Err(bad_request("`direction` must be `before`, `after` or `around`")),
    }
}

/// The `seq` for a token: one that rechat gave, or the ID of a message of this channel.
fn position_of(
    asked: &SatoriCall<'_>,
    view: &View,
    filter: &MessageFilter,
    token: &str,
) -> Result<u64, RefusedCall> {
    if let Some(seq) = token.strip_prefix(TOKEN).and_then(|seq| seq.parse().ok()) {
        return Ok(seq);
    }
    let found = find(view, asked.account, token).map_err(|error| of_store(&error))?;
    let found = found.filter(|message| filter.conversation.as_ref() == Some(&message.recipient));
    let words = "`next` is no token of this channel, and no message in it";
    found.map(|message| message.seq).ok_or_else(|| bad_request(words))
}

fn page(
    view: &View,
    filter: &MessageFilter,
    direction: PageDirection,
    limit: usize,
) -> store::Result<ChannelPage> {
    let older = |before: Option<u64>, limit: usize, bytes: usize| {
        let page = Page { offset: 0, limit: limit + 1, before };
        Ok::<_, store::StoreError>(fitting(view.list(filter, page)?, limit, bytes))
    };
    let newer = |after: u64, limit: usize, bytes: usize| {
        let found = view.list_after(filter, after, limit + 1)?;
        Ok::<_, store::StoreError>(fitting(found, limit, bytes))
    };
    Ok(match direction {
        PageDirection::Before(position) => {
            let (mut messages, has_older) = older(position, limit, MAX_LIST_BYTES)?;
            messages.reverse();
            ChannelPage { messages, has_older, has_newer: false }
        }
        PageDirection::After(position) => {
            let (messages, has_newer) = newer(position, limit, MAX_LIST_BYTES)?;
            ChannelPage { messages, has_older: false, has_newer }
        }
        PageDirection::Around(position) => {
            let half = limit / 2;
            let (mut messages, has_older) = older(Some(position), half, MAX_LIST_BYTES / 2)?;
            messages.reverse();
            let after = position.saturating_sub(1);
            let (later, has_newer) = newer(after, limit - half, MAX_LIST_BYTES / 2)?;
            messages.extend(later);
            ChannelPage { messages, has_older, has_newer }
        }
    })
}

/// The first messages that fit into an answer, at least one, and whether there are more.
fn fitting(mut found: Vec<Message>, limit: usize, most_bytes: usize) -> (Vec<Message>, bool) {
    let mut bytes = 0;
    let fits = found.iter().take(limit).take_while(|message| {
        bytes += message.content.readable().len();
        bytes <= most_bytes
    });
    let fits = fits.count().max(limit.min(1));
    let has_more = found.len() > fits;
    found.truncate(fits);
    (found, has_more)
}
