//! Copies of blobs.

use super::blobs::{Blobs, Stored};
use super::bounds::{BlobBounds, BlobRefused};
use super::hash::Hash;
use super::upload::Upload;
use std::io::{self, Read};
use std::path::Path;

/// Bytes that are read at once.
const BUFFER: usize = 256 << 10;

/// Copies every blob into another folder; existing ones stay. Returns the number of copied blobs.
///
/// # Errors
///
/// The disk refuses; what was copied until then stays.
pub fn copy_all(blobs: &Blobs, root: &Path) -> Result<u64, BlobRefused> {
    let target = Blobs::open(root, BlobBounds::NONE)?;
    let mut copied = 0;
    for Stored { hash, size, .. } in blobs.all()? {
        if target.find(hash)?.is_some_and(|there| there.size == size) {
            continue;
        }
        let mut upload = Upload::begin(&target)?;
        // It may be removed in the meantime.
        if !copy_blob(blobs, hash, &mut upload)? {
            continue;
        }
        upload.finish()?;
        copied += 1;
    }
    Ok(copied)
}

/// Copies a blob's bytes; false if it is not stored.
///
/// # Errors
///
/// The disk refuses, or there are too many bytes.
pub fn copy_blob(blobs: &Blobs, hash: Hash, to: &mut Upload) -> Result<bool, BlobRefused> {
    let mut file = match blobs.open_blob(hash) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(true),
            read => to.write(&buffer[..read])?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_every_blob() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().join("media"), BlobBounds::NONE).unwrap();
        Upload::put(&blobs, b"a").unwrap();
        Upload::put(&blobs, b"b").unwrap();
        let to = folder.path().join("copy");
        assert_eq!(copy_all(&blobs, &to).unwrap(), 2);
        assert_eq!(copy_all(&blobs, &to).unwrap(), 0);
        let mut hashes = Blobs::open(&to, BlobBounds::NONE).unwrap().all().unwrap();
        let mut originals = blobs.all().unwrap();
        hashes.sort_by_key(|stored| stored.hash);
        originals.sort_by_key(|stored| stored.hash);
        let names = |all: &[Stored]| all.iter().map(|stored| stored.hash).collect::<Vec<_>>();
        assert_eq!(names(&hashes), names(&originals));
    }
}
