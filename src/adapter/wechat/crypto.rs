//! Encryption of media: AES-128 in ECB mode with PKCS#7 padding.

use aes::Aes128;
use data_encoding::HEXLOWER_PERMISSIVE;
use ecb::cipher::block_padding::Pkcs7;
use ecb::cipher::{BlockModeEncrypt, KeyInit};

/// A key.
pub(super) type AesKey = [u8; 16];

/// A new random key.
pub(super) fn new_key() -> Result<AesKey, String> {
    let mut key = AesKey::default();
    getrandom::fill(&mut key).map_err(|error| error.to_string())?;
    Ok(key)
}

/// A key by its hexadecimal digits.
pub(super) fn key_of_hex(digits: &str) -> Option<AesKey> {
    HEXLOWER_PERMISSIVE.decode(digits.trim().as_bytes()).ok()?.try_into().ok()
}

/// Encrypts bytes; there are always more of them afterwards.
pub(super) fn encrypt(key: &AesKey, bytes: &[u8]) -> Vec<u8> {
    ecb::Encryptor::<Aes128>::new(&(*key).into()).encrypt_padded_vec::<Pkcs7>(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    /// FIPS 197, appendix C.1.
    #[test]
    fn a_block_is_that_of_the_standard() {
        let key: AesKey = std::array::from_fn(|n| n as u8);
        let plain: Vec<u8> = (0..16).map(|n| n * 0x11).collect();
        let cipher = encrypt(&key, &plain);
        assert_eq!(HEXLOWER.encode(&cipher[..16]), "69c4e0d86a7b0430d8cdb78070b4c55a");
        assert_eq!(cipher.len(), 32, "a whole block of padding follows");
        assert_eq!(encrypt(&key, &plain[..15]).len(), 16);
        assert_eq!(key_of_hex(&HEXLOWER.encode(&key)), Some(key));
        assert_eq!(key_of_hex("+00102030405060708090a0b0c0d0e0f"), None);
    }
}
