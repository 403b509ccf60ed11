//! Friend and join requests, and the answers to them.

use crate::model::message::Sender;
use crate::model::notice::{Notice, NoticeKind};
use serde::{Deserialize, Serialize};

/// A request of a platform that can be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Request {
    /// ID of the request: the offset of its event in the log.
    pub id: u64,
    /// Name of the platform.
    pub platform: String,
    /// Your account that received it.
    pub account: String,
    /// The group that somebody wants to join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// `friend_request` or `join_request`.
    pub kind: NoticeKind,
    /// The person who asks, if the platform named them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Sender>,
    /// The text of the person who asks.
    pub text: String,
    /// Unix seconds.
    pub created_at: u64,
    /// Whether it was approved; left out until it is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
}

impl Request {
    /// The form for clients; `None` if the request has no ID.
    pub fn of(request: crate::model::notice::ContactRequest) -> Option<Self> {
        let Notice {
            platform,
            account,
            conversation,
            kind,
            user,
            text,
            created_at,
            request: id,
            ..
        } = request.notice;
        let approved = request.answer.map(|answer| answer.approved);
        Some(Self {
            id: id?,
            platform,
            account,
            conversation,
            kind,
            user,
            text,
            created_at,
            approved,
        })
    }
}

/// Answer of `GET /api/requests`, the newest first.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Requests {
    /// The open requests, the newest first.
    pub requests: Vec<Request>,
}

/// Body of `POST /api/requests/{id}`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RequestAnswer {
    /// Whether the request is approved or refused.
    pub approve: bool,
    /// A text for the person who asked, if the platform passes it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
