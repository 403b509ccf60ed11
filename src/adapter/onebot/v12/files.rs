//! Files of OneBot 12 (interface/file/actions.md): uploaded before they are sent, and asked for by
//! their IDs.

use super::action::{UploadFile, name_of, upload_failed};
use super::bot::ConnectedBot;
use super::segment::file_ids;
use crate::adapter::api::{
    ActionError, Delivery, FragmentReading, Fragments, MediaOf, MediaSource, ReadFragments,
};
use crate::adapter::onebot::common::answer::ActionResponse;
use crate::adapter::onebot::common::call::NoAnswer;
use crate::adapter::onebot::common::media::ByteSource;
use crate::adapter::onebot::common::requests::accepted;
use crate::model::content::Media;
use crate::model::inline::Inline;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

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
        let sha256 = HEXLOWER.encode(&Sha256::digest(&bytes));
        Ok(self.fragment(json!({"stage": "finish", "file_id": id, "sha256": sha256})).await)
    }

    async fn fragment(&self, params: Value) -> ActionResult {
        self.call("upload_file_fragmented", params).await
    }

    /// `get_file`, for an address and else for the bytes; where it gives neither,
    /// `get_file_fragmented`.
    pub(super) async fn find_file(
        self: &Arc<Self>,
        media: &MediaOf,
    ) -> Result<MediaSource, ActionError> {
        let original: &RawValue =
            serde_json::from_str(&media.original).map_err(|_| ActionError::Unsupported)?;
        let id = file_ids(original).into_iter().nth(media.index).flatten();
        let id = id.ok_or(ActionError::Unsupported)?;
        let by_address = self.get_file(&id, "url").await;
        if let Ok(answer) = &by_address
            && let Some(url) = answer.field("url").as_ref().and_then(|url| url.text())
            // The headers that go with the request may be a secret of the implementation.
            && !has_headers(answer)
        {
            return Ok(MediaSource::address(url));
        }
        let whole = self.get_file(&id, "data").await;
        let why = match whole.map(|answer| data_of(&answer)) {
            Ok(Some(bytes)) => return Ok(MediaSource::Bytes(bytes)),
            Ok(None) => ActionError::Refused("the answer of `get_file` has no data".into()),
            Err(error @ ActionError::NotConnected) => return Err(error),
            Err(error) => error,
        };
        match self.prepare(&id).await {
            Ok(fragments) => Ok(MediaSource::Fragments(fragments)),
            Err(ActionError::Unsupported) => Err(why),
            Err(error) => Err(error),
        }
    }

    /// The first stage of `get_file_fragmented`, which tells how large the file is.
    async fn prepare(self: &Arc<Self>, id: &str) -> Result<Fragments, ActionError> {
        let params = json!({"stage": "prepare", "file_id": id});
        let answer = self.call("get_file_fragmented", params).await;
        let answer = accepted(answer, |retcode| retcode == UNSUPPORTED)?;
        let told: Value = answer.data().unwrap_or_default();
        let size = told["total_size"].as_u64().filter(|size| *size > 0);
        let size = size.ok_or_else(|| {
            ActionError::Refused("the answer of `get_file_fragmented` has no `total_size`".into())
        })?;
        let sha256 = told["sha256"].as_str().filter(|hash| !hash.is_empty()).map(str::to_owned);
        let reader = Arc::new(FileFragments { bot: Arc::clone(self), id: id.to_owned() });
        Ok(Fragments { size, sha256, reader })
    }

    async fn get_file(&self, id: &str, form: &str) -> Result<ActionResponse, ActionError> {
        let answer = self.call("get_file", json!({"file_id": id, "type": form})).await;
        accepted(answer, |retcode| retcode == UNSUPPORTED)
    }
}

/// A file of an implementation that gives it in fragments.
struct FileFragments {
    bot: Arc<ConnectedBot>,
    id: String,
}

impl ReadFragments for FileFragments {
    /// The second stage of `get_file_fragmented`.
    fn read(&self, offset: u64, bytes: u64) -> FragmentReading<'_> {
        let size = bytes.min(FRAGMENT_BYTES as u64);
        let params =
            json!({"stage": "transfer", "file_id": self.id, "offset": offset, "size": size});
        Box::pin(async move {
            let answer = self.bot.call("get_file_fragmented", params).await;
            let answer = accepted(answer, |_| false).map_err(|error| error.to_string())?;
            let bytes = data_of(&answer).ok_or("`get_file_fragmented` tells no bytes")?;
            if bytes.len() as u64 > size {
                return Err(format!(
                    "a fragment has more than the {size} bytes that were asked for"
                ));
            }
            Ok(bytes)
        })
    }
}

/// The bytes in an answer, where there are any.
fn data_of(answer: &ActionResponse) -> Option<Vec<u8>> {
    let data = answer.field("data")?.text().map(str::to_owned)?;
    let (_, bytes) = Inline::decode(&format!("base64://{data}"))?.ok()?;
    Some(bytes).filter(|bytes| !bytes.is_empty())
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
