//! All messages that match, as lines of JSON, in any number.

use crate::error::{Error, Result};
use crate::model::message::Message;
use crate::protocol::http::TransferRecord;
use crate::store::{self, MessageFilter, View};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::sync::Arc;

/// Messages of an export, the oldest first.
pub enum Export {
    /// From a server.
    Remote(Incoming),
    /// From the store itself; an error about the first damaged message comes at the end.
    Local(Box<dyn Iterator<Item = store::Result<Message>>>, Option<store::StoreError>),
}

impl Export {
    pub(super) fn of_view(view: &Arc<View>, filter: &MessageFilter) -> Result<Self> {
        let filter = filter.clone();
        let is_wanted = move |message: &store::Result<Message>| {
            message.as_ref().map_or(true, |message| filter.matches(message))
        };
        Ok(Self::Local(Box::new(view.after(0)?.filter(is_wanted)), None))
    }

    /// The next bytes of lines; `None` at the end.
    ///
    /// # Errors
    ///
    /// The export ends early: the server has gone, or the store cannot be read.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        match self {
            Self::Remote(body) => loop {
                let Some(frame) = body.frame().await else { return Ok(None) };
                let frame = frame.map_err(|error| {
                    Error::failed(format!("the export ended too early: {error}"))
                        .hint("what was written is incomplete; the log of the server says why")
                })?;
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            },
            Self::Local(messages, damage) => loop {
                let message = match messages.next() {
                    Some(Err(error @ store::StoreError::Damaged(_))) => {
                        damage.get_or_insert(error);
                        continue;
                    }
                    Some(message) => message?,
                    None => return damage.take().map_or(Ok(None), |error| Err(error.into())),
                };
                let mut line = serde_json::to_vec(&TransferRecord::from(message))
                    .map_err(|error| Error::failed(error.to_string()))?;
                line.push(b'\n');
                return Ok(Some(line.into()));
            },
        }
    }
}
