//! Signed addresses of media with a time limit, for clients without a token: implementations of platforms,
//! and browsers that load a picture or a video.

use super::hash::Hash;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use subtle::ConstantTimeEq;

/// Seconds for which an address is valid.
const VALID_SECONDS: u64 = 60 * 60;

/// Signs addresses, with a new key at each start, or with one that all nodes of a cluster have.
#[derive(Clone, Debug)]
pub struct Signer {
    key: [u8; 16],
}

impl Signer {
    /// A signer with a random key.
    ///
    /// # Errors
    ///
    /// The system gives no random numbers.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 16];
        getrandom::fill(&mut key)?;
        Ok(Self { key })
    }

    /// A signer with a key that other servers have, too: each takes the addresses of the others.
    pub fn with_key(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// The path and query of a blob, valid for an hour from `now` (Unix seconds).
    pub fn sign(&self, hash: Hash, now: u64) -> String {
        let (until, signature) = self.signature_at(hash, now);
        format!("/media/{hash}?until={until}&sig={signature}")
    }

    /// The end of validity (Unix seconds) of an address made `now`, and its signature.
    pub fn signature_at(&self, hash: Hash, now: u64) -> (u64, String) {
        let until = now.saturating_add(VALID_SECONDS);
        (until, format!("{:032x}", self.signature(hash, until)))
    }

    /// Whether a signature was made here and is valid at `now`.
    pub fn holds(&self, hash: Hash, until: u64, signature: &str, now: u64) -> bool {
        let ours = format!("{:032x}", self.signature(hash, until));
        now <= until && bool::from(ours.as_bytes().ct_eq(signature.as_bytes()))
    }

    fn signature(&self, hash: Hash, until: u64) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(&hash.0);
        hasher.write(&until.to_le_bytes());
        hasher.finish128().as_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_one_file_and_an_hour() {
        let signer = Signer::new().unwrap();
        let (hash, other) = (Hash([1; 32]), Hash([2; 32]));
        let path = signer.sign(hash, 1000);
        let (_, signature) = path.split_once("&sig=").unwrap();
        assert_eq!(path, format!("/media/{hash}?until=4600&sig={signature}"));
        assert!(signer.holds(hash, 4600, signature, 4600));
        assert!(!signer.holds(hash, 4600, signature, 4601));
        assert!(!signer.holds(hash, 4601, signature, 4600));
        assert!(!signer.holds(other, 4600, signature, 1000));
        assert!(!signer.holds(hash, 4600, &signature[1..], 1000));
        assert!(!Signer::new().unwrap().holds(hash, 4600, signature, 1000));
        let of_another_node = Signer::with_key(signer.key);
        assert!(of_another_node.holds(hash, 4600, signature, 1000));
    }
}
