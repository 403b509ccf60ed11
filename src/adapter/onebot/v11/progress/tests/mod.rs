//! Parts of messages and their echoes.

mod attempts;
mod echoes;
mod in_history;
mod late_answers;
mod whole_messages;

use super::*;
use crate::adapter::api::AdapterEvent;

fn echo(id: &str, content: &str) -> Inbound {
    Inbound {
        platform: "qq".into(),
        account: "1".into(),
        conversation: "group_1".into(),
        content: content.into(),
        external_id: id.into(),
        time: 1,
        own: true,
        ..Inbound::default()
    }
}

fn message(parts: &[&str]) -> Outbound {
    Outbound {
        id: Uuid::from_u128(1),
        conversation: "group_1".into(),
        content: Content::text("a b"),
        reply_to: None,
        parts: parts.iter().map(|&id| id.into()).collect(),
        sent_as: None,
        may_be_sent_since: 0,
        changed_at: 0,
        original: None,
    }
}

/// Whether a message is the echo of a part.
fn is_part(progress: &SendProgress, inbound: &Inbound) -> bool {
    progress.take_echo(inbound).is_some()
}

fn sent(id: &str, is_unconfirmed: bool) -> Delivery {
    Delivery::Sent { external_id: Some(id.into()), is_unconfirmed }
}

/// Whether a message proves that the part was sent.
fn proves(progress: &SendProgress, id: &str) -> bool {
    progress.take_echo(&echo(id, "a")).is_some_and(|proven| !proven.is_empty())
}
