//! Events (protocol/events.md): messages, recalls, edits and notices of the standard. An event that
//! the standard does not define is `internal`, in the form of the account's OneBot implementation
//! (advanced/internal.md).

use super::channel::{channel, guild};
use super::{login, message, sn};
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use crate::gateway::conversation::person_of;
use crate::gateway::filter::FilterInput;
use crate::gateway::hidden_content::has_hidden_content;
use crate::gateway::raw_object::RawObject;
use crate::model::message::Message;
use crate::model::notice::{Notice, NoticeKind};
use crate::store::{BotEvent, EntryContent, Result, StoredRawEvent, View};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// An event for an account.
pub(super) struct SatoriEvent {
    pub(super) account: Arc<ServedAccount>,
    /// The bodies of its frames.
    pub(super) bodies: Vec<String>,
}

/// The event for an entry of the log; `None` if the bot does not get it.
pub(super) async fn event(
    bot: &ConfiguredBot,
    view: &View,
    entry: &BotEvent,
) -> Result<Option<SatoriEvent>> {
    let Some(subject) = EventSubject::of(view, entry)? else { return Ok(None) };
    let raw_event = entry.raw_event.as_ref();
    let source = match (raw_event, &subject) {
        (Some(StoredRawEvent { platform, account, .. }), _) => {
            Some((platform.clone(), account.clone()))
        }
        (None, EventSubject::Created(message) | EventSubject::Updated(message)) => {
            message.platform.clone().zip(message.account.clone())
        }
        (None, EventSubject::Notice(notice)) => {
            Some((notice.platform.clone(), notice.account.clone()))
        }
        (None, EventSubject::Other) => None,
    };
    let Some((platform, account)) = source else { return Ok(None) };
    let known = bot.account(&platform, &account);
    let account = match known {
        // The account may be new.
        None => bot.add_account(platform, account).await?,
        known => known,
    };
    let Some(account) = account else { return Ok(None) };
    if has_hidden_content(view, entry)? {
        return Ok(None);
    }
    let frame = raw_event.and_then(|raw_event| RawObject::parse(&raw_event.frame));
    if !passes(bot, &account, &subject, frame.as_ref()) {
        return Ok(None);
    }
    let body = subject.body(bot, &account, view, raw_event.is_some(), entry.at)?;
    let Some(body) = body else { return Ok(None) };
    let sn = sn::of(view.cursor_at(entry.offset)?);
    let text = |mut body: Map<String, Value>| {
        body.entry("timestamp").or_insert_with(|| message::milliseconds(entry.at).into());
        body.insert("sn".into(), sn.into());
        body.insert("login".into(), login::brief(bot, &account));
        Value::Object(body).to_string()
    };
    let mut bodies = vec![match (raw_event, &frame) {
        (Some(raw_event), Some(frame)) => with_raw_event(text(body), raw_event, frame),
        _ => text(body),
    }];
    // A recall that came before its message has no entry of its own.
    if let EventSubject::Created(message) = &subject
        && message.recall.is_some()
    {
        bodies.push(text(of_change(bot, &account, view, message, "message-deleted", entry.at)?));
    }
    Ok(Some(SatoriEvent { account, bodies }))
}

/// The subject of an event.
enum EventSubject<'a> {
    Created(Message),
    Updated(Message),
    Notice(&'a Notice),
    Other,
}

impl<'a> EventSubject<'a> {
    /// `None` for a message that was deleted or hidden since, or that rechat sent.
    fn of(view: &View, entry: &'a BotEvent) -> Result<Option<Self>> {
        let has_raw_event = entry.raw_event.is_some();
        Ok(match &entry.entry {
            // A message that somebody wrote with the account in another program is sent as text.
            Some(EntryContent::Created { seq }) => view
                .readable(*seq)?
                .filter(|message| !message.is_hidden() && (has_raw_event || is_told(message)))
                .map(Self::Created),
            Some(EntryContent::Updated { seq }) => view.readable(*seq)?.map(Self::Updated),
            Some(EntryContent::Noticed(notice)) => Some(Self::Notice(notice)),
            _ => Some(Self::Other),
        })
    }

    /// The event without its head; `None` if there is nothing to send.
    fn body(
        &self,
        bot: &ConfiguredBot,
        account: &ServedAccount,
        view: &View,
        has_raw_event: bool,
        at: u64,
    ) -> Result<Option<Map<String, Value>>> {
        let internal = || {
            let mut body = Map::new();
            body.insert("type".into(), "internal".into());
            has_raw_event.then_some(body)
        };
        let of = |message, kind| of_message(bot, account, view, message, kind).map(Some);
        match self {
            Self::Created(message) => of(message, "message-created"),
            Self::Updated(changed) => {
                // An entry does not say which change it is, and a recall must not be missed.
                let kind = match changed.recall {
                    Some(_) => "message-deleted",
                    None if changed.edited_at.is_some_and(|edit| {
                        edit == changed.updated_at || edit.abs_diff(at) <= 1
                    }) =>
                    {
                        "message-updated"
                    }
                    None => return Ok(internal()),
                };
                of_change(bot, account, view, changed, kind, at).map(Some)
            }
            Self::Notice(notice) => Ok(of_notice(notice).or_else(internal)),
            Self::Other => Ok(internal()),
        }
    }
}

fn is_told(message: &Message) -> bool {
    let (platform, account) = (message.platform.as_deref(), message.account.as_deref());
    platform.zip(account).is_some_and(|(platform, account)| message.is_told_by(platform, account))
}

fn of_message(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    view: &View,
    told: &Message,
    kind: &str,
) -> Result<Map<String, Value>> {
    let mut body = message::resources(account, told);
    body.insert("type".into(), kind.into());
    body.insert("timestamp".into(), message::milliseconds(told.created_at).into());
    body.insert("message".into(), Value::Object(message::bare(bot, account, view, told)?));
    Ok(body)
}

/// A change of a message, at a time in Unix seconds.
fn of_change(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    view: &View,
    changed: &Message,
    kind: &str,
    at: u64,
) -> Result<Map<String, Value>> {
    let mut body = of_message(bot, account, view, changed, kind)?;
    body.insert("timestamp".into(), message::milliseconds(at).into());
    let by = changed.recall.as_ref().and_then(|recall| recall.by.as_ref()).map(message::user);
    body.extend(by.map(|by| ("operator".to_owned(), by)));
    Ok(body)
}

/// A notice in the form of the standard; `None` if the standard does not have it.
fn of_notice(notice: &Notice) -> Option<Map<String, Value>> {
    let kind = match notice.kind {
        NoticeKind::MemberJoined => "guild-member-added",
        NoticeKind::MemberLeft => "guild-member-removed",
        NoticeKind::MemberMuted | NoticeKind::MemberRenamed | NoticeKind::AdminChanged => {
            "guild-member-updated"
        }
        NoticeKind::FriendRequest => "friend-request",
        NoticeKind::JoinRequest => "guild-member-request",
        _ => return None,
    };
    let mut body = Map::new();
    body.insert("type".into(), kind.into());
    body.insert("timestamp".into(), message::milliseconds(notice.created_at).into());
    if let Some(conversation) = &notice.conversation {
        body.insert("channel".into(), channel(conversation, None));
        body.insert("guild".into(), guild(conversation, None).unwrap_or_default());
    }
    let user = notice.user.as_ref().map(message::user);
    if person_of(notice.conversation.as_deref().unwrap_or_default()).is_none()
        && kind.starts_with("guild-")
        && let Some(user) = &user
    {
        let mut member = json!({ "user": user });
        if notice.kind == NoticeKind::MemberRenamed {
            member["nick"] = json!(notice.text);
        }
        body.insert("member".into(), member);
    }
    body.extend(user.map(|user| ("user".to_owned(), user)));
    body.extend(notice.operator.as_ref().map(|by| ("operator".to_owned(), message::user(by))));
    if let Some(id) = notice.request {
        // The ID by which it is answered (resources/friend.md, "处理好友申请").
        body.insert("message".into(), json!({"id": id.to_string(), "content": notice.text}));
    }
    body.retain(|_, part| !part.is_null());
    Some(body)
}

/// Whether the bot's filter lets an event through.
fn passes(
    bot: &ConfiguredBot,
    account: &ServedAccount,
    subject: &EventSubject<'_>,
    frame: Option<&RawObject<'_>>,
) -> bool {
    let platform = account.platform.as_str();
    let text;
    let (conversation, person);
    let about = match subject {
        EventSubject::Created(message) | EventSubject::Updated(message) => {
            text = message.content.readable();
            FilterInput {
                platform,
                conversation: Some(&message.recipient),
                person: message.sender.as_ref().map(|sender| sender.id.as_str()),
                // Also for a message that changed: a bot may not read in a recall a text that its
                // filter hides.
                text: Some(&*text),
                mentions_me: message.content.mentions_me(),
            }
        }
        EventSubject::Notice(notice) => FilterInput {
            platform,
            conversation: notice.conversation.as_deref(),
            person: notice.user.as_ref().map(|user| user.id.as_str()),
            ..FilterInput::default()
        },
        EventSubject::Other => {
            conversation = frame.and_then(RawObject::conversation);
            person = frame.and_then(|frame| frame.id("user_id"));
            FilterInput {
                platform,
                conversation: conversation.as_deref(),
                person: person.as_deref(),
                ..FilterInput::default()
            }
        }
    };
    bot.config.load().filter.passes(&about)
}

/// An event with the raw event of the OneBot implementation (advanced/internal.md, "标准事件的扩展字段").
fn with_raw_event(body: String, raw_event: &StoredRawEvent, frame: &RawObject<'_>) -> String {
    let parts = ["post_type", "message_type", "notice_type", "request_type", "sub_type"];
    let name = parts.into_iter().filter_map(|part| frame.text(part)).collect::<Vec<_>>().join("/");
    let Some(mut event) = RawObject::parse(&body) else { return body };
    event.set("_type", &format!("onebot11/{name}"));
    if let Ok(data) = serde_json::from_str::<&RawValue>(&raw_event.frame) {
        event.set("_data", &data);
    }
    event.write()
}
