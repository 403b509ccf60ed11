//! Media of a server.

use super::Remote;
use crate::client::body::FileBody;
use crate::client::missing::{no_media, no_message};
use crate::client::parts;
use crate::error::Result;
use crate::media::{Hash, Upload};
use crate::model::message::Message;
use crate::protocol::http::{MediaList, MediaRemoved, Uploaded};
use bytes::Bytes;
use http_body_util::Either;
use hyper::Method;
use uuid::Uuid;

/// The path for uploading a file with this name.
fn upload_path(name: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(name.map(|name| ("name", name)));
    format!("/api/media?{}", query.finish())
}

impl Remote {
    pub(in crate::client) async fn media(&mut self, limit: u64) -> Result<MediaList> {
        self.0.get(&format!("/api/media?limit={limit}")).await
    }

    /// Stores a file; a large one is uploaded in parts.
    pub(in crate::client) async fn upload(
        &mut self,
        name: Option<&str>,
        file: FileBody,
    ) -> Result<Uploaded> {
        if file.left() > parts::PART_BYTES {
            return parts::upload(&mut self.0, name, file).await;
        }
        let path = upload_path(name);
        let mut request = self.0.request(Method::POST, &path, None::<&()>)?;
        *request.body_mut() = Either::Right(file);
        self.0.upload(request).await
    }

    pub(in crate::client) async fn download(
        &mut self,
        media: Hash,
        to: &mut Upload,
    ) -> Result<bool> {
        let request = self.0.request(Method::GET, &format!("/api/media/{media}"), None::<&()>)?;
        self.0.download(request, to).await
    }

    /// The bytes of a file, up to this number; `None` if it is not stored.
    pub(in crate::client) async fn media_bytes(
        &mut self,
        media: Hash,
        most: usize,
    ) -> Result<Option<Bytes>> {
        let request = self.0.request(Method::GET, &format!("/api/media/{media}"), None::<&()>)?;
        self.0.file(request, most).await
    }

    /// Makes the server fetch the missing files of a message.
    pub(in crate::client) async fn fetch_media(&mut self, id: Uuid) -> Result<Message> {
        let path = format!("/api/messages/{id}/media");
        let request = self.0.request(Method::POST, &path, None::<&()>)?;
        self.0.ask(request).await?.ok_or_else(|| no_message(id))
    }

    pub(in crate::client) async fn remove_media(&mut self, media: Hash) -> Result<MediaRemoved> {
        let request =
            self.0.request(Method::DELETE, &format!("/api/media/{media}"), None::<&()>)?;
        self.0.ask(request).await?.ok_or_else(|| no_media(media))
    }
}
