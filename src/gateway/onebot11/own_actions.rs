//! Actions that rechat answers itself (api/public.md): for accounts of platforms other than OneBot
//! 11, and for accounts that are not connected.

use super::answer::{ActionAnswer, BAD_REQUEST, FAILED, NO_SUCH_ACTION};
use super::members;
use super::message::{self, conversation_of_group, find, group_number, person_number};
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use crate::gateway::conversation::person_of;
use crate::gateway::ids::Named;
use crate::gateway::raw_object::RawObject;
use crate::model::reaction::check_emoji;
use crate::protocol::overview::Conversation;
use crate::store::{ConversationQuery, Result, View};
use serde_json::{Value, json};
use std::sync::Arc;

/// The most conversations in a list.
const MAX_LISTED: usize = 1_000;

/// Answers an action.
pub(super) async fn answer(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    action: &str,
    fields: &RawObject<'_>,
) -> ActionAnswer {
    let view = match bot.shared.core.store.view() {
        Ok(view) => view,
        Err(error) => return ActionAnswer::Failed(FAILED, error.to_string()),
    };
    let asked = Asked { bot, account, view, fields };
    let result = match action {
        "get_login_info" => Ok(json!({"user_id": account.self_id, "nickname": account.account})),
        "get_status" => {
            let online = bot.shared.is_online(&account.platform, &account.account);
            Ok(json!({"online": online, "good": true}))
        }
        "get_version_info" => Ok(json!({
            "app_name": "rechat", "app_version": env!("CARGO_PKG_VERSION"),
            "protocol_version": "v11",
        })),
        "can_send_image" | "can_send_record" => Ok(json!({"yes": true})),
        "get_msg" => return asked.message().await,
        "get_group_list" => asked.list(false).await,
        "get_friend_list" => asked.list(true).await,
        "get_group_info" => return asked.group(),
        "get_stranger_info" => return asked.stranger(),
        "get_group_member_info" => return asked.member(),
        "get_group_member_list" => asked.members().await,
        "set_friend_add_request" | "set_group_add_request" => return asked.answer_request().await,
        "set_msg_emoji_like" => return asked.react().await,
        _ => {
            let words = format!("rechat has no action `{action}` for this platform");
            return ActionAnswer::Failed(NO_SUCH_ACTION, words);
        }
    };
    answered(result)
}

fn answered(result: Result<Value>) -> ActionAnswer {
    result.map_or_else(|error| ActionAnswer::Failed(FAILED, error.to_string()), ActionAnswer::Done)
}

/// An action, with the data that its answer needs.
struct Asked<'a> {
    bot: &'a ConfiguredBot,
    account: &'a ServedAccount,
    view: Arc<View>,
    fields: &'a RawObject<'a>,
}

impl Asked<'_> {
    fn is_native(&self) -> bool {
        self.bot.shared.speaks_onebot11(&self.account.platform, &self.account.account)
    }

    /// A required parameter.
    fn needed(&self, key: &str) -> std::result::Result<String, ActionAnswer> {
        let missing = || ActionAnswer::Failed(BAD_REQUEST, format!("`{key}` is missing"));
        self.fields.id(key).ok_or_else(missing)
    }

    async fn message(&self) -> ActionAnswer {
        let id = match self.needed("message_id") {
            Ok(id) => id,
            Err(answer) => return answer,
        };
        let read = async {
            let found = find(&self.view, self.account, &id, self.is_native())?;
            let Some(found) = found else { return Ok(None) };
            let shared = &self.bot.shared;
            let mut fields = message::fields(shared, self.account, &self.view, &found).await?;
            let real_id = fields.get("message_id").cloned().unwrap_or_default();
            fields.insert("real_id".into(), real_id);
            Ok(Some(Value::Object(fields)))
        };
        let read: Result<_> = read.await;
        match read {
            Ok(Some(message)) => ActionAnswer::Done(message),
            Ok(None) => ActionAnswer::Failed(FAILED, "there is no such message".into()),
            Err(error) => ActionAnswer::Failed(FAILED, error.to_string()),
        }
    }

    /// Groups, or people with a private conversation.
    async fn list(&self, is_private: bool) -> Result<Value> {
        let query = ConversationQuery {
            platform: Some(self.account.platform.clone()),
            limit: Some(MAX_LISTED),
            ..ConversationQuery::default()
        };
        let mut all = Vec::new();
        for conversation in self.view.conversations(&query)? {
            let Conversation { conversation, name, account, .. } = conversation;
            let is_its = account.as_ref().is_none_or(|account| *account == self.account.account);
            match person_of(&conversation) {
                Some(person) if is_private && is_its => {
                    let number = person_number(&self.bot.shared, self.account, person).await?;
                    let name = name.unwrap_or_else(|| person.to_owned());
                    all.push(json!({"user_id": number, "nickname": name, "remark": ""}));
                }
                None if !is_private && is_its => {
                    let number =
                        group_number(&self.bot.shared, self.account, &conversation).await?;
                    all.push(group_of(number, &name.unwrap_or(conversation)));
                }
                _ => {}
            }
        }
        Ok(Value::Array(all))
    }

    /// A number parameter. The answer repeats it unchanged, so that bots make no new numbers.
    fn number(&self, key: &str) -> std::result::Result<i64, ActionAnswer> {
        let wrong = || ActionAnswer::Failed(BAD_REQUEST, format!("`{key}` is no number"));
        self.needed(key)?.parse().map_err(|_| wrong())
    }

    fn group(&self) -> ActionAnswer {
        let number = match self.number("group_id") {
            Ok(number) => number,
            Err(answer) => return answer,
        };
        let shared = &self.bot.shared;
        let conversation = conversation_of_group(shared, self.account, &number.to_string());
        answered(self.view.conversation(&self.account.platform, &conversation).map(|known| {
            let name = known.and_then(|known| known.name).unwrap_or(conversation);
            group_of(number, &name)
        }))
    }

    /// A person, from the data of their private conversation.
    fn stranger(&self) -> ActionAnswer {
        let user = match self.number("user_id") {
            Ok(user) => user,
            Err(answer) => return answer,
        };
        let shared = &self.bot.shared;
        let conversation = message::conversation_of_person(shared, self.account, &user.to_string());
        answered(self.view.conversation(&self.account.platform, &conversation).map(|known| {
            let id = person_of(&conversation).unwrap_or_default();
            let name = known.and_then(|known| known.name).unwrap_or_else(|| id.to_owned());
            json!({"user_id": user, "nickname": name, "sex": "unknown", "age": 0})
        }))
    }

    /// A member of a group, from the messages of the group.
    fn member(&self) -> ActionAnswer {
        let (group, user) = match (self.number("group_id"), self.number("user_id")) {
            (Ok(group), Ok(user)) => (group, user),
            (Err(answer), _) | (_, Err(answer)) => return answer,
        };
        let shared = &self.bot.shared;
        let conversation = conversation_of_group(shared, self.account, &group.to_string());
        let id = shared.ids.id(Named::Person, &self.account.platform, &user.to_string());
        answered(members::writers(&self.view, self.account, &conversation).map(|writers| {
            let name = writers.into_iter().find(|writer| writer.id == id).map(|known| known.name);
            member_of(group, user, &name.unwrap_or(id))
        }))
    }

    /// The members of a group who wrote recently.
    async fn members(&self) -> Result<Value> {
        let Ok(group) = self.number("group_id") else { return Ok(json!([])) };
        let shared = &self.bot.shared;
        let conversation = conversation_of_group(shared, self.account, &group.to_string());
        let mut all = Vec::new();
        for writer in members::writers(&self.view, self.account, &conversation)? {
            let user = person_number(shared, self.account, &writer.id).await?;
            all.push(member_of(group, user, &writer.name));
        }
        Ok(Value::Array(all))
    }

    async fn answer_request(&self) -> ActionAnswer {
        let flag = match self.needed("flag") {
            Ok(flag) => flag,
            Err(answer) => return answer,
        };
        let Ok(id) = flag.parse() else {
            return ActionAnswer::Failed(BAD_REQUEST, "`flag` is not one that rechat told".into());
        };
        let asked = self.view.request(id).ok().flatten();
        if !asked.is_some_and(|request| self.account.has_request(&request)) {
            return ActionAnswer::Failed(FAILED, "there is no such request".into());
        }
        let approve = self.fields.text("approve").is_none_or(|approve| approve == "true");
        let reason = self.fields.text("reason").unwrap_or_default();
        match self.bot.shared.core.actions.answer_request(id, approve, reason).await {
            Ok(_) => ActionAnswer::Done(Value::Null),
            Err(error) => ActionAnswer::Failed(FAILED, error.to_string()),
        }
    }

    async fn react(&self) -> ActionAnswer {
        let id = match self.needed("message_id") {
            Ok(id) => id,
            Err(answer) => return answer,
        };
        let number: Option<u32> = self.fields.text("emoji_id").and_then(|id| id.parse().ok());
        let Some(emoji) = number.and_then(char::from_u32) else {
            return ActionAnswer::Failed(BAD_REQUEST, "`emoji_id` is no character's number".into());
        };
        let found = find(&self.view, self.account, &id, self.is_native());
        let Ok(Some(message)) = found else {
            return ActionAnswer::Failed(FAILED, "there is no such message".into());
        };
        if let Err(words) = check_emoji(emoji.encode_utf8(&mut [0; 4])) {
            return ActionAnswer::Failed(BAD_REQUEST, words);
        }
        let on = self.fields.text("set").is_none_or(|set| set == "true");
        match self.bot.shared.core.actions.react(message.id, emoji.to_string(), on).await {
            Ok(_) => ActionAnswer::Done(Value::Null),
            Err(error) => ActionAnswer::Failed(FAILED, error.to_string()),
        }
    }
}

fn group_of(number: i64, name: &str) -> Value {
    json!({"group_id": number, "group_name": name, "member_count": 0, "max_member_count": 0})
}

fn member_of(group: i64, user: i64, name: &str) -> Value {
    json!({
        "group_id": group, "user_id": user, "nickname": name, "card": "", "sex": "unknown",
        "age": 0, "role": "member",
    })
}
