//! Messages that were said before and after others, in their conversations.

use crate::client::Client;
use crate::error::Result;
use crate::model::message::Message;
use crate::search::Conditions;
use crate::store::{MessageFilter, Order, Page};

/// Messages beyond those wanted that are asked for: some of a platform's history came later.
const EXTRA_MESSAGES: usize = 16;

/// Unix seconds after every time that a clock shows.
const FAR_FUTURE: u64 = 1 << 34;

/// Each message with so many before and after it, newest first; those that overlap are one group.
pub(super) async fn with_context(
    client: &mut Client,
    messages: Vec<Message>,
    count: usize,
) -> Result<Vec<Vec<Message>>> {
    let mut groups = Vec::new();
    for message in messages {
        join(&mut groups, around(client, message, count).await?);
    }
    Ok(groups)
}

/// A message with so many before and after it by the time at which they were said, newest first.
pub(super) async fn around(
    client: &mut Client,
    message: Message,
    count: usize,
) -> Result<Vec<Message>> {
    let filter = MessageFilter {
        platform: Some(message.platform_or_local().to_owned()),
        conversation: Some(message.recipient.clone()),
        ..MessageFilter::default()
    };
    let mut found = newer(client, &filter, &message, count).await?;
    let id = message.id.to_string();
    found.push(message);
    let page = Page { offset: 0, limit: count, before: None };
    let any = Conditions::default();
    found.extend(client.search(&any, Order::Time, &filter, page, Some(&id)).await?);
    Ok(found)
}

/// The messages that were said next. Lists by time go backwards only, so the time is looked for
/// before which a page ends that has the message with enough others.
async fn newer(
    client: &mut Client,
    filter: &MessageFilter,
    message: &Message,
    count: usize,
) -> Result<Vec<Message>> {
    let mut came_next = client.list_after(filter, &message.id.to_string(), count).await?;
    came_next.reverse();
    let (mut low, mut high) = (message.created_at, FAR_FUTURE.max(message.created_at + 1));
    let last = came_next.first().filter(|_| came_next.len() == count);
    let mut until = last.map_or(high, |last| last.created_at + 1).clamp(low + 1, high);
    let page = Page { offset: 0, limit: 2 * count + EXTRA_MESSAGES, before: None };
    let (mut nearest, mut has_tried_all) = (None, false);
    loop {
        let has_end = until < FAR_FUTURE;
        let conditions = Conditions { until: has_end.then_some(until), ..Conditions::default() };
        let mut found = client.search(&conditions, Order::Time, filter, page, None).await?;
        let at = found.iter().position(|one| one.id == message.id);
        if let Some(at) = at {
            found.truncate(at);
            let newer = found.split_off(at - count.min(at));
            if newer.len() == count || !has_end {
                return Ok(newer);
            }
            (nearest, low) = (Some(newer), until);
        } else {
            high = until;
        }
        if high - low <= 1 {
            // More messages of one second than a page has.
            return Ok(nearest.unwrap_or(came_next));
        }
        // Mostly there are no others.
        let tries_all = at.is_some() && !has_tried_all;
        has_tried_all |= tries_all;
        until = if tries_all { high } else { low + (high - low) / 2 };
    }
}

/// Adds a group, and makes one of it and all groups that it has messages in common with.
fn join(groups: &mut Vec<Vec<Message>>, mut group: Vec<Message>) {
    let mut index = groups.len();
    while let Some((at, in_other, in_group)) = overlap(groups, &group) {
        let other = groups.remove(at);
        group = union(other, in_other, group, in_group);
        index = at;
    }
    groups.insert(index.min(groups.len()), group);
}

/// A group that has a message in common with another, and where that stands in both.
fn overlap(groups: &[Vec<Message>], group: &[Message]) -> Option<(usize, usize, usize)> {
    groups.iter().enumerate().find_map(|(at, other)| {
        let in_other = other.iter().position(|one| group.iter().any(|two| one.id == two.id))?;
        let in_group = group.iter().position(|two| two.id == other[in_other].id)?;
        Some((at, in_other, in_group))
    })
}

/// Two parts of one sequence that have a message in common.
fn union(
    mut one: Vec<Message>,
    in_one: usize,
    mut other: Vec<Message>,
    in_other: usize,
) -> Vec<Message> {
    let (ends_one, ends_other) = (one.split_off(in_one), other.split_off(in_other));
    let mut all = if one.len() >= other.len() { one } else { other };
    all.extend(if ends_one.len() >= ends_other.len() { ends_one } else { ends_other });
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Content;
    use uuid::Uuid;

    fn group(numbers: std::ops::Range<u64>) -> Vec<Message> {
        let message = |number: u64| {
            let id = Uuid::from_u128(number.into());
            Message::new(number, id, Content::text("x"), "group_1".into(), number)
        };
        numbers.rev().map(message).collect()
    }

    #[test]
    fn groups_that_overlap_are_one() {
        let mut groups = Vec::new();
        for numbers in [20..25, 10..15, 30..35, 13..21] {
            join(&mut groups, group(numbers));
        }
        assert_eq!(groups, [group(10..25), group(30..35)]);
        join(&mut groups, group(12..14));
        assert_eq!(groups, [group(10..25), group(30..35)]);
    }
}
