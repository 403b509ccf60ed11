//! Roles of members (resources/role.md). A group of OneBot 11 has three fixed roles; one of them
//! can be given.

use super::implementation::{ask, id, is_there};
use super::request::{RefusedCall, SatoriCall, bad_request, no_method};
use serde_json::{Value, json};

/// The roles of a member (api/public.md of OneBot 11, `get_group_member_info`).
const ROLES: [&str; 3] = ["owner", "admin", "member"];

/// The role that can be given and removed (`set_group_admin`).
const ADMIN: &str = "admin";

/// A role as an object.
pub(super) fn role(id: &str) -> Value {
    json!({"id": id, "name": id})
}

/// `guild.role.list`
pub(super) fn list(asked: &SatoriCall<'_>) -> Result<Value, RefusedCall> {
    if !is_there(asked) {
        return Err(no_method("guild.role.list"));
    }
    asked.conversation_at("guild_id")?;
    Ok(json!({"data": ROLES.map(role)}))
}

/// `guild.member.role.set` and `guild.member.role.unset`
pub(super) async fn set(asked: &SatoriCall<'_>, on: bool) -> Result<Value, RefusedCall> {
    if !is_there(asked) {
        return Err(no_method("guild.member.role.set"));
    }
    let (guild, user) = (asked.needed("guild_id")?, asked.needed("user_id")?);
    if asked.needed("role_id")? != ADMIN {
        return Err(bad_request(format!("`role_id` must be `{ADMIN}`: no other can be given")));
    }
    let params = json!({"group_id": id(&guild), "user_id": id(&user), "enable": on});
    ask(asked, "set_group_admin", &params).await?;
    Ok(json!({}))
}
