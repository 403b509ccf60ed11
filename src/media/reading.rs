//! Media as adapters read them.

use super::blobs::Blobs;
use super::hash::Hash;
use crate::adapter::ReadMedia;
use std::io::{self, Read};

impl ReadMedia for Blobs {
    fn read(&self, sha256: &str, max_bytes: u64) -> Result<Vec<u8>, String> {
        let hash: Hash = sha256.parse()?;
        let mut file = self.open_blob(hash).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("its file `{sha256}` is not here any more"),
            _ => format!("its file `{sha256}` cannot be read: {error}"),
        })?;
        let mut bytes = Vec::new();
        let cannot = |error| format!("its file `{sha256}` cannot be read: {error}");
        file.by_ref().take(max_bytes).read_to_end(&mut bytes).map_err(cannot)?;
        if file.read(&mut [0]).map_err(cannot)? > 0 {
            return Err("its files are too large for this platform to be sent along".into());
        }
        Ok(bytes)
    }
}
