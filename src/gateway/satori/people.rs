//! Channels, guilds, members and friends (resources/): from the account's OneBot implementation, or else
//! from the store.

use super::channel::{self, guild, id_of};
use super::implementation::{ask, id, is_there, text_of};
use super::request::{RefusedCall, SatoriCall, bad_request, no_method, of_action, of_store};
use super::{login, roles};
use crate::gateway::conversation::{ConversationForm, person_of};
use crate::protocol::overview::Conversation;
use crate::store::ConversationQuery;
use hyper::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// The most conversations in a list.
const MAX_LISTED: usize = 1_000;

/// `login.get`
pub(super) async fn login(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let is_online = login::is_online(asked.bot, asked.account);
    let mut login = login::whole(asked.bot, asked.account, is_online);
    if is_there(asked)
        && let Ok(info) = ask(asked, "get_login_info", &json!({})).await
        && let Some(name) = text_of(&info["nickname"])
    {
        login["user"]["name"] = json!(name);
    }
    Ok(login)
}

/// `channel.get`
pub(super) async fn get_channel(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let conversation = asked.conversation()?;
    let name = name_of(asked, &conversation).await?;
    Ok(channel::channel(&conversation, name.as_deref()))
}

/// `channel.list`: a group has one channel.
pub(super) async fn list_channels(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let conversation = asked.conversation_at("guild_id")?;
    let name = name_of(asked, &conversation).await?;
    Ok(json!({"data": [channel::channel(&conversation, name.as_deref())]}))
}

/// `user.channel.create`: a private channel need not be created.
pub(super) fn private_channel(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let user = asked.needed("user_id")?;
    Ok(channel::channel(&ConversationForm::Private(&user).to_string(), None))
}

/// `guild.get`
pub(super) async fn get_guild(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let conversation = asked.conversation_at("guild_id")?;
    let name = name_of(asked, &conversation).await?;
    guild(&conversation, name.as_deref())
        .ok_or_else(|| bad_request("`guild_id` names a private conversation"))
}

/// `guild.list`
pub(super) async fn list_guilds(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    if is_there(asked)
        && let Ok(Value::Array(groups)) = ask(asked, "get_group_list", &json!({})).await
    {
        let group = |group: &Value| {
            let id = text_of(&group["group_id"])?;
            let conversation = ConversationForm::Group(&id).to_string();
            guild(&conversation, text_of(&group["group_name"]).as_deref())
        };
        return Ok(json!({"data": groups.iter().filter_map(group).collect::<Vec<_>>()}));
    }
    let all = conversations(asked)?;
    let groups = all.iter().filter_map(|known| guild(&known.conversation, known.name.as_deref()));
    Ok(json!({"data": groups.collect::<Vec<_>>()}))
}

/// `friend.list`
pub(super) async fn list_friends(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    if is_there(asked)
        && let Ok(Value::Array(friends)) = ask(asked, "get_friend_list", &json!({})).await
    {
        let friend = |friend: &Value| {
            let user = user(&text_of(&friend["user_id"])?, text_of(&friend["nickname"]));
            Some(json!({"user": user, "nick": text_of(&friend["remark"])}))
        };
        return Ok(json!({"data": friends.iter().filter_map(friend).collect::<Vec<_>>()}));
    }
    let all = conversations(asked)?;
    let friends = all.into_iter().filter_map(|known| {
        let person = person_of(&known.conversation)?;
        Some(json!({"user": user(person, known.name.clone())}))
    });
    Ok(json!({"data": friends.collect::<Vec<_>>()}))
}

/// `user.get`
pub(super) async fn get_user(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let person = asked.needed("user_id")?;
    if is_there(asked)
        && let Ok(info) = ask(asked, "get_stranger_info", &json!({"user_id": id(&person)})).await
    {
        return Ok(user(&person, text_of(&info["nickname"])));
    }
    let conversation = ConversationForm::Private(&person).to_string();
    let known = asked.view()?.conversation(&asked.account.platform, &conversation);
    let name = known.map_err(|error| of_store(&error))?.and_then(|known| known.name);
    Ok(user(&person, name))
}

/// `guild.member.get`
pub(super) async fn get_member(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let (group, person) = (asked.needed("guild_id")?, asked.needed("user_id")?);
    if !is_there(asked) {
        return Ok(json!({"user": user(&person, None)}));
    }
    let params = json!({"group_id": id(&group), "user_id": id(&person)});
    let member = ask(asked, "get_group_member_info", &params).await?;
    Ok(member_of(&member, &person))
}

/// `guild.member.list`
pub(super) async fn list_members(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    let group = asked.needed("guild_id")?;
    if !is_there(asked) {
        return Err(no_method("guild.member.list"));
    }
    let members = ask(asked, "get_group_member_list", &json!({"group_id": id(&group)})).await?;
    let members = members.as_array().cloned().unwrap_or_default();
    let member = |member: &Value| Some(member_of(member, &text_of(&member["user_id"])?));
    Ok(json!({"data": members.iter().filter_map(member).collect::<Vec<_>>()}))
}

fn member_of(member: &Value, person: &str) -> Value {
    let nickname = text_of(&member["nickname"]);
    let nick = text_of(&member["card"]).or_else(|| nickname.clone());
    let mut object = json!({"user": user(person, nickname), "nick": nick});
    if let Some(role) = text_of(&member["role"]) {
        object["roles"] = json!([roles::role(&role)]);
    }
    if let Some(at) = member["join_time"].as_u64().filter(|at| *at > 0) {
        object["joined_at"] = json!(super::message::milliseconds(at));
    }
    object
}

/// Methods that need a OneBot 11 program, and the action for each.
pub(super) async fn administer(asked: &SatoriCall<'_>, method: &str) -> Result<Value, RefusedCall> {
    if !is_there(asked) {
        return Err(no_method(method));
    }
    let needed = |key: &str| asked.needed(key).map(|text| id(&text));
    let duration = asked.text("duration").and_then(|text| text.parse::<f64>().ok());
    let duration = duration.unwrap_or_default();
    let duration = Duration::try_from_secs_f64(duration / 1_000.0).unwrap_or_default();
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    let (action, params) = match method {
        "guild.member.kick" => {
            let (group, person) = (needed("guild_id")?, needed("user_id")?);
            let reject = asked.params.is_true("permanent");
            let params =
                json!({"group_id": group, "user_id": person, "reject_add_request": reject});
            ("set_group_kick", params)
        }
        "guild.member.mute" => {
            let (group, person) = (needed("guild_id")?, needed("user_id")?);
            let params = json!({"group_id": group, "user_id": person, "duration": seconds});
            ("set_group_ban", params)
        }
        "channel.mute" => {
            let group = needed("channel_id")?;
            ("set_group_whole_ban", json!({"group_id": group, "enable": seconds > 0}))
        }
        "friend.delete" => ("delete_friend", json!({"user_id": needed("user_id")?})),
        _ => return Err(no_method(method)),
    };
    ask(asked, action, &params).await?;
    Ok(json!({}))
}

/// `friend.approve`, `guild.approve` and `guild.member.approve`
pub(super) async fn answer_request(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    // Some frameworks use this name.
    let request = asked.text("message_id").or_else(|| asked.text("request_id"));
    let request = request.ok_or_else(|| bad_request("`message_id` is missing"))?;
    let request = request.parse();
    let unknown = |_| (StatusCode::NOT_FOUND, "there is no such request".to_owned());
    let request = request.map_err(unknown)?;
    let found = asked.view()?.request(request).map_err(|error| of_store(&error))?;
    if !found.is_some_and(|found| asked.account.has_request(&found)) {
        return Err((StatusCode::NOT_FOUND, "there is no such request".to_owned()));
    }
    let approve = asked.needed("approve")? == "true";
    let comment = asked.text("comment").unwrap_or_default();
    let actions = &asked.bot.shared.core.actions;
    actions.answer_request(request, approve, comment).await.map_err(|error| of_action(&error))?;
    Ok(json!({}))
}

fn user(id: &str, name: Option<String>) -> Value {
    let mut user = json!({ "id": id });
    if let Some(name) = name {
        user["name"] = json!(name);
    }
    user
}

/// The name of a conversation.
async fn name_of(
    asked: &SatoriCall<'_>,
    conversation: &str,
) -> Result<Option<String>, RefusedCall> {
    let view = asked.view()?;
    let known = view
        .conversation(&asked.account.platform, conversation)
        .map_err(|error| of_store(&error))?;
    let name = known.and_then(|known| known.name);
    if name.is_some() || person_of(conversation).is_some() || !is_there(asked) {
        return Ok(name);
    }
    let params = json!({"group_id": id(&id_of(conversation))});
    let info = ask(asked, "get_group_info", &params).await;
    Ok(info.ok().and_then(|info| text_of(&info["group_name"])))
}

/// The conversations of the account.
fn conversations(asked: &SatoriCall<'_>) -> Result<Vec<Conversation>, RefusedCall> {
    let query = ConversationQuery {
        platform: Some(asked.account.platform.clone()),
        limit: Some(MAX_LISTED),
        ..ConversationQuery::default()
    };
    let mut all = asked.view()?.conversations(&query).map_err(|error| of_store(&error))?;
    let own = &asked.account.account;
    all.retain(|known| known.account.as_ref().is_none_or(|account| account == own));
    Ok(all)
}
