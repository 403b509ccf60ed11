//! Members of a group, as its platform lists them.

use crate::model::message::Sender;
use serde::{Deserialize, Serialize};

/// The most members of one group that are kept; QQ's largest groups have 5,000.
pub const MAX_MEMBERS: usize = 5_000;

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GroupMember {
    /// The platform's ID of the person.
    pub id: String,
    /// The name shown: the group card, else the nickname, else the ID.
    pub name: String,
    /// Left out for members without a role, and where the platform tells no roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<MemberRole>,
    /// The title that the group gave to the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl From<Sender> for GroupMember {
    /// Somebody who wrote, of whom nothing else is known.
    fn from(Sender { id, name }: Sender) -> Self {
        let name = if name.is_empty() { id.clone() } else { name };
        Self { id, name, role: None, title: None }
    }
}

/// A role in a group, the highest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum MemberRole {
    /// The group belongs to this person.
    Owner,
    /// This person may remove others and their messages.
    Admin,
}

/// The members of a group, those with a role first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GroupMembers {
    /// At most 5,000 of them.
    pub members: Vec<GroupMember>,
    /// All that the platform listed.
    pub total: usize,
}

impl GroupMembers {
    /// Orders members of a platform's list of `total`: owner, admins, all others as they came; keeps
    /// as many as are allowed.
    pub fn listed(mut members: Vec<GroupMember>, total: usize) -> Self {
        members.sort_by_key(|member| (member.role.is_none(), member.role));
        members.truncate(MAX_MEMBERS);
        Self { members, total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_with_a_role_come_first_and_the_rest_is_counted() {
        let member = |number: usize, role| GroupMember {
            id: number.to_string(),
            name: String::new(),
            role,
            title: None,
        };
        let mut listed: Vec<_> = (0..MAX_MEMBERS).map(|number| member(number, None)).collect();
        listed.push(member(7_001, Some(MemberRole::Admin)));
        listed.push(member(7_002, Some(MemberRole::Owner)));
        let GroupMembers { members, total } = GroupMembers::listed(listed, 8_000);
        assert_eq!((members.len(), total), (MAX_MEMBERS, 8_000));
        let ids: Vec<_> = members.iter().take(4).map(|member| &*member.id).collect();
        assert_eq!(ids, ["7002", "7001", "0", "1"]);
    }
}
