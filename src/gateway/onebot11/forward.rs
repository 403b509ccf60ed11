//! Merged forwards of bots for platforms other than OneBot 11 (message/segment.md, "合并转发自定义节点";
//! go-cqhttp added the actions).

use crate::gateway::bot::ServedAccount;
use crate::gateway::ids::Named;
use crate::gateway::shared::BotsShared;
use crate::model::content::{Content, ForwardItem, Segment};
use crate::model::message::Message;

/// Messages of a forward.
const MAX_ITEMS: usize = 100;

/// One forward of all nodes. `find` returns a message by the ID in a node; the error says which
/// part cannot be sent.
pub(super) fn merged(
    shared: &BotsShared,
    account: &ServedAccount,
    nodes: &Content,
    find: &dyn Fn(&str) -> Option<Message>,
) -> Result<Content, String> {
    let mut items = Vec::new();
    for node in nodes.to_segments() {
        match node {
            Segment::Forward { id: Some(id), .. } => {
                let found = find(&id).ok_or_else(|| format!("there is no message `{id}`"))?;
                items.push(ForwardItem {
                    sender: found.sender.clone().unwrap_or_default(),
                    created_at: found.created_at,
                    segments: found.content.to_segments(),
                });
            }
            Segment::Forward { items: written, .. } => {
                items.extend(written.into_iter().map(|item| {
                    let mut sender = item.sender;
                    sender.id = shared.ids.id(Named::Person, &account.platform, &sender.id);
                    ForwardItem { sender, ..item }
                }))
            }
            _ => return Err("`messages` must be a list of nodes".into()),
        }
        if items.len() > MAX_ITEMS {
            return Err(format!("`messages` has more than {MAX_ITEMS} messages"));
        }
    }
    if items.is_empty() {
        return Err("`messages` has nothing in it that could be sent".into());
    }
    Ok(Content::of(vec![Segment::Forward { title: None, items, id: None }]))
}
