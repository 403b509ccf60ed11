//! Messages in the form of OneBot 11 (event/message.md, message/segment.md).

use crate::adapter::{cq_of_segments, segments_of_cq};
use crate::gateway::bot::ServedAccount;
use crate::gateway::conversation::{ConversationForm, person_of};
use crate::gateway::ids::Named;
use crate::gateway::shared::BotsShared;
use crate::model::content::{Content, Media, Segment};
use crate::model::message::{Direction, Message};
use crate::store::{Result, View};
use serde_json::{Map, Value, json};
use tokio::task::block_in_place;

/// The conversation of a group by its number.
pub(super) fn conversation_of_group(
    shared: &BotsShared,
    account: &ServedAccount,
    number: &str,
) -> String {
    let known = shared.ids.id(Named::Conversation, &account.platform, number);
    if known == number { ConversationForm::Group(number).to_string() } else { known }
}

/// The conversation with a person by their number.
pub(super) fn conversation_of_person(
    shared: &BotsShared,
    account: &ServedAccount,
    number: &str,
) -> String {
    let id = shared.ids.id(Named::Person, &account.platform, number);
    ConversationForm::Private(&id).to_string()
}

/// The number of a conversation that is not private.
pub(super) async fn group_number(
    shared: &BotsShared,
    account: &ServedAccount,
    conversation: &str,
) -> Result<i64> {
    let number = match ConversationForm::parse(conversation) {
        ConversationForm::Group(id) => id.parse::<i64>().ok(),
        _ => None,
    };
    match number {
        Some(number) if number > 0 => Ok(number),
        _ => shared.ids.number(Named::Conversation, &account.platform, conversation).await,
    }
}

/// The number of a person.
pub(super) async fn person_number(
    shared: &BotsShared,
    account: &ServedAccount,
    id: &str,
) -> Result<i64> {
    // If the platform speaks OneBot 11, numbers of any size are its own.
    match id.parse() {
        Ok(number) if shared.speaks_onebot11(&account.platform, &account.account) => Ok(number),
        _ => shared.ids.number(Named::Person, &account.platform, id).await,
    }
}

/// A message by the ID that a bot uses: the OneBot implementation's own ID, or the `seq`.
pub(super) fn find(
    view: &View,
    account: &ServedAccount,
    id: &str,
    is_native: bool,
) -> Result<Option<Message>> {
    if is_native {
        // This reads the newest messages.
        return block_in_place(|| view.by_external(&account.platform, &account.account, id));
    }
    let Ok(seq) = id.parse() else { return Ok(None) };
    Ok(view.readable(seq)?.filter(|message| account.has(message)))
}

/// The content of a message for another platform, with the platform's own IDs of people. The error
/// says which part cannot be sent.
pub(super) fn own_segments(
    shared: &BotsShared,
    account: &ServedAccount,
    content: &Content,
) -> std::result::Result<Content, String> {
    let mut segments = content.to_segments();
    for segment in &mut segments {
        match segment {
            Segment::Mention { user, .. } => {
                *user = shared.ids.id(Named::Person, &account.platform, user);
            }
            Segment::Image(media)
            | Segment::Audio(media)
            | Segment::Video(media)
            | Segment::File(media)
                if media.url.is_none() =>
            {
                return Err("a file must be given by its address (http:// or https://) or its \
                            bytes (base64://); a path of the bot's host is not read"
                    .into());
            }
            _ => {}
        }
    }
    Ok(Content::of(segments))
}

/// The fields of a message in events and in the answer to `get_msg`.
pub(super) async fn fields(
    shared: &BotsShared,
    account: &ServedAccount,
    view: &View,
    message: &Message,
) -> Result<Map<String, Value>> {
    let is_native = shared.speaks_onebot11(&account.platform, &account.account);
    let segments = segments(shared, account, view, message, is_native).await?;
    let id = match &message.external_id {
        Some(id) if is_native => id.parse::<i64>().map_or_else(|_| json!(id), |id| json!(id)),
        // The `seq` may be the ID of another message there.
        None if is_native => json!(0),
        _ => json!(message.seq),
    };
    let own = account.account.as_str();
    let sender = message.sender.as_ref();
    let sender_id = match message.direction {
        Direction::Inbound => sender.map_or("", |sender| sender.id.as_str()),
        Direction::Outbound => own,
    };
    let user = person_number(shared, account, sender_id).await?;
    let name = sender.map_or(sender_id, |sender| sender.name.as_str());
    let mut fields = Map::new();
    let is_private = person_of(&message.recipient).is_some();
    let raw_message = cq_of_segments(&segments.to_string());
    let kind = if is_private { "private" } else { "group" };
    let sub_type = if is_private { "friend" } else { "normal" };
    let mut person = json!({"user_id": user, "nickname": name});
    if !is_private {
        person["card"] = json!("");
        person["role"] = json!("member");
        let group = group_number(shared, account, &message.recipient).await?;
        fields.insert("group_id".into(), group.into());
        if let Some(name) = &message.conversation_name {
            fields.insert("group_name".into(), name.as_str().into());
        }
    }
    let rest = json!({
        "time": message.created_at, "message_type": kind, "sub_type": sub_type, "message_id": id,
        "user_id": user, "message": segments, "raw_message": raw_message, "font": 0,
        "sender": person, "message_format": "array",
    });
    if let Value::Object(rest) = rest {
        fields.extend(rest);
    }
    Ok(fields)
}

/// The segments of a message: as the platform wrote them, if it speaks OneBot 11.
async fn segments(
    shared: &BotsShared,
    account: &ServedAccount,
    view: &View,
    message: &Message,
    is_native: bool,
) -> Result<Value> {
    let original = message.original.as_deref().filter(|_| is_native);
    match original.and_then(|original| serde_json::from_str(original).ok()) {
        Some(Value::String(string)) => return Ok(segments_of_cq(&string)),
        Some(segments @ Value::Array(_)) => return Ok(segments),
        Some(segment @ Value::Object(_)) => return Ok(Value::Array(vec![segment])),
        _ => {}
    }
    let mut segments = Vec::new();
    if let Some(reply_to) = &message.reply_to {
        let id = match (is_native, &reply_to.external_id, reply_to.id) {
            (true, Some(id), _) => Some(json!(id)),
            (_, _, Some(id)) => view.seq_of(id)?.map(|seq| json!(seq.to_string())),
            _ => None,
        };
        segments.extend(id.map(|id| json!({"type": "reply", "data": {"id": id}})));
    }
    for segment in message.content.to_segments() {
        segments.push(written(shared, account, &segment).await?);
    }
    Ok(Value::Array(segments))
}

/// A segment in the form of OneBot 11, or as text if OneBot 11 does not have it.
async fn written(shared: &BotsShared, account: &ServedAccount, segment: &Segment) -> Result<Value> {
    let of = |kind: &str, data: Value| json!({"type": kind, "data": data});
    let file = |kind: &str, media: &Media| {
        let name = media.name.as_deref().or(media.url.as_deref()).unwrap_or_default();
        let mut data = json!({ "file": name });
        if let Some(url) = &media.url {
            data["url"] = json!(url);
        }
        if let Some(size) = media.size {
            data["file_size"] = json!(size.to_string());
        }
        of(kind, data)
    };
    Ok(match segment {
        Segment::Text { text } => of("text", json!({ "text": text })),
        Segment::Mention { user, name, me } => {
            let number =
                if *me { account.self_id } else { person_number(shared, account, user).await? };
            let mut data = json!({"qq": number.to_string()});
            if let Some(name) = name {
                data["name"] = json!(name);
            }
            of("at", data)
        }
        Segment::MentionAll {} => of("at", json!({"qq": "all"})),
        Segment::Image(media) => file("image", media),
        Segment::Audio(media) => file("record", media),
        Segment::Video(media) => file("video", media),
        Segment::File(media) => file("file", media),
        Segment::Location { latitude, longitude, title, address } => of(
            "location",
            json!({
                "lat": latitude.to_string(), "lon": longitude.to_string(), "title": title,
                "content": address,
            }),
        ),
        Segment::Card { title, text, url: Some(url), image } => {
            of("share", json!({"url": url, "title": title, "content": text, "image": image}))
        }
        other => {
            let words = Content::of(vec![other.clone()]).readable().into_owned();
            of("text", json!({ "text": words }))
        }
    })
}
