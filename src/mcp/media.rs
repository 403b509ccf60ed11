//! Files of messages for models: small pictures, other files whole or not at all.

use super::address;
use super::context::{AgentContext, SeenMessage};
use super::source::{Chats, Source};
use crate::error::{Error, Result};
use crate::health;
use crate::media::Hash;
use crate::media::sniff::{HEAD_BYTES, sniff};
use crate::media::thumbnail::preview;
use crate::model::message::Message;
use crate::text::in_units;
use bytes::Bytes;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// The most bytes of a picture that is read.
const MAX_READ: u64 = 32 << 20;

/// The most bytes of a file that is given unchanged.
const MAX_GIVEN: usize = 1 << 20;

/// The longer side in pixels up to which a picture is given unchanged.
const MAX_SIDE: u32 = 2048;

/// Types of pictures that models accept.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// Previews that are made at the same time; further ones wait.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// A file, or a small preview of it.
pub(super) struct ShownFile {
    pub(super) bytes: Bytes,
    /// Its media type, from its bytes.
    pub(super) mime: &'static str,
}

/// A file of a visible message, and the message; files are numbered from 1.
pub(super) async fn file<S: Source>(
    context: &AgentContext<S>,
    id: Uuid,
    number: usize,
) -> Result<(ShownFile, SeenMessage)> {
    let mut chats = context.read().await?;
    let message = context.message(&mut chats, id).await?;
    let media = number.checked_sub(1).and_then(|at| hashes(&message).into_iter().nth(at));
    match media {
        Some((_, Some(hash))) => Ok((read(&mut chats, hash).await?, message)),
        Some((_, None)) => {
            Err(Error::failed(format!("file {number} of message {id} is not kept here")))
        }
        None => Err(Error::failed(format!("message {id} has no file {number}"))),
    }
}

/// The first pictures of a message that can be shown, up to a number.
pub(super) async fn pictures(
    chats: &mut impl Chats,
    message: &Message,
    most: usize,
) -> Vec<ShownFile> {
    let mut found = Vec::new();
    let kept = hashes(message).into_iter().filter(|(kind, _)| *kind == "image");
    for hash in kept.filter_map(|(_, hash)| hash).take(most) {
        // A picture that cannot be shown is listed nevertheless; reading its resource gives the
        // reason.
        found.extend(read(chats, hash).await.ok().filter(|file| file.mime.starts_with("image/")));
    }
    found
}

/// The files of a message: their types, and the hashes of those that are stored.
fn hashes(message: &Message) -> Vec<(&'static str, Option<Hash>)> {
    let hash = |text: String| text.parse().ok();
    let media = address::media(message).into_iter();
    media.map(|(kind, media)| (kind, media.media.and_then(hash))).collect()
}

async fn read(chats: &mut impl Chats, hash: Hash) -> Result<ShownFile> {
    let bytes = chats.media(hash, MAX_READ).await?;
    let bytes = bytes.ok_or_else(|| Error::failed("this file is no longer stored"))?;
    shown(bytes).await
}

/// The file unchanged, or a small preview.
async fn shown(bytes: Bytes) -> Result<ShownFile> {
    let kind = sniff(&bytes[..bytes.len().min(HEAD_BYTES)]);
    let is_small = bytes.len() <= MAX_GIVEN;
    let fits = kind.size.is_some_and(|(width, height)| width.max(height) <= MAX_SIDE);
    if !kind.mime.starts_with("image/") {
        if !is_small {
            let size = in_units(bytes.len() as u64);
            let text = format!("this file has {size}; agents get files of up to 1 MB");
            return Err(Error::failed(text));
        }
        return Ok(ShownFile { bytes, mime: kind.mime });
    }
    if is_small && fits && PICTURES.contains(&kind.mime) {
        return Ok(ShownFile { bytes, mime: kind.mime });
    }
    let permit = AT_ONCE.acquire().await;
    let made = health::blocking("preview", move || {
        // The caller may be gone before the work ends.
        let _permit = permit;
        preview(&bytes)
    });
    let made = made.await;
    let made = made.map_err(|error| Error::failed(error.to_string()))?;
    let jpeg = made.map_err(|why| Error::failed(format!("this picture cannot be shown: {why}")))?;
    Ok(ShownFile { bytes: jpeg.into(), mime: "image/jpeg" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageFormat};
    use std::io::Cursor;

    fn png(side: u32) -> Bytes {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(side, side).write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner().into()
    }

    #[tokio::test]
    async fn small_pictures_stay_and_large_ones_become_small() {
        let small = shown(png(100)).await.unwrap();
        assert_eq!((small.bytes, small.mime), (png(100), "image/png"));
        let large = shown(png(3000)).await.unwrap();
        assert_eq!(large.mime, "image/jpeg");
        let read = image::load_from_memory(&large.bytes).unwrap();
        assert_eq!((read.width(), read.height()), (1024, 1024));
        assert!(large.bytes.len() <= MAX_GIVEN);
    }

    #[tokio::test]
    async fn other_files_are_given_whole_or_not_at_all() {
        let text = shown(Bytes::from_static(b"hello")).await.unwrap();
        assert_eq!(&*text.bytes, b"hello");
        let error = shown(vec![0; MAX_GIVEN + 1].into()).await.err().unwrap();
        assert!(error.to_string().contains("up to 1 MB"), "{error}");
        let mut bomb = png(3000).to_vec();
        bomb.truncate(200);
        assert!(shown(bomb.into()).await.is_err());
    }
}
