//! Asking a platform for a picture, sound, video or file of a message.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// A picture, sound, video or file of a message, as its platform names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaOf {
    /// The conversation of the message.
    pub conversation: String,
    /// The platform's ID of the message.
    pub external_id: String,
    /// The content as the platform wrote it.
    pub original: String,
    /// Its index among the pictures, sounds, videos and files of the message, from 0; those inside
    /// forwards are not counted.
    pub index: usize,
}

/// Place of the bytes.
#[derive(Clone, PartialEq, Eq)]
pub enum MediaSource {
    /// At an address.
    Address {
        /// The address, from which it is fetched.
        url: String,
        /// The key of AES-128 (ECB, PKCS#7 padding) with which they are encrypted, where they are.
        key: Option<[u8; 16]>,
        /// The configuration names the host, which may then be private.
        is_configured: bool,
    },
    /// In the answer.
    Bytes(Vec<u8>),
    /// To be asked for fragment by fragment.
    Fragments(Fragments),
}

/// A file that is asked for fragment by fragment.
#[derive(Clone)]
pub struct Fragments {
    /// Bytes of the whole file, as the platform tells them.
    pub size: u64,
    /// Its SHA-256 in hex, where the platform tells it.
    pub sha256: Option<String>,
    /// Reads the fragments.
    pub reader: Arc<dyn ReadFragments>,
}

/// Reads fragments of a file.
pub trait ReadFragments: Send + Sync {
    /// At least one byte from `offset` on, and at most `bytes`; the error says why there are none.
    fn read(&self, offset: u64, bytes: u64) -> FragmentReading<'_>;
}

/// A fragment on its way.
pub type FragmentReading<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>>;

impl PartialEq for Fragments {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.reader, &other.reader)
    }
}

impl Eq for Fragments {}

impl MediaSource {
    /// An address that the platform told.
    pub fn address(url: impl Into<String>) -> Self {
        Self::Address { url: url.into(), key: None, is_configured: false }
    }
}

/// Shows no key, and no bytes.
impl fmt::Debug for MediaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { url, .. } => f.debug_tuple("Address").field(url).finish(),
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.len()).finish(),
            Self::Fragments(told) => f.debug_tuple("Fragments").field(&told.size).finish(),
        }
    }
}
