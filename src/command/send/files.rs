//! Files of this host that go along with a message: uploaded first, then named in its segments.

use crate::client::Client;
use crate::client::file::{OpenFile, segment};
use crate::command::progress::progress;
use crate::error::Result;
use crate::model::content::{Media, Segment};
use crate::model::message::MessageType;
use crate::protocol::http::NewMessage;

/// The files of a message, and the indexes of their segments.
#[derive(Default)]
pub(super) struct AttachedFiles(Vec<(OpenFile, usize)>);

impl AttachedFiles {
    /// Adds a file, of a type that is given or else told by its bytes; gives its segment, which
    /// names it once it is uploaded.
    pub(super) fn add(
        &mut self,
        file: OpenFile,
        given: Option<MessageType>,
        index: usize,
    ) -> Segment {
        let message_type = given.unwrap_or(file.message_type);
        let name = Some(file.name.clone());
        self.0.push((file, index));
        segment(message_type, Media { name, media: Some(String::new()), ..Media::default() })
    }

    /// Uploads them, and names them in the message.
    pub(super) async fn upload(self, client: &mut Client, message: &mut NewMessage) -> Result<()> {
        let bar = progress(Some(self.0.iter().map(|(file, _)| file.bytes).sum()), "bytes");
        for (file, index) in self.0 {
            let (shown, name) = (bar.clone(), file.name.clone());
            let body = file.into_body(move |sent| shown.inc(sent));
            let uploaded = client.upload(Some(&name), body).await;
            let uploaded = uploaded.inspect_err(|_| bar.finish_and_clear())?;
            let segments = message.segments.as_mut();
            let segment = segments.and_then(|segments| segments.get_mut(index));
            if let Some((_, media)) = segment.and_then(Segment::media_mut) {
                media.media = Some(uploaded.media);
            }
        }
        bar.finish_and_clear();
        Ok(())
    }
}
