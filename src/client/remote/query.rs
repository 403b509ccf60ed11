//! Query strings of requests.

use crate::protocol::event::EventKind;
use crate::search::Conditions;
use crate::store::{MessageFilter, Order};

/// A part of a path, escaped.
pub(super) fn escaped(part: &str) -> impl std::fmt::Display + '_ {
    percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC)
}

pub(super) fn query(
    filter: &MessageFilter,
    offset: u64,
    limit: usize,
    before: Option<&str>,
) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string());
    if offset > 0 {
        query.append_pair("offset", &offset.to_string());
    }
    let named = [
        ("direction", filter.direction.map(crate::model::message::Direction::as_str)),
        ("platform", filter.platform.as_deref()),
        ("conversation", filter.conversation.as_deref()),
        ("before", before),
    ];
    query.extend_pairs(filter.statuses.iter().map(|status| ("status", status.as_str())));
    for (name, value) in named {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

pub(super) fn stream_query(
    filter: &MessageFilter,
    since: Option<&str>,
    events: &[EventKind],
) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let events: Vec<_> = events.iter().map(|kind| kind.as_str()).collect();
    query
        .append_pair("events", &events.join(","))
        .extend_pairs(since.map(|since| ("since", since)));
    query.extend_pairs(filter.platform.iter().map(|name| ("platform", name)));
    query.extend_pairs(filter.conversation.iter().map(|name| ("conversation", name)));
    query.finish()
}

pub(super) fn query_of(conditions: &Conditions, order: Order) -> String {
    let Conditions { text, message_type, sender, since, until } = conditions;
    let pairs = [
        ("q", text.clone()),
        ("message_type", message_type.map(|wanted| wanted.to_string())),
        ("sender", sender.clone()),
        ("since", since.map(|since| since.to_string())),
        ("until", until.map(|until| until.to_string())),
        ("order", (order == Order::Time).then(|| "time".to_owned())),
    ];
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.into_iter().filter_map(|(name, value)| Some((name, value?))));
    query.finish()
}
