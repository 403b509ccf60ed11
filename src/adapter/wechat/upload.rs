//! Sending a file: encrypted, put on the platform's file servers, and referred to by an item.

use super::account::RunningAccount;
use super::call_failure::CallFailure;
use super::crypto::{AesKey, encrypt, new_key};
use super::hosts::{may_send_to, without_query};
use super::http::HttpCall;
use super::json::text;
use crate::adapter::api::cut;
use crate::health;
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use form_urlencoded::byte_serialize;
use hyper::Method;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::time::Duration;

/// How often a file is put, where the servers fail.
const ATTEMPTS: u32 = 3;

/// How long putting a file may take; the attempt to send the message may end before.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(2);

/// The most bytes of the answer to a file that was put.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// A file to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) kind: UploadKind,
    pub(super) name: String,
    pub(super) bytes: Bytes,
}

/// How a file is shown. Sounds are sent as files: the platform takes them as voices, and never
/// shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UploadKind {
    Image,
    Video,
    Other,
}

impl UploadKind {
    /// The number of the kind in a request for an upload; not that of the item.
    pub(super) fn media_type(self) -> u8 {
        match self {
            Self::Image => 1,
            Self::Video => 2,
            Self::Other => 3,
        }
    }
}

/// Why a part was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotUploaded {
    /// A call of the interface failed.
    Call(CallFailure),
    /// The file servers refused it for good.
    Final(String),
    /// The file servers failed.
    Retryable(String),
    /// The account stops; nothing of the part was sent to the person.
    Stopped,
}

/// Puts a file, and gives the item that refers to it.
pub(super) async fn upload(
    account: &RunningAccount,
    to: &str,
    file: &File,
) -> Result<Value, NotUploaded> {
    let key = new_key().map_err(NotUploaded::Retryable)?;
    let file_key = HEXLOWER.encode(&new_key().map_err(NotUploaded::Retryable)?);
    let (encrypted, md5) = encrypted(file.bytes.clone(), key).await?;
    let request = json!({
        "filekey": file_key,
        "media_type": file.kind.media_type(),
        "to_user_id": to,
        "rawsize": file.bytes.len(),
        "rawfilemd5": md5,
        "filesize": encrypted.len(),
        "no_need_thumb": true,
        "aeskey": HEXLOWER.encode(&key),
    });
    let mut answer = account.api.upload_url(&account.session, request.clone()).await;
    if let Err(CallFailure::Ended(ended)) = answer {
        account.take_up_session(ended).await.map_err(NotUploaded::Call)?;
        let again = account.api.upload_url(&account.session, request).await;
        answer = again.map_err(CallFailure::of_living_session);
    }
    let answer = answer.map_err(no_address)?;
    let url = match (text(&answer, "upload_full_url"), text(&answer, "upload_param")) {
        (Some(url), _) => told_address(account, url)?,
        (None, Some(parameter)) => {
            let parameter: String = byte_serialize(parameter.as_bytes()).collect();
            let cdn = &account.cdn;
            format!("{cdn}/upload?encrypted_query_param={parameter}&filekey={file_key}")
        }
        (None, None) => {
            return Err(NotUploaded::Retryable("WeChat gives no address for the file".into()));
        }
    };
    let size = encrypted.len();
    let reference = put(account, &url, encrypted).await?;
    Ok(item(file, &key, size, &reference))
}

/// The bytes as they are put, and the hash of what they were; made beside the poll, which would
/// otherwise wait for it.
async fn encrypted(bytes: Bytes, key: AesKey) -> Result<(Bytes, String), NotUploaded> {
    let made = health::blocking("wechat upload", move || {
        (encrypt(&key, &bytes).into(), HEXLOWER.encode(&Md5::digest(&bytes)))
    });
    made.await.map_err(|error| NotUploaded::Retryable(error.to_string()))
}

/// Why there is no address to put a file at. Nothing was sent to a person yet, whatever became of the
/// call; and the code that means a limit elsewhere is for good here (facts, section 3).
fn no_address(failure: CallFailure) -> NotUploaded {
    NotUploaded::Call(match failure {
        CallFailure::Limited(limit) => {
            let reason = format!("WeChat takes no files for this account ({limit})");
            return NotUploaded::Final(reason);
        }
        CallFailure::Unknown(reason) | CallFailure::Unreadable(reason) => {
            CallFailure::NotSent(reason)
        }
        CallFailure::Late => CallFailure::NotSent(CallFailure::Late.reason().to_owned()),
        failure => failure,
    })
}

/// The address that the platform told for a file, where the file may go there.
fn told_address(account: &RunningAccount, told: &str) -> Result<String, NotUploaded> {
    let configured = [&*account.cdn, &*account.login.base];
    if configured.into_iter().any(|configured| may_send_to(told, configured)) {
        return Ok(told.to_owned());
    }
    Err(NotUploaded::Final(format!(
        "WeChat names `{}` for the file, which is neither a configured address nor a public one with \
         https; the file is not sent there",
        cut(without_query(told))
    )))
}

/// Puts the bytes; gives the reference to them.
async fn put(account: &RunningAccount, url: &str, bytes: Bytes) -> Result<String, NotUploaded> {
    let mut reason = String::new();
    for _ in 0..ATTEMPTS {
        let call = HttpCall {
            method: Method::POST,
            url: url.to_owned(),
            headers: Vec::new(),
            media_type: "application/octet-stream",
            body: bytes.clone(),
            limit: UPLOAD_TIMEOUT,
            max_bytes: MAX_ANSWER_BYTES,
        };
        let answer = match account.api.http.send(call).await {
            Ok(answer) => answer,
            Err(none) => {
                reason = none.reason();
                continue;
            }
        };
        let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
        if answer.status.is_client_error() {
            let refusal = cut(header("x-error-message").unwrap_or("no reason is given"));
            let status = answer.status;
            return Err(NotUploaded::Final(format!(
                "WeChat's file server refused the file: {refusal} ({status})"
            )));
        }
        match header("x-encrypted-param") {
            Some(reference) if answer.status.is_success() => return Ok(reference.to_owned()),
            _ => reason = format!("it answered {} without a reference", answer.status),
        }
    }
    Err(NotUploaded::Retryable(format!("WeChat's file server did not take the file: {reason}")))
}

/// The item for a file. The key goes as the base64 of its hex digits: with that of its bytes the
/// file arrives and does not open.
fn item(file: &File, key: &AesKey, size: usize, reference: &str) -> Value {
    let media = json!({
        "encrypt_query_param": reference,
        "aes_key": BASE64_STANDARD.encode(HEXLOWER.encode(key)),
        "encrypt_type": 1,
    });
    match file.kind {
        UploadKind::Image => {
            json!({"type": 2, "image_item": {"media": media, "mid_size": size}})
        }
        UploadKind::Video => json!({"type": 5, "video_item": {"media": media, "video_size": size}}),
        UploadKind::Other => json!({"type": 4, "file_item": {
            "media": media,
            "file_name": file.name,
            "len": file.bytes.len().to_string(),
        }}),
    }
}
