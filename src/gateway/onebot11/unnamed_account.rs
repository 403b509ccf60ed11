//! The account of an action over HTTP that names none, although the bot has several. No connection tells the
//! framework which one would be meant.

use super::message::{conversation_of_group, conversation_of_person, find};
use crate::adapter::PlatformRequest;
use crate::gateway::bot::{ConfiguredBot, ServedAccount, only_one};
use crate::gateway::raw_object::RawObject;
use crate::model::notice::ContactRequest;
use crate::store::{MessageFilter, Page, Result, View};
use std::sync::Arc;
use tokio::task::block_in_place;

/// The newest messages of a conversation by which its accounts are known.
const MAX_COMPARED: usize = 256;

/// The newest requests among which a flag is looked for.
const MAX_REQUESTS: usize = 1_000;

/// The one account that an action must mean: that of the event that it answers, or the only one that knows its
/// conversation, or its message or request if it names no conversation. An action that only reads may also go
/// by the only account that is connected.
pub(super) fn find_account(
    bot: &ConfiguredBot,
    accounts: &[Arc<ServedAccount>],
    action: &str,
    fields: &RawObject<'_>,
) -> Result<Option<Arc<ServedAccount>>> {
    // The names of hidden actions begin so (api/hidden.md).
    let action = action.trim_start_matches(['.', '_']);
    let action = action.strip_suffix("_rate_limited").unwrap_or(action);
    let action = action.strip_suffix("_async").unwrap_or(action);
    if action == "handle_quick_operation" {
        return Ok(account_of_event(accounts, fields));
    }
    let view = bot.shared.core.store.view()?;
    let mut knowing = Vec::new();
    for account in accounts {
        if knows(bot, account, &view, action, fields)? {
            knowing.push(account.clone());
        }
    }
    let reads = ["get_", "can_"].iter().any(|verb| action.starts_with(verb));
    Ok(only_one(&knowing).or_else(|| bot.presumed(accounts).filter(|_| reads)))
}

/// The error of an action whose account is not certain.
pub(super) fn no_account(accounts: &[Arc<ServedAccount>]) -> String {
    let ids: Vec<_> = accounts.iter().map(|known| known.self_id.to_string()).collect();
    let ids = ids.join(", ");
    format!("this bot has several accounts: name the one that acts with `?self_id=`: {ids}")
}

/// The account that the event of a quick operation was told to.
fn account_of_event(
    accounts: &[Arc<ServedAccount>],
    fields: &RawObject<'_>,
) -> Option<Arc<ServedAccount>> {
    let event = RawObject::parse(fields.get("context")?.get())?;
    let self_id = event.id("self_id")?;
    accounts.iter().find(|account| account.self_id.to_string() == self_id).cloned()
}

/// Whether an account knows the conversation of an action, or its message or request.
fn knows(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    view: &View,
    action: &str,
    fields: &RawObject<'_>,
) -> Result<bool> {
    let is_native = bot.shared.speaks_onebot11(&account.platform, &account.account);
    // A flag names one request, and the group that may stand beside it is that of the request.
    if let Some(flag) = fields.text("flag").filter(|_| action.ends_with("_add_request")) {
        return knows_request(account, view, &flag, is_native);
    }
    let is_private =
        action.contains("private") || fields.text("message_type").as_deref() == Some("private");
    let group = fields.id("group_id").filter(|_| !is_private);
    let conversation = match (group, fields.id("user_id")) {
        (Some(group), _) => conversation_of_group(&bot.shared, account, &group),
        (None, Some(person)) => conversation_of_person(&bot.shared, account, &person),
        (None, None) => {
            let Some(id) = fields.id("message_id") else { return Ok(false) };
            return Ok(find(view, account, &id, is_native)?.is_some());
        }
    };
    block_in_place(|| knows_conversation(account, view, &conversation))
}

/// Whether a request was made to an account. A flag is the platform's own if its account speaks OneBot 11
/// (`is_native`), and else the ID of the request here.
fn knows_request(
    account: &ServedAccount,
    view: &View,
    flag: &str,
    is_native: bool,
) -> Result<bool> {
    if !is_native {
        let Ok(id) = flag.parse() else { return Ok(false) };
        return Ok(view.request(id)?.is_some_and(|request| account.has_request(&request)));
    }
    let has_flag = |request: &ContactRequest| {
        let told: Option<PlatformRequest> = serde_json::from_str(&request.data).ok();
        told.is_some_and(|told| told.flag == flag)
    };
    let newest = view.requests(MAX_REQUESTS)?;
    Ok(newest.iter().any(|request| account.has_request(request) && has_flag(request)))
}

fn knows_conversation(account: &ServedAccount, view: &View, conversation: &str) -> Result<bool> {
    let known = view.conversation(&account.platform, conversation)?;
    if known.and_then(|known| known.account).as_ref() == Some(&account.account) {
        return Ok(true);
    }
    let filter = MessageFilter {
        platform: Some(account.platform.clone()),
        conversation: Some(conversation.to_owned()),
        ..MessageFilter::default()
    };
    let newest = view.list(&filter, Page { offset: 0, limit: MAX_COMPARED, before: None })?;
    Ok(newest.iter().any(|message| message.account.as_ref() == Some(&account.account)))
}
