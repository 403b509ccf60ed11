//! Files that come in: where they lie, and the key that opens them.

use super::crypto::{AesKey, key_of_hex};
use super::json::{number, text};
use crate::adapter::api::{ActionError, MediaOf, MediaSource};
use base64::prelude::{BASE64_STANDARD, Engine};
use form_urlencoded::byte_serialize;
use serde_json::Value;

/// Where a picture, voice, video or file of a message lies. Links expire after some days.
pub(super) fn find_media(media: &MediaOf, cdn: &str) -> Result<MediaSource, ActionError> {
    let items: Vec<Value> =
        serde_json::from_str(&media.original).map_err(|_| ActionError::Unsupported)?;
    let files = items.iter().filter_map(file_of);
    let file = files.into_iter().nth(media.index).ok_or(ActionError::Unsupported)?;
    source(file, cdn).ok_or(ActionError::Unsupported)
}

/// The part of an item that tells of its file.
fn file_of(item: &Value) -> Option<&Value> {
    let name = match number(item, "type")? {
        2 => "image_item",
        3 => "voice_item",
        4 => "file_item",
        5 => "video_item",
        _ => return None,
    };
    Some(item.get(name).unwrap_or(&Value::Null))
}

fn source(file: &Value, cdn: &str) -> Option<MediaSource> {
    let media = file.get("media")?;
    let key = match (text(file, "aeskey"), text(media, "aes_key")) {
        (Some(digits), _) => Some(key_of_hex(digits)?),
        (None, Some(encoded)) => Some(decoded_key(encoded)?),
        (None, None) => None,
    };
    if let Some(url) = text(media, "full_url") {
        return Some(MediaSource::Address { url: url.to_owned(), key, is_configured: false });
    }
    let parameter: String =
        byte_serialize(text(media, "encrypt_query_param")?.as_bytes()).collect();
    let url = format!("{cdn}/download?encrypted_query_param={parameter}");
    Some(MediaSource::Address { url, key, is_configured: true })
}

/// A key in base64: its bytes, or their hexadecimal digits.
fn decoded_key(encoded: &str) -> Option<AesKey> {
    let bytes = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    match AesKey::try_from(&*bytes) {
        Ok(key) => Some(key),
        Err(_) => key_of_hex(std::str::from_utf8(&bytes).ok()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CDN: &str = "https://cdn/c2c";

    fn found(items: &Value, index: usize) -> Result<MediaSource, ActionError> {
        let of = MediaOf {
            conversation: "private_u".into(),
            external_id: "1".into(),
            original: items.to_string(),
            index,
        };
        find_media(&of, CDN)
    }

    #[test]
    fn each_form_of_address_and_key_is_read() {
        let key: AesKey = std::array::from_fn(|at| at as u8);
        let digits = "000102030405060708090a0b0c0d0e0f";
        let of_digits = BASE64_STANDARD.encode(digits);
        let of_bytes = BASE64_STANDARD.encode(key);
        let media = |key: &str| json!({"encrypt_query_param": "a b&c", "aes_key": key});
        let items = json!([
            {"type": 1, "text_item": {"text": "look"}},
            {"type": 2, "image_item": {"media": media(&of_digits)}},
            {"type": 4, "file_item": {"media": media(&of_bytes)}},
            {"type": 2, "image_item": {"aeskey": digits, "media": {"full_url": "https://x/y"}}},
            {"type": 5, "video_item": {"media": {"encrypt_query_param": "p"}}},
            {"type": 2, "image_item": {"media": media("!")}},
            {"type": 3},
        ]);
        let url = format!("{CDN}/download?encrypted_query_param=a+b%26c");
        let ours = Ok(MediaSource::Address { url, key: Some(key), is_configured: true });
        assert_eq!((found(&items, 0), found(&items, 1)), (ours.clone(), ours));
        let url = "https://x/y".to_owned();
        let theirs = MediaSource::Address { url, key: Some(key), is_configured: false };
        assert_eq!(found(&items, 2), Ok(theirs));
        let url = format!("{CDN}/download?encrypted_query_param=p");
        let plain = MediaSource::Address { url, key: None, is_configured: true };
        assert_eq!(found(&items, 3), Ok(plain));
        for nothing in 4..7 {
            assert_eq!(found(&items, nothing), Err(ActionError::Unsupported));
        }
    }
}
