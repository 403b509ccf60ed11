//! Access of adapters to media.

use super::blobs::Blobs;
use super::hash::Hash;
use super::sign::Signer;
use crate::adapter::ReadMedia;
use crate::clock::now;
use std::io::{self, Read};

/// Media for adapters: bytes, and addresses at which implementations of platforms fetch large files.
#[derive(Clone, Debug)]
pub struct AdapterMedia {
    /// The files that are kept here.
    pub blobs: Blobs,
    /// Signs the addresses under which files are read without a token.
    pub signer: Signer,
    /// The address of this server for implementations of platforms, such as `http://192.168.1.5:8080`.
    pub url: Option<String>,
}

impl ReadMedia for AdapterMedia {
    fn read(&self, sha256: &str, max_bytes: u64) -> Result<Vec<u8>, String> {
        let hash: Hash = sha256.parse()?;
        let mut file = self.blobs.open_blob(hash).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("its file `{sha256}` is not here any more"),
            _ => format!("its file `{sha256}` cannot be read: {error}"),
        })?;
        let mut bytes = Vec::new();
        let cannot = |error| format!("its file `{sha256}` cannot be read: {error}");
        file.by_ref().take(max_bytes).read_to_end(&mut bytes).map_err(cannot)?;
        if file.read(&mut [0]).map_err(cannot)? > 0 {
            return Err("its files are too large to be sent along; with `media.url` in the \
                        configuration the implementation fetches them here"
                .into());
        }
        Ok(bytes)
    }

    fn path(&self, sha256: &str) -> Option<String> {
        let hash: Hash = sha256.parse().ok()?;
        self.blobs.open_blob(hash).ok()?;
        Some(format!("{}/{hash}", &hash.to_string()[..2]))
    }

    fn address(&self, sha256: &str) -> Option<String> {
        let (url, hash) = (self.url.as_ref()?, sha256.parse().ok()?);
        self.blobs.open_blob(hash).ok()?;
        Some(format!("{}{}", url.trim_end_matches('/'), self.signer.sign(hash, now())))
    }
}
