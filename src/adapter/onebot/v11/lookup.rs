//! Requests to an implementation for names where its events do not tell it.

use super::account::Account;
use super::address::Address;
use crate::adapter::api::{Event, EventSink};
use crate::adapter::onebot::common::call::Calls;
use serde::Serialize;

/// Asks for the account (api/public.md, `get_login_info`).
pub(super) async fn own_account(calls: &Calls) -> Option<String> {
    #[derive(Serialize)]
    struct Nothing {}
    let answer = calls.call("get_login_info", Nothing {}, None).await.ok()?;
    answer.field("user_id")?.id().map(str::to_owned)
}

/// Asks for a group's name (api/public.md, `get_group_info`).
pub(super) async fn group_name(
    conversation: &str,
    account: &Account,
    calls: &Calls,
    events: &EventSink,
) {
    let Some(address) = Address::parse(conversation) else { return };
    let Ok(answer) = calls.call("get_group_info", address, None).await else { return };
    let Some(field) = answer.field("group_name") else { return };
    let Some(name) = field.text() else { return };
    account.names.set(conversation, name);
    let named = Event::Named {
        platform: account.platform.clone(),
        conversation: conversation.to_owned(),
        name: name.to_owned(),
    };
    events.report(named).await;
}
