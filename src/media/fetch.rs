//! Fetching media from the addresses that platforms give, bounded in bytes and time.

use super::address::Allowed;
use super::blobs::Blobs;
use super::bounds::BlobRefused;
use super::decrypt::Decrypter;
use super::failure::FetchFailure;
use super::upload::Upload;
use super::web::{WebAnswer, WebClients};
use crate::adapter::{Fragments, MediaSource};
use crate::health;
use std::time::Duration;

/// Bytes that are collected before they are written.
const CHUNK_BYTES: usize = 256 << 10;

/// A client that downloads media.
#[derive(Clone, Debug)]
pub struct Fetcher {
    web: WebClients,
    blobs: Blobs,
    /// The longest time for one file.
    timeout: Duration,
}

impl Fetcher {
    /// A client that stores files in `blobs`, with at most `timeout` for each.
    pub fn new(allowed: Allowed, blobs: Blobs, timeout: Duration) -> Self {
        Self { web: WebClients::new(allowed, timeout), blobs, timeout }
    }

    /// Fetches an address. The returned upload is complete, and not stored yet.
    ///
    /// # Errors
    ///
    /// It cannot be fetched: the address is not allowed, the host or platform refuses, or it is too
    /// large; `FetchFailure` says which.
    pub async fn fetch(&self, address: &str) -> Result<Upload, FetchFailure> {
        self.check_room().await?;
        self.read(self.web.get(address).await?, None).await
    }

    /// Fetches a source that a platform gave; it may be encrypted.
    ///
    /// # Errors
    ///
    /// It cannot be fetched: the address is not allowed, the host or platform refuses, or it is too
    /// large; `FetchFailure` says which.
    pub async fn fetch_source(&self, source: MediaSource) -> Result<Upload, FetchFailure> {
        self.check_room().await?;
        match source {
            MediaSource::Bytes(bytes) => {
                let blobs = self.blobs.clone();
                on_thread(move || {
                    let mut upload = Upload::begin(&blobs)?;
                    upload.write(&bytes).map(|()| upload)
                })
                .await
            }
            MediaSource::Fragments(fragments) => {
                let gathered = tokio::time::timeout(self.timeout, self.gather(&fragments));
                gathered.await.unwrap_or_else(|_| Err(FetchFailure::passing("it took too long")))
            }
            MediaSource::Address { url, key, is_configured } => {
                let answer = if is_configured {
                    self.web.get_configured(&url).await?
                } else {
                    self.web.get(&url).await?
                };
                self.read(answer, key.map(Decrypter::new)).await
            }
        }
    }

    /// Checks first whether the file could be stored.
    async fn check_room(&self) -> Result<(), FetchFailure> {
        let blobs = self.blobs.clone();
        on_thread(move || blobs.check_quota(1)).await
    }

    /// A file in fragments, which must match the size and hash that were given.
    async fn gather(&self, told: &Fragments) -> Result<Upload, FetchFailure> {
        let max_bytes = self.blobs.bounds().max_bytes;
        if told.size > max_bytes {
            return Err(BlobRefused::TooLarge { max_bytes }.into());
        }
        let blobs = self.blobs.clone();
        let mut upload = on_thread(move || Upload::begin(&blobs)).await?;
        while upload.size() < told.size {
            let read = told.reader.read(upload.size(), told.size - upload.size()).await;
            let bytes = read.map_err(FetchFailure::passing)?;
            if bytes.is_empty() {
                return Err(FetchFailure::passing("its fragments end before the file does"));
            }
            upload = on_thread(move || upload.write(&bytes).map(|()| upload)).await?;
        }
        let hash = upload.hash().to_string();
        match &told.sha256 {
            Some(wanted) if !wanted.eq_ignore_ascii_case(&hash) => {
                Err(FetchFailure::passing("its fragments do not make the file that was told"))
            }
            _ => Ok(upload),
        }
    }

    async fn read(
        &self,
        mut answer: WebAnswer,
        mut decrypter: Option<Decrypter>,
    ) -> Result<Upload, FetchFailure> {
        let max_bytes = self.blobs.bounds().max_bytes;
        if answer.claimed_bytes().is_some_and(|bytes| bytes > max_bytes) {
            return Err(BlobRefused::TooLarge { max_bytes }.into());
        }
        let blobs = self.blobs.clone();
        let mut upload = on_thread(move || Upload::begin(&blobs)).await?;
        let mut gathered = Vec::new();
        loop {
            let chunk = answer.next().await?;
            let is_end = chunk.is_none();
            let chunk = chunk.unwrap_or_default();
            match &mut decrypter {
                Some(decrypter) => gathered.extend(decrypter.decrypt(&chunk)),
                None => gathered.extend_from_slice(&chunk),
            }
            if is_end && let Some(decrypter) = decrypter.take() {
                let wrong = || FetchFailure::lasting("the file cannot be decrypted");
                gathered.extend(decrypter.finish().ok_or_else(wrong)?);
            }
            if is_end || gathered.len() >= CHUNK_BYTES {
                let bytes = std::mem::take(&mut gathered);
                upload = on_thread(move || upload.write(&bytes).map(|()| upload)).await?;
            }
            if is_end {
                return Ok(upload);
            }
        }
    }
}

/// Runs work on a thread that serves no requests.
pub(super) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobRefused> + Send + 'static,
) -> Result<T, FetchFailure> {
    match health::blocking("media fetch", work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(FetchFailure::passing(format!("the file was not written: {error}"))),
    }
}

#[cfg(test)]
mod tests;
