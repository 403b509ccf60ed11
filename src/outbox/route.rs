//! Which way a message goes: the platform, the account, the conversation (contract, items 6 and 7).

use super::Tools;
use crate::adapter::AccountHandle;
use crate::model::message::Message;
use crate::store::View;

/// A way out.
pub(super) struct Route {
    pub(super) link: AccountHandle,
    /// The conversation as the adapter addresses it.
    pub(super) conversation: String,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Not {
    /// No adapter is connected that could take it.
    Now,
    /// Never: the recipient cannot be addressed.
    Ever(String),
}

/// Finds the way for a message whose platform is known.
pub(super) fn find(tools: &Tools, message: &Message) -> Result<Route, Not> {
    let view = tools.store.view().map_err(|_| Not::Now)?;
    let platform = message.platform.as_deref().ok_or(Not::Now)?;
    let any = tools.registry.link(platform, None).ok_or(Not::Now)?;
    let is_known = |conversation: &str| is_known(&view, platform, conversation);
    let conversation = (any.kind.resolve)(&message.recipient, &is_known).map_err(Not::Ever)?;
    let account = view.conversation(platform, &conversation).ok().flatten().and_then(|c| c.account);
    let link = tools.registry.link(platform, account.as_deref()).ok_or(Not::Now)?;
    Ok(Route { link, conversation })
}

/// Whether a way still leads out by the same connection.
pub(super) fn is_open(tools: &Tools, route: &Route) -> bool {
    let link = tools.registry.link(&route.link.platform, route.link.account.as_deref());
    link.is_some_and(|link| link.connection == route.link.connection)
}

/// Whether an account of ours has seen the conversation.
fn is_known(view: &View, platform: &str, conversation: &str) -> bool {
    let row = view.conversation(platform, conversation).ok().flatten();
    row.is_some_and(|row| row.account.is_some())
}

/// The platform for a recipient: where the conversation is known, else the default one, else the
/// only one connected, if it can address such a recipient at all. A target is never guessed.
pub(super) fn platform_for(tools: &Tools, recipient: &str) -> Option<String> {
    let view = &*tools.store.view().ok()?;
    if let Some(known) = view.platforms_of(recipient).ok()?.into_iter().next() {
        return Some(known.platform);
    }
    let connected = tools.registry.connected_platforms();
    let knows = |platform: &&String| {
        let link = tools.registry.link(platform, None);
        let is_known = |conversation: &str| is_known(view, platform, conversation);
        link.is_some_and(|link| {
            let found = (link.kind.resolve)(recipient, &is_known);
            found.is_ok_and(|conversation| is_known(&conversation))
        })
    };
    if let Some(platform) = connected.iter().find(knows) {
        return Some(platform.clone());
    }
    if let Some(platform) = &tools.default_platform {
        return Some(platform.clone());
    }
    match &connected[..] {
        [only] => {
            let link = tools.registry.link(only, None)?;
            (link.kind.addresses)(recipient).then(|| only.clone())
        }
        _ => None,
    }
}
