//! SHA-256 of a blob (FIPS 180-4), written as 64 hex digits.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

/// SHA-256 of a blob.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub(super) [u8; 32]);

/// Bytes that are read at once.
const BUFFER: usize = 256 << 10;

impl Hash {
    /// The hash of all bytes up to the end. Waits for the disk.
    ///
    /// # Errors
    ///
    /// The bytes cannot be read.
    pub fn of(bytes: &mut impl Read) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            match bytes.read(&mut buffer)? {
                0 => return Ok(hasher.into()),
                read => hasher.update(&buffer[..read]),
            }
        }
    }
}

impl From<Sha256> for Hash {
    fn from(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok()).map(Self);
        bytes.ok_or_else(|| format!("`{text}` is no SHA-256; give 64 hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_elsewhere_is_no_hash() {
        for text in ["", "../../etc/passwd", &"é".repeat(32), &"g".repeat(64), &"+f".repeat(32)] {
            assert!(text.parse::<Hash>().is_err(), "{text}");
        }
        let hash: Hash = "0AbC".repeat(16).parse().unwrap();
        assert_eq!(hash.to_string(), "0abc".repeat(16));
    }
}
