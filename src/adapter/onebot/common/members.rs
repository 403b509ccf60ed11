//! The members of a group, from an implementation's answer.

use super::answer::ActionResponse;
use super::call::NoAnswer;
use super::fields::Fields;
use super::requests::accepted;
use crate::adapter::api::{ActionError, cut_to};
use crate::protocol::http::{GroupMember, GroupMembers, MAX_MEMBERS, MemberRole};
use serde_json::value::RawValue;

/// The most bytes of a person's ID; longer ones address nobody.
const MAX_ID_BYTES: usize = 128;
/// The most characters of a name or a title.
const MAX_NAME_CHARACTERS: usize = 100;
/// The most entries of an answer that are read; those with a role may stand anywhere.
const MAX_READ: usize = 2 * MAX_MEMBERS;

/// The members in an answer, each named by the first of these fields that is set; `is_unknown` tells the
/// retcodes by which an implementation says that it has no such action.
pub(in crate::adapter::onebot) fn members_in(
    answer: Result<ActionResponse, NoAnswer>,
    is_unknown: impl Fn(i64) -> bool,
    names: &[&str],
) -> Result<GroupMembers, ActionError> {
    if let Err(too_large @ NoAnswer::AnswerTooLarge) = answer {
        return Err(ActionError::Refused(too_large.to_string()));
    }
    let answer = accepted(answer, is_unknown)?;
    let listed: Option<Vec<&RawValue>> = answer.data();
    let listed = listed.ok_or_else(|| ActionError::Refused("it sent no list of members".into()))?;
    let total = listed.len();
    let read = listed.into_iter().take(MAX_READ);
    let members = read.filter_map(|entry| member(&Fields::parse(entry.get()), names)).collect();
    Ok(GroupMembers::listed(members, total))
}

fn member(fields: &Fields<'_>, names: &[&str]) -> Option<GroupMember> {
    let id = fields.id("user_id").filter(|id| id.len() <= MAX_ID_BYTES)?;
    let short = |text: String| cut_to(&text, MAX_NAME_CHARACTERS).into_owned();
    Some(GroupMember {
        id: id.to_owned(),
        name: fields.owned(names).map_or_else(|| id.to_owned(), short),
        role: match fields.get("role") {
            Some("owner") => Some(MemberRole::Owner),
            Some("admin") => Some(MemberRole::Admin),
            _ => None,
        },
        title: fields.owned(&["title"]).map(short),
    })
}
