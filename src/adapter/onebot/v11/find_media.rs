//! Asking for a picture, sound, video or file whose address is not told or does not hold any more.

use super::address::{Id, OneBot11Address};
use super::reading::{NamedFile, files};
use crate::adapter::api::{ActionError, MediaOf, MediaSource};
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::call::Calls;
use crate::adapter::onebot::common::requests::accepted;
use crate::model::inline::Inline;
use crate::model::message::MessageType;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Asks by each action that may know the file, until one tells where its bytes are.
pub(super) async fn find(calls: &Calls, media: &MediaOf) -> Result<MediaSource, ActionError> {
    let original: &RawValue =
        serde_json::from_str(&media.original).map_err(|_| ActionError::Unsupported)?;
    let file = files(original).into_iter().nth(media.index).ok_or(ActionError::Unsupported)?;
    let mut failed = ActionError::Unsupported;
    for (action, params) in actions(&file, &media.conversation) {
        match call(calls, action, params).await {
            Ok(answer) => match source(&answer, file.url.as_deref()) {
                Some(source) => return Ok(source),
                None => failed = ActionError::Refused(format!("`{action}` tells no bytes")),
            },
            Err(error @ ActionError::NotConnected) => return Err(error),
            Err(ActionError::Unsupported) => {}
            Err(error) => failed = error,
        }
    }
    match fetch_anew(calls, media, file.url.as_deref()).await {
        Some(url) => Ok(MediaSource::address(url)),
        None => Err(failed),
    }
}

/// The actions that tell of a file, the best first: `get_image` and `get_record` are of the
/// specification (api/public.md), the others of implementations.
fn actions(file: &NamedFile, conversation: &str) -> Vec<(&'static str, Value)> {
    let names = json!({"file": file.file, "file_id": file.file_id});
    let with = |key: &str, value: Value| {
        let mut names = names.clone();
        names[key] = value;
        names
    };
    match (file.message_type, &file.file_id) {
        (MessageType::Image, _) => vec![("get_image", names)],
        // A browser plays MP3, and not what QQ records.
        (MessageType::Audio, _) => vec![("get_record", with("out_format", json!("mp3")))],
        (MessageType::File, Some(id)) => {
            let by_address = match OneBot11Address::parse(conversation) {
                Some(OneBot11Address::Group { group_id }) => {
                    let busid = file.busid.unwrap_or_default();
                    let params = json!({"group_id": group_id, "file_id": id, "busid": busid});
                    Some(("get_group_file_url", params))
                }
                Some(OneBot11Address::Private { user_id }) => {
                    let params = json!({"user_id": user_id, "file_id": id});
                    Some(("get_private_file_url", params))
                }
                Some(OneBot11Address::Channel { .. }) | None => None,
            };
            by_address.into_iter().chain([("get_file", names)]).collect()
        }
        _ => vec![("get_file", names)],
    }
}

async fn call(calls: &Calls, name: &str, params: Value) -> Result<ActionResponse, ActionError> {
    let answer = calls.call(name, params, None).await;
    // An action that the implementation does not have (communication/ws.md).
    accepted(answer, |retcode| matches!(retcode, 404 | 1404))
}

/// Where an answer says that the bytes are; a path on the implementation's host is of no use, and
/// neither is the address that is known already.
fn source(answer: &ActionResponse, known: Option<&str>) -> Option<MediaSource> {
    let field = |name| answer.field(name).and_then(|field| field.text().map(str::to_owned));
    let bytes = |text: String| match Inline::decode(&text) {
        Some(decoded) => decoded.ok(),
        None => Inline::decode(&format!("base64://{text}"))?.ok(),
    };
    if let Some((_, bytes)) = field("base64").and_then(bytes)
        && !bytes.is_empty()
    {
        return Some(MediaSource::Bytes(bytes));
    }
    let is_web = |url: &String| url.starts_with("http://") || url.starts_with("https://");
    let url = ["url", "file"].into_iter().filter_map(field).find(is_web)?;
    (Some(&*url) != known).then(|| MediaSource::address(url))
}

/// A new address from the message itself (api/public.md, `get_msg`): those of QQ expire.
async fn fetch_anew(calls: &Calls, media: &MediaOf, known: Option<&str>) -> Option<String> {
    let params = json!({"message_id": Id::new(&media.external_id)});
    let answer = call(calls, "get_msg", params).await.ok()?;
    let message: GetMessageAnswer<'_> = answer.data()?;
    let url = files(message.message).into_iter().nth(media.index)?.url?;
    (Some(&*url) != known).then_some(url)
}

/// The answer to `get_msg`.
#[derive(serde::Deserialize)]
struct GetMessageAnswer<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(message: &Value) -> Vec<NamedFile> {
        let text = message.to_string();
        files(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn files_are_named_as_their_segments_do() {
        let segment = |kind: &str, data: Value| json!({"type": kind, "data": data});
        let found = named(&json!([
            segment("text", json!({"text": "a"})),
            segment("image", json!({"file": "A.png", "url": "https://x/a"})),
            segment("image", json!({"emoji_id": "1", "file": "sticker"})),
            segment("forward", json!({"content": [{"message": [segment("image", json!({}))]}]})),
            segment("file", json!({"file": "b.pdf", "file_id": "/f-1", "busid": 102})),
        ]));
        let [image, file] = &found[..] else { panic!("{found:?}") };
        assert_eq!(
            (image.message_type, image.file.as_deref()),
            (MessageType::Image, Some("A.png"))
        );
        let id = json!({"file": "A.png", "file_id": null});
        assert_eq!(actions(image, "group_7"), [("get_image", id)]);
        let in_group = json!({"group_id": 7, "file_id": "/f-1", "busid": 102});
        assert_eq!(actions(file, "group_7")[0], ("get_group_file_url", in_group));
        assert_eq!(actions(file, "private_5")[0].0, "get_private_file_url");
        assert_eq!(actions(file, "group_7")[1].0, "get_file");
        assert_eq!(named(&json!("hi [CQ:record,file=a.amr]"))[0].message_type, MessageType::Audio);
    }

    #[test]
    fn an_answer_tells_bytes_or_another_address_and_no_path() {
        let of = |data: &Value| {
            let data = RawValue::from_string(data.to_string()).ok();
            let answer =
                ActionResponse { status: "ok".into(), retcode: 0, data, text: String::new() };
            source(&answer, Some("https://old"))
        };
        let bytes = Some(MediaSource::Bytes(b"hi".to_vec()));
        assert_eq!(of(&json!({"file": "/tmp/a", "base64": "aGk="})), bytes);
        assert_eq!(of(&json!({"base64": "base64://aGk=", "url": "https://x"})), bytes);
        let address = Some(MediaSource::address("https://x"));
        assert_eq!(of(&json!({"file": "/tmp/a", "url": "https://x", "base64": ""})), address);
        assert_eq!(of(&json!({"url": "https://old"})), None);
        for path in ["/etc/passwd", "file:///etc/passwd", "C:\\a"] {
            assert_eq!(of(&json!({"file": path, "url": path})), None);
        }
    }
}
