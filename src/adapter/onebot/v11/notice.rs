//! Notices and requests (event/notice.md, event/request.md), and those that `NapCat`, `LLBot`, Lagrange
//! and go-cqhttp added.

use super::reading;
use crate::adapter::api::{AdapterEvent, PlatformRequest, RequestKind, cut};
use crate::adapter::onebot::common::channel;
use crate::adapter::onebot::common::fields::Fields;
use crate::adapter::onebot::common::notices::{NoticeContext, NoticeSubject};
use crate::adapter::onebot::common::scalar::Scalar;
use crate::clock::now;
use crate::model::notice::NoticeKind;
use crate::model::reaction::ReactionChange;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reactions of one frame.
const MAX_REACTIONS: usize = 64;

/// A notice or a request.
#[derive(Debug)]
pub(super) struct OneBot11NoticeFrame<'a>(Fields<'a>);

impl<'a> OneBot11NoticeFrame<'a> {
    pub(super) fn parse(frame: &'a str) -> Self {
        Self(Fields::parse(frame))
    }

    /// Whether the account was logged out, with the words for people.
    pub(super) fn offline(&self) -> Option<Cow<'_, str>> {
        let is_offline = self.0.get("notice_type") == Some("bot_offline");
        is_offline.then(|| cut(self.words().unwrap_or_default()))
    }

    /// A conversation's name that it tells.
    pub(super) fn conversation_name(&self) -> Option<(String, &str)> {
        let name = match (self.0.get("notice_type")?, self.0.get("sub_type")) {
            // NapCat, and Lagrange.
            ("notify", Some("group_name")) => self.0.get("name_new"),
            ("group_name_change", _) => self.0.get("name"),
            _ => None,
        };
        Some((self.conversation("")?, name?))
    }

    /// A person's new card in a group: conversation, person, card.
    pub(super) fn card(&self) -> Option<(String, &str, &str)> {
        let is_card = self.0.get("notice_type") == Some("group_card");
        let card = self.0.scalar("card_new").filter(|_| is_card)?.or_empty();
        Some((self.conversation("")?, self.0.id("user_id")?, card))
    }

    /// The events that the core is told.
    pub(super) fn events(
        &self,
        platform: &str,
        account: &str,
        name_of: &dyn Fn(&str, &str) -> Option<String>,
    ) -> Vec<AdapterEvent> {
        let at = self.0.scalar("time").and_then(Scalar::time).unwrap_or_else(now);
        let notices = NoticeContext { platform, account, at, name_of };
        let conversation = self.conversation(account);
        let conversation = conversation.as_deref();
        match self.0.get("request_type") {
            Some(kind) => self.request(kind, &notices, conversation).into_iter().collect(),
            None => self.notice(&notices, conversation),
        }
    }

    fn notice(&self, notices: &NoticeContext<'_>, conversation: Option<&str>) -> Vec<AdapterEvent> {
        let fields = &self.0;
        let kind = fields.get("notice_type").unwrap_or_default();
        let sub_type = fields.get("sub_type").unwrap_or_default();
        let message = conversation.zip(fields.id("message_id"));
        let by = fields.id("operator_id");
        let user = fields.id("user_id");
        let noticed = |kind, user, operator, text: &str| {
            let text = text.to_owned();
            let about = NoticeSubject { conversation, user, operator, text, request: None };
            notices.noticed(kind, about).into_iter().collect()
        };
        match (kind, sub_type) {
            ("group_recall" | "friend_recall", _) => message
                .and_then(|(conversation, id)| notices.recalled(conversation, id, by.or(user)))
                .into_iter()
                .collect(),
            ("group_msg_emoji_like" | "reaction", _) => self.reactions(notices, message),
            ("message_edit" | "message_edited" | "message_update" | "message_updated", _) => {
                self.edit(notices, message).into_iter().collect()
            }
            ("group_upload" | "offline_file", _) => {
                noticed(NoticeKind::FileUploaded, user, None, &self.file())
            }
            ("group_admin", _) => noticed(NoticeKind::AdminChanged, user, by, sub_type),
            ("group_increase", _) => noticed(NoticeKind::MemberJoined, user, by, sub_type),
            ("group_decrease", _) => noticed(NoticeKind::MemberLeft, user, by, sub_type),
            ("group_ban", _) => {
                let lifted = sub_type == "lift_ban";
                let duration = fields.get("duration").filter(|_| !lifted).unwrap_or("0");
                noticed(NoticeKind::MemberMuted, user, by, duration)
            }
            ("group_card", _) => {
                let card = fields.get("card_new").unwrap_or_default();
                noticed(NoticeKind::MemberRenamed, user, by, card)
            }
            ("friend_add", _) => noticed(NoticeKind::FriendAdded, user, None, ""),
            ("essence", _) => noticed(NoticeKind::Essence, fields.id("sender_id"), by, sub_type),
            ("bot_offline", _) => {
                let words = self.words().unwrap_or_default();
                noticed(NoticeKind::AccountOffline, None, None, words)
            }
            ("notify", "poke") => {
                let by = fields.id("sender_id").or(user);
                noticed(NoticeKind::Poke, fields.id("target_id"), by, "")
            }
            // Someone types; files on their way; what told the name of a group above.
            ("notify", "input_status" | "group_name")
            | ("group_name_change", _)
            | ("flash_file", "downloading" | "uploading") => Vec::new(),
            _ => {
                let words: Vec<_> = [kind, sub_type].into_iter().chain(self.words()).collect();
                let words = words.into_iter().filter(|word| !word.is_empty() && *word != "notify");
                let text = words.collect::<Vec<_>>().join(" ");
                let user = user.or(fields.id("target_id"));
                noticed(NoticeKind::Other, user, by, &text)
            }
        }
    }

    /// A friend or join request; the account itself is the one who would join when it is invited.
    fn request(
        &self,
        kind: &str,
        notices: &NoticeContext<'_>,
        conversation: Option<&str>,
    ) -> Option<AdapterEvent> {
        let fields = &self.0;
        let sub_type = fields.get("sub_type").unwrap_or_default();
        let asks = fields.id("user_id");
        let (kind, notice, user, operator) = match (kind, sub_type) {
            ("friend", _) => (RequestKind::Friend, NoticeKind::FriendRequest, asks, None),
            ("group", "invite") => {
                let invited = Some(notices.account);
                (RequestKind::Invitation, NoticeKind::JoinRequest, invited, asks)
            }
            ("group", _) => {
                let by = fields.id("invitor_id");
                (RequestKind::Join, NoticeKind::JoinRequest, asks, by)
            }
            _ => return None,
        };
        // Approving one of an unknown kind could let in whom nobody meant: it is told, not answered.
        let is_known = kind != RequestKind::Join || matches!(sub_type, "add" | "");
        let flag = fields.get("flag").filter(|_| is_known);
        let request = flag.map(|flag| PlatformRequest { kind, flag: flag.to_owned() });
        let text = fields.get("comment").unwrap_or_default().to_owned();
        notices.noticed(notice, NoticeSubject { conversation, user, operator, text, request })
    }

    /// The reactions as `NapCat` and `LLBot` tell them (`group_msg_emoji_like`), or Lagrange
    /// (`reaction`).
    fn reactions(
        &self,
        notices: &NoticeContext<'_>,
        message: Option<(&str, &str)>,
    ) -> Vec<AdapterEvent> {
        let Some((conversation, id)) = message else { return Vec::new() };
        let fields = &self.0;
        let by = fields.id("operator_id").or(fields.id("user_id"));
        let is_added = match (fields.get("sub_type"), fields.get("is_add")) {
            (Some("remove"), _) | (_, Some("false")) => Some(false),
            (Some("add"), _) | (_, Some("true")) => Some(true),
            _ => None,
        };
        let set = |emoji: &str, on| {
            let (emoji, user) = (emoji.to_owned(), by?.to_owned());
            Some(ReactionChange::Set { mine: user == notices.account, emoji, user, on })
        };
        let counted = |emoji: &str, count| {
            let emoji = emoji.to_owned();
            Some(ReactionChange::Counted { emoji, count })
        };
        let mut changes = Vec::new();
        if let Some(code) = fields.get("code") {
            let emoji = emoji(code);
            // First the person's reaction, then the platform's own count.
            changes.extend(is_added.and_then(|on| set(&emoji, on)));
            changes.extend(fields.number(&["count"]).and_then(|count| counted(&emoji, count)));
        }
        let likes = fields.nested("likes").map_or("[]", RawValue::get);
        let likes: Vec<&RawValue> = serde_json::from_str(likes).unwrap_or_default();
        for like in likes.into_iter().take(MAX_REACTIONS) {
            let like = Fields::parse(like.get());
            let Some(emoji) = like.get("emoji_id").map(emoji) else { continue };
            // The count is that of this one event where it tells who did what.
            changes.extend(match (is_added, by) {
                (Some(on), Some(_)) => set(&emoji, on),
                (None, Some(_)) => set(&emoji, like.get("count") != Some("0")),
                _ => like.number(&["count"]).and_then(|count| counted(&emoji, count)),
            });
        }
        changes.into_iter().filter_map(|change| notices.reacted(conversation, id, change)).collect()
    }

    fn edit(
        &self,
        notices: &NoticeContext<'_>,
        message: Option<(&str, &str)>,
    ) -> Option<AdapterEvent> {
        let (conversation, id) = message?;
        let message = notices.message(conversation, id)?;
        let is_me = |user: &str| user == notices.account;
        let written = self.0.any("message").filter(|json| json.get() != "null")?;
        let content = reading::read(written, &is_me).content;
        Some(AdapterEvent::Edited { message, content, at: notices.at })
    }

    /// The conversation it is about: a group, a channel, or the friend that is not the account.
    fn conversation(&self, account: &str) -> Option<String> {
        let fields = &self.0;
        if let Some(group) = fields.id("group_id") {
            return Some(format!("group_{group}"));
        }
        if let Some((guild, channel)) = fields.id("guild_id").zip(fields.id("channel_id")) {
            return Some(channel::conversation(guild, channel));
        }
        let people = ["user_id", "sender_id", "target_id"];
        let mut others = people.into_iter().filter_map(|key| fields.id(key));
        Some(format!("private_{}", others.find(|id| *id != account)?))
    }

    /// The name of a file, and its address where it is told.
    fn file(&self) -> String {
        let file = self.0.nested("file").map(|file| Fields::parse(file.get())).unwrap_or_default();
        let words = [file.get("name"), file.get("url")];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// The words that it brings.
    fn words(&self) -> Option<&str> {
        const WORDS: [&str; 7] =
            ["message", "honor_type", "title", "content", "comment", "times", "wording"];
        WORDS.into_iter().find_map(|key| self.0.get(key))
    }
}

/// An emoji of QQ: the number of a face, or the code point of an emoji.
fn emoji(id: &str) -> String {
    /// Faces have smaller numbers.
    const CODE_POINTS_FROM: u32 = 5000;
    let code_point = id.parse().ok().filter(|number| *number >= CODE_POINTS_FROM);
    code_point.and_then(char::from_u32).map_or_else(|| id.to_owned(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_emoji_is_a_face_or_a_character() {
        assert_eq!((emoji("76").as_str(), emoji("128077").as_str()), ("76", "👍"));
        assert_eq!((emoji("4294967295").as_str(), emoji("x").as_str()), ("4294967295", "x"));
    }

    proptest! {
        #[test]
        fn no_field_panics(
            fields in prop::collection::btree_map(
                "sub_type|user_id|group_id|operator_id|target_id|sender_id|message_id|duration|\
                 card_new|code|count|is_add|likes|file|comment|flag|message|time",
                prop_oneof![
                    Just("null".to_owned()),
                    Just("[{\"emoji_id\":\"128077\",\"count\":1},5]".to_owned()),
                    Just("{\"name\":\"a\"}".to_owned()),
                    any::<i64>().prop_map(|number| number.to_string()),
                    ".{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap()),
                ],
                0..10,
            ),
            kind in "group_recall|friend_recall|reaction|group_msg_emoji_like|message_edit|group_upload|\
                     group_ban|notify|essence|bot_offline|x",
            is_request in any::<bool>(),
        ) {
            let field = if is_request { "request_type" } else { "notice_type" };
            let mut parts = vec![format!("\"{field}\":\"{kind}\"")];
            parts.extend(fields.iter().map(|(name, value)| format!("\"{name}\":{value}")));
            let frame = format!("{{{}}}", parts.join(","));
            let frame = OneBot11NoticeFrame::parse(&frame);
            frame.events("qq", "1", &|_, _| None);
            let _ = (frame.offline(), frame.card(), frame.conversation_name());
        }
    }
}
