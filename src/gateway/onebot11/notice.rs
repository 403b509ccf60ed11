//! Notices and requests of other platforms in the form of OneBot 11 (event/notice.md,
//! event/request.md).

use super::message::{group_number, person_number};
use crate::gateway::bot::ServedAccount;
use crate::gateway::conversation::person_of;
use crate::gateway::shared::BotsShared;
use crate::model::message::{Message, Sender};
use crate::model::notice::{Notice, NoticeKind};
use crate::store::Result;
use serde_json::{Map, Value, json};

/// The frame for a notice; `None` if OneBot 11 does not have such an event.
pub(super) async fn frame(
    shared: &BotsShared,
    account: &ServedAccount,
    notice: &Notice,
) -> Result<Option<String>> {
    let conversation = notice.conversation.as_deref();
    let is_private = conversation.and_then(person_of).is_some();
    let kind = match notice.kind {
        NoticeKind::MemberJoined => json!({"notice_type": "group_increase", "sub_type": "approve"}),
        NoticeKind::MemberLeft => json!({"notice_type": "group_decrease", "sub_type": "leave"}),
        NoticeKind::MemberMuted => {
            let seconds: u64 = notice.text.parse().unwrap_or_default();
            let sub_type = if seconds == 0 { "lift_ban" } else { "ban" };
            json!({"notice_type": "group_ban", "sub_type": sub_type, "duration": seconds})
        }
        NoticeKind::MemberRenamed => {
            json!({"notice_type": "group_card", "card_new": notice.text, "card_old": ""})
        }
        NoticeKind::AdminChanged => json!({"notice_type": "group_admin", "sub_type": notice.text}),
        NoticeKind::Poke => json!({"notice_type": "notify", "sub_type": "poke"}),
        NoticeKind::FriendAdded => json!({"notice_type": "friend_add"}),
        NoticeKind::FileUploaded if !is_private => {
            json!({"notice_type": "group_upload", "file": {"id": "", "name": notice.text, "size": 0, "busid": 0}})
        }
        NoticeKind::FriendRequest => json!({"request_type": "friend", "comment": notice.text}),
        NoticeKind::JoinRequest => {
            json!({"request_type": "group", "sub_type": "add", "comment": notice.text})
        }
        _ => return Ok(None),
    };
    let Value::Object(mut fields) = kind else { return Ok(None) };
    let is_request = fields.contains_key("request_type");
    let post_type = if is_request { "request" } else { "notice" };
    fields.insert("post_type".into(), post_type.into());
    if let Some(id) = notice.request {
        fields.insert("flag".into(), id.to_string().into());
    }
    let user = notice.user.as_ref();
    if notice.kind == NoticeKind::Poke {
        // The person who was poked is the target (event/notice.md, "群内戳一戳").
        put_person(shared, account, &mut fields, "target_id", user).await?;
        put_person(shared, account, &mut fields, "user_id", notice.operator.as_ref()).await?;
    } else {
        put_person(shared, account, &mut fields, "user_id", user).await?;
        let operator = notice.operator.as_ref().or(user);
        put_person(shared, account, &mut fields, "operator_id", operator).await?;
    }
    finish(shared, account, fields, conversation, notice.created_at).await.map(Some)
}

/// The frame for a recall. Any later change of the message sends it again: an entry does not say
/// which change it is, and a recall must not be missed.
pub(super) async fn recalled(
    shared: &BotsShared,
    account: &ServedAccount,
    message: &Message,
) -> Result<Option<String>> {
    let Some(recall) = message.recall.as_ref() else { return Ok(None) };
    let is_private = person_of(&message.recipient).is_some();
    let kind = if is_private { "friend_recall" } else { "group_recall" };
    let mut fields = Map::new();
    fields.insert("post_type".into(), "notice".into());
    fields.insert("notice_type".into(), kind.into());
    let is_native = shared.speaks_onebot11(&account.platform, &account.account);
    let external = message.external_id.as_ref().filter(|_| is_native);
    let id = external.and_then(|id| id.parse::<i64>().ok()).map_or(json!(message.seq), Value::from);
    fields.insert("message_id".into(), id);
    put_person(shared, account, &mut fields, "user_id", message.sender.as_ref()).await?;
    let by = recall.by.as_ref().or(message.sender.as_ref());
    put_person(shared, account, &mut fields, "operator_id", by).await?;
    finish(shared, account, fields, Some(&message.recipient), recall.at).await.map(Some)
}

async fn put_person(
    shared: &BotsShared,
    account: &ServedAccount,
    fields: &mut Map<String, Value>,
    key: &str,
    person: Option<&Sender>,
) -> Result<()> {
    let number = match person {
        Some(person) => person_number(shared, account, &person.id).await?,
        None => 0,
    };
    fields.insert(key.to_owned(), number.into());
    Ok(())
}

async fn finish(
    shared: &BotsShared,
    account: &ServedAccount,
    mut fields: Map<String, Value>,
    conversation: Option<&str>,
    at: u64,
) -> Result<String> {
    if let Some(conversation) = conversation.filter(|name| person_of(name).is_none()) {
        let group = group_number(shared, account, conversation).await?;
        fields.insert("group_id".into(), group.into());
    }
    fields.insert("time".into(), at.into());
    fields.insert("self_id".into(), account.self_id.into());
    Ok(Value::Object(fields).to_string())
}
