//! Route of a message: the account by which it leaves, and the conversation (contract, items 6 and 7).

use super::context::OutboxContext;
use crate::adapter::{AccountConversation, AccountHandle, Outbound, Registry};
use crate::model::message::{Message, ReplyTo};
use crate::model::routing::StoreFacts;
use crate::store::{self, View};
use uuid::Uuid;

/// A route to a conversation.
pub(super) struct DeliveryRoute {
    pub(super) account: AccountHandle,
    /// The conversation as the adapter addresses it.
    pub(super) conversation: String,
}

impl DeliveryRoute {
    /// Whether another account than this one made the last attempt to send the message.
    pub(super) fn is_of_other_account(&self, message: &Message) -> bool {
        message.account.is_some() && message.account != self.account.account
    }

    /// The message in the form for the adapter.
    pub(super) fn outbound(&self, context: &OutboxContext, message: &Message) -> Outbound {
        let Self { account, conversation } = self;
        let find = |id| context.store.view().and_then(|view| view.by_id(id)).ok().flatten();
        outbound(message, &account.platform, account.account.as_deref(), conversation, find)
    }
}

/// Messages that an account may have sent to a conversation, although that is not known, in the form for the
/// adapter; also those that `interrupted` has claimed, an owner whose process was killed.
///
/// # Errors
///
/// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
pub fn doubtful(
    view: &View,
    of: &AccountConversation,
    interrupted: Option<&str>,
) -> store::Result<Vec<Outbound>> {
    let AccountConversation { platform, account, conversation } = of;
    let find = |id| view.by_id(id).ok().flatten();
    let doubtful = view.doubtful(platform, account, conversation, interrupted)?;
    let form = |message| outbound(message, platform, Some(account), conversation, find);
    Ok(doubtful.iter().map(form).collect())
}

/// A message in the form for an adapter. The one that it answers has the platform's ID only if the account knows
/// that one by this ID in this conversation: elsewhere the ID is unknown, or belongs to another message. Without
/// the ID, adapters quote the text (contract, item 24).
fn outbound(
    message: &Message,
    platform: &str,
    account: Option<&str>,
    conversation: &str,
    find: impl Fn(Uuid) -> Option<Message>,
) -> Outbound {
    let is_known = |answered: &Message| {
        answered.platform.as_deref() == Some(platform)
            && answered.account.as_deref() == account
            && answered.recipient == conversation
    };
    let reply = |told: &ReplyTo| {
        let answered = told.id.and_then(&find).filter(is_known);
        ReplyTo { external_id: answered.and_then(|it| it.external_id), ..told.clone() }
    };
    Outbound {
        id: message.id,
        conversation: conversation.to_owned(),
        content: message.content.clone(),
        reply_to: message.reply_to.as_deref().map(|told| Box::new(reply(told))),
        parts: message.parts.clone(),
        sent_as: sent_as(message),
        may_be_sent_since: message.may_be_sent_since(),
        changed_at: message.updated_at,
        original: message.original.clone().filter(|_| message.via.is_some()),
    }
}

/// The platform's ID of a message whose outcome `Sent` is recorded; it stays when somebody sends it again.
fn sent_as(message: &Message) -> Option<String> {
    message.external_id.clone().or_else(|| message.is_unconfirmed.then(String::new))
}

/// Reason why there is no route.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// No adapter is connected that could take it.
    NotConnected,
    /// The recipient cannot be addressed; the text says how to write it.
    Unaddressable(String),
}

/// Finds the route for a message whose platform is known. An attempt whose outcome is unknown goes by the same
/// account as before, if it is connected, because only that account can look it up. A message of a bot goes
/// only by the bot's account.
pub(super) fn find(context: &OutboxContext, message: &Message) -> Result<DeliveryRoute, NoRoute> {
    let view = context.store.view().map_err(|_| NoRoute::NotConnected)?;
    find_in(&view, &context.registry, message)
}

/// The same, by what is in a view of the store.
pub(super) fn find_in(
    view: &View,
    registry: &Registry,
    message: &Message,
) -> Result<DeliveryRoute, NoRoute> {
    let platform = message.platform.as_deref().ok_or(NoRoute::NotConnected)?;
    let any = registry.handle(platform, None).ok_or(NoRoute::NotConnected)?;
    let is_known =
        |conversation: &str| view.is_known(platform, conversation).is_ok_and(|known| known);
    let resolved = (any.kind.resolve)(&message.recipient, &is_known);
    let conversation = resolved.map_err(NoRoute::Unaddressable)?;
    let preferred = match &message.account {
        Some(account) if message.may_be_sent() || message.via.is_some() => Some(account.clone()),
        _ => view.account_of(platform, &conversation).ok().flatten(),
    };
    let account = registry.handle(platform, preferred.as_deref()).ok_or(NoRoute::NotConnected)?;
    // A bot speaks for one account, and for no other.
    if message.via.is_some() && message.account.is_some() && message.account != account.account {
        return Err(NoRoute::NotConnected);
    }
    Ok(DeliveryRoute { account, conversation })
}

/// Whether a message still goes by the account of a route. Another one may have connected that is to send it.
pub(super) fn is_best(context: &OutboxContext, message: &Message, route: &DeliveryRoute) -> bool {
    find(context, message).is_ok_and(|best| best.account.account == route.account.account)
}

/// Whether a route still uses the same connection.
pub(super) fn is_open(context: &OutboxContext, route: &DeliveryRoute) -> bool {
    let DeliveryRoute { account, .. } = route;
    let now = context.registry.handle(&account.platform, account.account.as_deref());
    now.is_some_and(|now| now.connection == account.connection)
}
