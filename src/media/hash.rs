//! SHA-256 of a blob (FIPS 180-4), written as 64 hex digits.

use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

/// SHA-256 of a blob.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub(super) [u8; 32]);

/// Bytes that are read at a time.
const BUFFER: usize = 256 << 10;

impl Hash {
    /// The hash of what is read until the end. Waits for the disk.
    ///
    /// # Errors
    ///
    /// The bytes cannot be read.
    pub fn of(bytes: &mut impl Read) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            match bytes.read(&mut buffer)? {
                0 => return Ok(Self(hasher.finalize().into())),
                read => hasher.update(&buffer[..read]),
            }
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(format!("`{text}` is no SHA-256; give 64 hex digits"));
        }
        let value = |digit: u8| (digit as char).to_digit(16).unwrap_or_default() as u8;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = value(pair[0]) << 4 | value(pair[1]);
        }
        Ok(Self(bytes))
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
