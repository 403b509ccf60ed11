//! Asks an implementation for data that its events lack: names, and quoted messages.

use super::account::Account;
use super::action::is_unknown_action;
use super::address::{Id, OneBot11Address};
use super::event::OneBot11Message;
use super::quoted_messages::answered_key;
use super::reading;
use crate::adapter::api::{ActionError, AdapterEvent, EventSink};
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::common::fields::Fields;
use crate::adapter::onebot::common::members::members_in;
use crate::adapter::onebot::common::mentions::person_key;
use crate::adapter::onebot::common::requests::{accepted, name_in};
use crate::model::content::ForwardItem;
use crate::model::message::{ReplyTo, excerpt};
use crate::protocol::http::GroupMembers;
use serde::Serialize;
use serde_json::value::RawValue;

/// Asks for the account (api/public.md, `get_login_info`).
pub(super) async fn own_account(calls: &Calls) -> Option<String> {
    #[derive(Serialize)]
    struct Nothing {}
    let answer = calls.call("get_login_info", Nothing {}, None).await.ok()?;
    answer.field("user_id")?.id().map(str::to_owned)
}

/// Asks for a group's name (api/public.md, `get_group_info`).
pub(super) async fn group_name(conversation: &str, account: &Account, events: &EventSink) {
    let Some(address) = OneBot11Address::parse(conversation) else { return };
    let question = async {
        let calls = account.calls().ok_or(ActionError::NotConnected)?;
        let answer = calls.call("get_group_info", address, None).await;
        let name = name_in(answer, &["group_name"], is_unknown_action)?;
        account.names.keep(conversation, name.as_deref());
        Ok::<_, ActionError>(name)
    };
    let (Ok(Some(name)), _) = account.lookups.ask(conversation, question).await else { return };
    let (platform, conversation) = (account.platform.clone(), conversation.to_owned());
    events.report(AdapterEvent::Named { platform, conversation, name }).await;
}

/// Asks for the name of a person whom messages in a group mention (api/public.md,
/// `get_group_member_info`).
pub(super) async fn person(conversation: &str, user: &str, account: &Account, events: &EventSink) {
    #[derive(Serialize)]
    struct Member<'a> {
        #[serde(flatten)]
        address: OneBot11Address<'a>,
        user_id: Id<'a>,
    }
    let Some(address) = OneBot11Address::parse(conversation) else { return };
    let key = person_key(conversation, user);
    let question = async {
        // Another request found it in the meantime.
        if let Some(name) = account.people.get(&key) {
            return Ok(Some(name));
        }
        let member = Member { address, user_id: Id::new(user) };
        let calls = account.calls().ok_or(ActionError::NotConnected)?;
        let answer = calls.call("get_group_member_info", member, None).await;
        let name = name_in(answer, &["card", "nickname"], is_unknown_action)?;
        account.people.keep(&key, name.as_deref());
        Ok::<_, ActionError>(name)
    };
    let (Ok(Some(name)), waiting) = account.lookups.ask(&key, question).await else { return };
    for message in waiting {
        let (user, name) = (user.to_owned(), name.clone());
        events.report(AdapterEvent::MentionNamed { message, user, name }).await;
    }
}

/// Asks for the members of a group (api/public.md, `get_group_member_list`).
pub(super) async fn members(
    conversation: &str,
    calls: &Calls,
) -> Result<GroupMembers, ActionError> {
    let Some(group @ OneBot11Address::Group { .. }) = OneBot11Address::parse(conversation) else {
        return Err(ActionError::Unsupported);
    };
    let answer = calls.call("get_group_member_list", group, None).await;
    members_in(answer, is_unknown_action, &["card", "nickname"])
}

/// Asks for a message that others answer (api/public.md, `get_msg`).
pub(super) async fn answered(
    conversation: &str,
    answered: &str,
    account: &Account,
    events: &EventSink,
) {
    let key = answered_key(conversation, answered);
    let question = async {
        // Another request found it in the meantime.
        if let Some(found) = account.answered.get(&key) {
            return Some(found);
        }
        let found = found_message(conversation, answered, account).await?;
        account.answered.keep(&key, found.clone());
        Some(found)
    };
    let (Some(found), waiting) = account.lookups.ask(&key, question).await else { return };
    for message in waiting {
        let reply_to = Box::new(found.clone());
        events.report(AdapterEvent::ReplyFound { message, reply_to }).await;
    }
}

async fn found_message(conversation: &str, answered: &str, account: &Account) -> Option<ReplyTo> {
    #[derive(Serialize)]
    struct Asked<'a> {
        message_id: Id<'a>,
    }
    let asked = Asked { message_id: Id::new(answered) };
    let answer = account.calls()?.call("get_msg", asked, None).await.ok()?;
    let read = answer.data::<&RawValue>().and_then(OneBot11Message::parse)?;
    let own = account.id().unwrap_or_default();
    let (found, _) = read.into_inbound(&account.platform, own, Some(conversation)).ok()?;
    // A quote may name a message of another conversation, whose text must not be shown here. Some
    // implementations report an own private message as one to the account itself.
    let ourselves = OneBot11Address::Private { user_id: Id::new(own) };
    let is_here = found.conversation == conversation
        || OneBot11Address::parse(&found.conversation) == Some(ourselves);
    is_here.then(|| ReplyTo {
        id: None,
        sender: Some(found.sender),
        content: Some(excerpt(&found.content.readable())),
        external_id: Some(answered.to_owned()),
    })
}

/// Asks for the messages of a forward (api/public.md, `get_forward_msg`).
pub(super) async fn forward(
    id: &str,
    account: &Account,
    calls: &Calls,
) -> Result<Vec<ForwardItem>, ActionError> {
    /// By the name of the specification, and by that of go-cqhttp.
    #[derive(Serialize)]
    struct Asked<'a> {
        id: &'a str,
        message_id: &'a str,
    }
    let answer = calls.call("get_forward_msg", Asked { id, message_id: id }, None).await;
    let answer = accepted(answer, is_unknown_action)?;
    let data = Fields::parse(answer.data.as_deref().map_or("null", RawValue::get));
    // The specification has `message`, implementations `messages`.
    let list = data.nested("messages").or_else(|| data.nested("message"));
    let own = account.id().unwrap_or_default();
    let items = list.map(|list| reading::items(list, &|user| user == own)).unwrap_or_default();
    if items.is_empty() {
        return Err(ActionError::Refused("the forward has no messages any more".into()));
    }
    Ok(items)
}
