//! Files of OneBot 12 (interface/file/actions.md): uploaded before they are sent, and asked for by
//! their IDs.

use super::action::{UploadFile, name_of, upload_failed};
use super::bot::ConnectedBot;
use super::segment::file_ids;
use crate::adapter::api::{ActionError, Delivery, MediaOf, MediaSource};
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::call::NoAnswer;
use crate::adapter::onebot::common::media::ByteSource;
use crate::adapter::onebot::common::requests::accepted;
use crate::model::content::Media;
use crate::model::inline::Inline;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Bytes of a file from which on it goes in fragments, and of each fragment.
const FRAGMENT_BYTES: usize = 1 << 20;

/// The retcode of an action that the implementation does not have
/// (connect/data-protocol/action-response.md).
const UNSUPPORTED: i64 = 10_002;

type ActionResult = Result<ActionResponse, NoAnswer>;

impl ConnectedBot {
    /// Uploads a file, and gives its ID.
    pub(super) async fn upload(&self, media: &Media) -> Result<String, Delivery> {
        let source = ByteSource::of(media)
            .map_err(|reason| Delivery::Refused { reason, retryable: false })?;
        let answer = match &source {
            ByteSource::Data { base64, .. } if base64.len() / 4 * 3 > FRAGMENT_BYTES => {
                let answer = self.upload_in_fragments(&name_of(&source, media), base64).await?;
                match &answer {
                    Ok(refused) if refused.retcode == UNSUPPORTED => {
                        self.call("upload_file", UploadFile::new(&source, media)).await
                    }
                    _ => answer,
                }
            }
            _ => self.call("upload_file", UploadFile::new(&source, media)).await,
        };
        file_id(&answer).ok_or_else(|| upload_failed(&answer))
    }

    /// `upload_file_fragmented`: gives the answer to its last stage, or to the first that failed.
    async fn upload_in_fragments(
        &self,
        name: &str,
        base64: &str,
    ) -> Result<ActionResult, Delivery> {
        let unreadable = |reason| Delivery::Refused { reason, retryable: false };
        let decoded = Inline::decode(&format!("base64://{base64}"))
            .unwrap_or_else(|| Err("there are no bytes".into()));
        let (_, bytes) = decoded.map_err(unreadable)?;
        let begin = json!({"stage": "prepare", "name": name, "total_size": bytes.len()});
        let answer = self.fragment(begin).await;
        let Some(id) = file_id(&answer) else { return Ok(answer) };
        for (index, part) in bytes.chunks(FRAGMENT_BYTES).enumerate() {
            let (offset, data) = (index * FRAGMENT_BYTES, STANDARD.encode(part));
            let part = json!({"stage": "transfer", "file_id": id, "offset": offset, "data": data});
            let answer = self.fragment(part).await;
            if !answer.as_ref().is_ok_and(ActionResponse::is_accepted) {
                return Ok(answer);
            }
        }
        let sha256 = Sha256::digest(&bytes).iter().fold(String::new(), |mut hex, byte| {
            // Writing into a text never fails.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Ok(self.fragment(json!({"stage": "finish", "file_id": id, "sha256": sha256})).await)
    }

    async fn fragment(&self, params: Value) -> ActionResult {
        self.call("upload_file_fragmented", params).await
    }

    /// `get_file`, for an address and else for the bytes.
    pub(super) async fn find_file(&self, media: &MediaOf) -> Result<MediaSource, ActionError> {
        let original: &RawValue =
            serde_json::from_str(&media.original).map_err(|_| ActionError::Unsupported)?;
        let id = file_ids(original).into_iter().nth(media.place).flatten();
        let id = id.ok_or(ActionError::Unsupported)?;
        let by_address = self.get_file(&id, "url").await;
        if let Ok(answer) = &by_address
            && let Some(url) = answer.field("url").as_ref().and_then(|url| url.text())
            // The headers that go with the request may be a secret of the implementation.
            && !has_headers(answer)
        {
            return Ok(MediaSource::address(url));
        }
        let answer = self.get_file(&id, "data").await?;
        let data = answer.field("data").and_then(|data| data.text().map(str::to_owned));
        let decoded = data.and_then(|data| Inline::decode(&format!("base64://{data}")));
        match decoded {
            Some(Ok((_, bytes))) if !bytes.is_empty() => Ok(MediaSource::Bytes(bytes)),
            _ => Err(ActionError::Refused("`get_file` tells no bytes".into())),
        }
    }

    async fn get_file(&self, id: &str, form: &str) -> Result<ActionResponse, ActionError> {
        let answer = self.call("get_file", json!({"file_id": id, "type": form})).await;
        accepted(answer, |retcode| retcode == UNSUPPORTED)
    }
}

fn file_id(answer: &ActionResult) -> Option<String> {
    let field = answer.as_ref().ok()?.field("file_id")?;
    field.text().map(str::to_owned)
}

fn has_headers(answer: &ActionResponse) -> bool {
    let data: Option<Value> = answer.data();
    let headers = data.as_ref().and_then(|data| data.get("headers")?.as_object());
    headers.is_some_and(|headers| !headers.is_empty())
}
