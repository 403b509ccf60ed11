//! Notices and requests (interface/user, group and guild: notice-events.md), and extensions.

use super::address::OneBot12Address;
use super::segment;
use crate::adapter::api::{AdapterEvent, PlatformRequest, RequestKind};
use crate::adapter::onebot::common::fields::Fields;
use crate::adapter::onebot::common::notices::{NoticeContext, NoticeSubject};
use crate::adapter::onebot::common::scalar::Scalar;
use crate::clock::now;
use crate::model::notice::NoticeKind;

/// A notice or a request.
#[derive(Debug)]
pub(super) struct OneBot12NoticeFrame<'a>(Fields<'a>);

impl<'a> OneBot12NoticeFrame<'a> {
    pub(super) fn parse(frame: &'a str) -> Self {
        Self(Fields::parse(frame))
    }

    /// The event that the core is told, if any.
    pub(super) fn event(
        &self,
        platform: &str,
        account: &str,
        name_of: &dyn Fn(&str, &str) -> Option<String>,
    ) -> Option<AdapterEvent> {
        let fields = &self.0;
        let at = fields.scalar("time").and_then(Scalar::time).unwrap_or_else(now);
        let notices = NoticeContext { platform, account, at, name_of };
        let conversation = self.conversation();
        let conversation = conversation.as_deref();
        let kind = fields.get("detail_type").unwrap_or_default();
        // Extensions have the name of a platform before theirs (interface/rules.md).
        let kind = kind.rsplit('.').next().unwrap_or_default();
        if fields.get("type") == Some("request") {
            return self.request(kind, &notices, conversation);
        }
        let sub_type = fields.get("sub_type").unwrap_or_default();
        let (user, by) = (fields.get("user_id"), fields.get("operator_id"));
        let noticed = |kind, text: &str| {
            let (text, operator) = (text.to_owned(), by);
            notices
                .noticed(kind, NoticeSubject { conversation, user, operator, text, request: None })
        };
        if kind.ends_with("message_delete") {
            return notices.recalled(conversation?, fields.get("message_id")?, by.or(user));
        }
        if ["message_edit", "message_edited", "message_update"]
            .iter()
            .any(|end| kind.ends_with(end))
        {
            let message = notices.message(conversation?, fields.get("message_id")?)?;
            let read = segment::read(fields.nested("message")?, &|user| user == account);
            return Some(AdapterEvent::Edited { message, content: read.content, at });
        }
        match kind {
            "friend_increase" => noticed(NoticeKind::FriendAdded, ""),
            "group_member_increase" | "guild_member_increase" | "channel_member_increase" => {
                noticed(NoticeKind::MemberJoined, sub_type)
            }
            "group_member_decrease" | "guild_member_decrease" | "channel_member_decrease" => {
                noticed(NoticeKind::MemberLeft, sub_type)
            }
            "group_admin_set" => noticed(NoticeKind::AdminChanged, "set"),
            "group_admin_unset" => noticed(NoticeKind::AdminChanged, "unset"),
            "group_member_ban" => {
                noticed(NoticeKind::MemberMuted, fields.get("duration").unwrap_or_default())
            }
            "group_member_unban" => noticed(NoticeKind::MemberMuted, "0"),
            "get_private_poke" | "get_group_poke" => {
                let (user, operator) = (fields.get("to_user_id"), fields.get("from_user_id"));
                let operator = operator.or(fields.get("user_id"));
                let about =
                    NoticeSubject { conversation, user, operator, ..NoticeSubject::default() };
                notices.noticed(NoticeKind::Poke, about)
            }
            _ => {
                let words = [kind, sub_type].into_iter().chain(fields.get("message"));
                let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
                noticed(NoticeKind::Other, &words.join(" "))
            }
        }
    }

    /// A friend or join request, which the specification leaves to extensions.
    fn request(
        &self,
        kind: &str,
        notices: &NoticeContext<'_>,
        conversation: Option<&str>,
    ) -> Option<AdapterEvent> {
        let fields = &self.0;
        let asks = fields.get("user_id");
        let (kind, notice, user, operator) = match kind {
            "new_friend" | "friend_request" | "friend" => {
                (RequestKind::Friend, NoticeKind::FriendRequest, asks, None)
            }
            "join_group" | "group_request" | "group" => {
                (RequestKind::Join, NoticeKind::JoinRequest, asks, fields.get("operator_id"))
            }
            "group_invited" | "group_invite" => {
                (RequestKind::Invitation, NoticeKind::JoinRequest, Some(notices.account), asks)
            }
            _ => return None,
        };
        let flag = fields.get("request_id").or_else(|| fields.get("flag"));
        let request = flag.map(|flag| PlatformRequest { kind, flag: flag.to_owned() });
        let text = fields.get("message").or_else(|| fields.get("comment"));
        let text = text.unwrap_or_default().to_owned();
        notices.noticed(notice, NoticeSubject { conversation, user, operator, text, request })
    }

    fn conversation(&self) -> Option<String> {
        let get = |key| self.0.get(key);
        let address = match (get("group_id"), get("guild_id").zip(get("channel_id"))) {
            (Some(group_id), _) => OneBot12Address::Group { group_id },
            (None, Some((guild, channel))) => {
                OneBot12Address::Channel { guild_id: guild.into(), channel_id: channel.into() }
            }
            // An event of a whole guild belongs to no conversation.
            (None, None) if get("guild_id").is_some() => return None,
            (None, None) => OneBot12Address::Private { user_id: get("user_id")? },
        };
        Some(address.conversation())
    }
}
