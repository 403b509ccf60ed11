//! Requests to an implementation for what its events do not tell: names, and messages that others
//! answer.

use super::account::Account;
use super::address::{Id, OneBot11Address};
use super::event::OneBot11Message;
use super::reading;
use crate::adapter::api::{ActionError, AdapterEvent, EventSink, MessageRef};
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::common::fields::Fields;
use crate::adapter::onebot::common::mentions::person_key;
use crate::adapter::onebot::common::requests::accepted;
use crate::model::content::ForwardItem;
use crate::model::message::{ReplyTo, excerpt};
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
pub(super) async fn group_name(
    conversation: &str,
    account: &Account,
    calls: &Calls,
    events: &EventSink,
) {
    let Some(address) = OneBot11Address::parse(conversation) else { return };
    let Ok(answer) = calls.call("get_group_info", address, None).await else { return };
    let Some(field) = answer.field("group_name") else { return };
    let Some(name) = field.text() else { return };
    account.names.set(conversation, name);
    let named = AdapterEvent::Named {
        platform: account.platform.clone(),
        conversation: conversation.to_owned(),
        name: name.to_owned(),
    };
    events.report(named).await;
}

/// Asks for the name of a person whom a message in a group mentions (api/public.md,
/// `get_group_member_info`).
pub(super) async fn person(
    message: MessageRef,
    user: String,
    account: &Account,
    calls: &Calls,
    events: &EventSink,
) {
    #[derive(Serialize)]
    struct Member<'a> {
        #[serde(flatten)]
        address: OneBot11Address<'a>,
        user_id: Id<'a>,
    }
    let Some(address) = OneBot11Address::parse(&message.conversation) else { return };
    let member = Member { address, user_id: Id::new(&user) };
    let Ok(answer) = calls.call("get_group_member_info", member, None).await else { return };
    let (card, nickname) = (answer.field("card"), answer.field("nickname"));
    let mut names = [&card, &nickname].into_iter().flatten().filter_map(|name| name.text());
    let Some(name) = names.find(|name| !name.trim().is_empty()).map(str::to_owned) else { return };
    account.people.set(&person_key(&message.conversation, &user), &name);
    events.report(AdapterEvent::MentionNamed { message, user, name }).await;
}

/// Asks for the message that another one answers (api/public.md, `get_msg`).
pub(super) async fn answered(
    message: MessageRef,
    answered: &str,
    account: &Account,
    calls: &Calls,
    events: &EventSink,
) {
    #[derive(Serialize)]
    struct Asked<'a> {
        message_id: Id<'a>,
    }
    let asked = Asked { message_id: Id::new(answered) };
    let Ok(answer) = calls.call("get_msg", asked, None).await else { return };
    let Some(read) = answer.data::<&RawValue>().and_then(OneBot11Message::parse) else { return };
    let own = account.id().unwrap_or_default();
    let read = read.into_inbound(&account.platform, own, Some(&message.conversation));
    let Ok((found, _)) = read else { return };
    // Anybody can write an answer to a message of another conversation; its words stay there. Some tell
    // a private message of our own as one to ourselves.
    let ourselves = OneBot11Address::Private { user_id: Id::new(own) };
    let is_here = found.conversation == message.conversation
        || OneBot11Address::parse(&found.conversation) == Some(ourselves);
    if !is_here {
        return;
    }
    let reply_to = Box::new(ReplyTo {
        id: None,
        sender: Some(found.sender),
        content: Some(excerpt(&found.content.readable())),
        external_id: Some(answered.to_owned()),
    });
    events.report(AdapterEvent::ReplyFound { message, reply_to }).await;
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
    // An action that the implementation does not have (communication/ws.md).
    let answer = accepted(answer, |retcode| matches!(retcode, 404 | 1404))?;
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
