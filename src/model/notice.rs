//! Notices: events of a platform that are not messages (contract, item 29).

use super::named::named_enum;
use super::sender::Sender;
use serde::{Deserialize, Serialize};

/// Something that happened on a platform and is not a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The platform that reported it.
    pub platform: String,
    /// Your account that received it.
    pub account: String,
    /// Where it happened; `None` if it is about the account itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// The kind of the notice.
    pub kind: NoticeKind,
    /// The person it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Sender>,
    /// The person who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Sender>,
    /// The detail that the platform gives: a duration, a file's name, a new name, the text of a request.
    pub text: String,
    /// Unix seconds.
    pub created_at: u64,
    /// The ID of the request, if the notice is a request that can be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
}

/// A request of a platform: a person wants to be a friend, or to join a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRequest {
    /// The notice of the request.
    pub notice: Notice,
    /// The data that its adapter needs to answer it, in the adapter's own form.
    pub data: String,
    /// The answer, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<RequestDecision>,
}

/// Answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestDecision {
    /// The request was approved; otherwise it was refused.
    pub approved: bool,
    /// The reason that was given with the answer; may be empty.
    pub reason: String,
    /// Unix seconds.
    pub at: u64,
}

/// Kind of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// `user` joined the group; `operator` let them in or invited them.
    MemberJoined,
    /// `user` left the group, or `operator` removed them.
    MemberLeft,
    /// `operator` muted `user` for `text` seconds; 0 ends it.
    MemberMuted,
    /// `user` has the new name `text` in the group.
    MemberRenamed,
    /// `user` became an administrator, or is no longer one; `text` is `set` or `unset`.
    AdminChanged,
    /// `operator` poked `user`.
    Poke,
    /// `user` is a new friend of the account.
    FriendAdded,
    /// `user` wants to be a friend; `text` is their message.
    FriendRequest,
    /// `user` wants to join the group, or invites the account to it; `text` is their message.
    JoinRequest,
    /// `user` uploaded a file to the group; `text` is its name.
    FileUploaded,
    /// A message of `user` was marked as essential.
    Essence,
    /// The account was logged out; `text` is the reason.
    AccountOffline,
    /// Anything else; `text` describes it.
    Other,
}

impl NoticeKind {
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 13] = [
        Self::MemberJoined,
        Self::MemberLeft,
        Self::MemberMuted,
        Self::MemberRenamed,
        Self::AdminChanged,
        Self::Poke,
        Self::FriendAdded,
        Self::FriendRequest,
        Self::JoinRequest,
        Self::FileUploaded,
        Self::Essence,
        Self::AccountOffline,
        Self::Other,
    ];

    /// The name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MemberJoined => "member_joined",
            Self::MemberLeft => "member_left",
            Self::MemberMuted => "member_muted",
            Self::MemberRenamed => "member_renamed",
            Self::AdminChanged => "admin_changed",
            Self::Poke => "poke",
            Self::FriendAdded => "friend_added",
            Self::FriendRequest => "friend_request",
            Self::JoinRequest => "join_request",
            Self::FileUploaded => "file_uploaded",
            Self::Essence => "essence",
            Self::AccountOffline => "account_offline",
            Self::Other => "other",
        }
    }
}

named_enum!(NoticeKind);
