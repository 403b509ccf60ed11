//! Queries of lists.

use super::error::{ErrorResponse, Result};
use crate::model::id_prefix::IdPrefix;
use crate::protocol::http::{DEFAULT_LIMIT, INVALID_STATUS, INVALID_TYPE, MAX_LIMIT};
use crate::search::{Conditions, Search};
use crate::store::{MessageFilter, Order, Page, Store, View};
use std::str::FromStr;

/// Error for an invalid beginning of an ID.
const INVALID_PREFIX: &str = "`id_prefix` must be 4 to 32 hexadecimal digits of an ID";

/// Error for an unknown order.
const INVALID_ORDER: &str = "`order` must be `time` or `seq`";

/// Query of a list.
#[derive(Debug, PartialEq, Eq)]
pub struct Query {
    /// The messages that are asked for, but for a search.
    pub filter: MessageFilter,
    /// The text or sender that is searched.
    pub search: Option<Search>,
    /// Only messages whose ID begins with this.
    pub id_prefix: Option<IdPrefix>,
    /// Only so many of the newest messages are looked at for `id_prefix`.
    pub newest: Option<u64>,
    /// Only the messages after this `seq`, the oldest first.
    pub after: Option<u64>,
    /// The part of the list that is asked for.
    pub page: Page,
    /// Whether the newest or the oldest come first.
    pub order: Order,
}

impl Query {
    /// Reads a query string; unknown parameters are ignored.
    pub fn parse(query: &str, view: &View) -> Result<Self> {
        let mut filter = MessageFilter::default();
        let (mut conditions, mut id_prefix) = (Conditions::default(), None);
        let mut newest = None;
        let (mut after, mut order) = (None, Order::Seq);
        let mut page = Page { offset: 0, limit: DEFAULT_LIMIT, before: None };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "offset" => page.offset = number("offset", &value)?,
                "limit" => page.limit = number::<usize>("limit", &value)?.min(MAX_LIMIT),
                "after" => after = Some(seq_of("after", &value, view)?),
                "before" => page.before = Some(seq_of("before", &value, view)?),
                "status" => filter.statuses.push(one_of(&value, INVALID_STATUS)?),
                "direction" => {
                    filter.direction =
                        Some(one_of(&value, "`direction` must be Inbound or Outbound")?);
                }
                "order" => {
                    order = match &*value {
                        "seq" => Order::Seq,
                        "time" => Order::Time,
                        _ => return Err(ErrorResponse::bad_request(INVALID_ORDER)),
                    }
                }
                "sender" => conditions.sender = Some(value.into_owned()),
                "since" => conditions.since = Some(number("since", &value)?),
                "until" => conditions.until = Some(number("until", &value)?),
                "message_type" => conditions.message_type = Some(one_of(&value, INVALID_TYPE)?),
                "id_prefix" => id_prefix = Some(one_of(&value, INVALID_PREFIX)?),
                "newest" => newest = Some(number("newest", &value)?),
                "q" => conditions.text = Some(value.into_owned()),
                "platform" => filter.platform = Some(name_of("platform", &value)?),
                "conversation" => filter.conversation = Some(name_of("conversation", &value)?),
                _ => {}
            }
        }
        let search = Search::of(conditions);
        if id_prefix.is_some() && (search.is_some() || page.offset > 0 || order == Order::Time) {
            let text = "`id_prefix` cannot be combined with `q`, `message_type`, `sender`, `since`, \
                        `until`, `order=time` or `offset`";
            return Err(ErrorResponse::bad_request(text));
        }
        if newest.is_some() && id_prefix.is_none() {
            return Err(ErrorResponse::bad_request("`newest` is only for `id_prefix`"));
        }
        let is_by_time = order == Order::Time;
        let is_page_back = page.before.is_some() || page.offset > 0;
        if after.is_some()
            && (is_page_back || search.is_some() || id_prefix.is_some() || is_by_time)
        {
            let text = "`after` cannot be combined with `before`, `offset`, `id_prefix`, `q`, \
                        `message_type`, `sender`, `since`, `until` or `order=time`";
            return Err(ErrorResponse::bad_request(text));
        }
        Ok(Self { filter, search, id_prefix, newest, after, page, order })
    }
}

/// A number in a query; 400 with the parameter's name if it is not a number.
pub fn number<T: FromStr>(name: &str, value: &str) -> Result<T> {
    value
        .parse()
        .map_err(|_| ErrorResponse::bad_request(format!("`{name}` must be a number from 0 on")))
}

fn one_of<T: FromStr>(value: &str, otherwise: &str) -> Result<T> {
    value.parse().map_err(|_| ErrorResponse::bad_request(otherwise))
}

/// A name of a query or a path.
pub fn name_of(field: &str, value: &str) -> Result<String> {
    crate::model::message::check_name(field, value).map_err(ErrorResponse::bad_request)?;
    Ok(value.to_owned())
}

/// Waits, at a node of a cluster, until messages that a query names by their ID are here: a client may
/// have them from another node.
pub async fn catch_up(store: &Store, query: &str) {
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let is_place = matches!(&*name, "after" | "before" | "since");
        if let Some(id) = value.parse().ok().filter(|_| is_place) {
            store.catch_up_with_message(id).await;
        }
    }
}

/// A `seq`, given as a number or as the ID of a message.
pub fn seq_of(name: &str, value: &str, view: &View) -> Result<u64> {
    if let Ok(seq) = value.parse() {
        return Ok(seq);
    }
    let unknown = || {
        ErrorResponse::bad_request(format!(
            "`{name}` must be the `seq` or the ID of a message that is known"
        ))
    };
    let id = value.parse().map_err(|_| unknown())?;
    view.seq_of(id)?.ok_or_else(unknown)
}
