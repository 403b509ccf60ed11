//! Decryption of a file while it arrives: AES-128 in ECB mode with PKCS#7 padding, as `WeChat`
//! stores files.

use aes::Aes128;
use ecb::Decryptor;
use ecb::cipher::{BlockModeDecrypt, KeyInit};

const BLOCK: usize = 16;

/// Decrypts the pieces of a file one after the other.
pub(super) struct Decrypter {
    cipher: Decryptor<Aes128>,
    /// Bytes that are not decrypted yet: part of a block, or the last block, which has the padding.
    held: Vec<u8>,
}

impl Decrypter {
    pub(super) fn new(key: [u8; BLOCK]) -> Self {
        Self { cipher: Decryptor::new(&key.into()), held: Vec::new() }
    }

    /// The bytes that can be decrypted now.
    pub(super) fn decrypt(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let whole = self.held.len().saturating_sub(1) / BLOCK * BLOCK;
        let mut plain: Vec<u8> = self.held.drain(..whole).collect();
        self.decrypt_blocks(&mut plain);
        plain
    }

    /// The last bytes; `None` if the key is wrong or the end is missing.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        let mut last = std::mem::take(&mut self.held);
        if last.len() != BLOCK {
            return None;
        }
        self.decrypt_blocks(&mut last);
        let padding = usize::from(*last.last()?);
        let is_right = (1..=BLOCK).contains(&padding)
            && last[BLOCK - padding..].iter().all(|byte| usize::from(*byte) == padding);
        last.truncate(BLOCK - padding.min(BLOCK));
        is_right.then_some(last)
    }

    fn decrypt_blocks(&mut self, bytes: &mut [u8]) {
        for block in bytes.chunks_exact_mut(BLOCK) {
            if let Ok(block) = block.try_into() {
                self.cipher.decrypt_block(block);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecb::Encryptor;
    use ecb::cipher::BlockModeEncrypt;
    use ecb::cipher::block_padding::Pkcs7;

    const KEY: [u8; BLOCK] = [7; BLOCK];

    #[test]
    fn pieces_of_any_size_give_the_bytes_back() {
        for size in [0, 1, 15, 16, 17, 1000] {
            let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(size).collect();
            let encrypted =
                Encryptor::<Aes128>::new(&KEY.into()).encrypt_padded_vec::<Pkcs7>(&bytes);
            for piece in [1, 7, 16, 999] {
                let mut decrypter = Decrypter::new(KEY);
                let mut plain: Vec<u8> =
                    encrypted.chunks(piece).flat_map(|part| decrypter.decrypt(part)).collect();
                plain.extend(decrypter.finish().unwrap());
                assert_eq!(plain, bytes, "{size} in pieces of {piece}");
            }
            let mut wrong = Decrypter::new([8; BLOCK]);
            wrong.decrypt(&encrypted);
            assert_eq!(wrong.finish(), None);
        }
    }

    #[test]
    fn an_end_that_is_missing_is_found() {
        let mut decrypter = Decrypter::new(KEY);
        assert_eq!(decrypter.decrypt(&[0; 20]).len(), 16);
        assert_eq!(decrypter.finish(), None);
        assert_eq!(Decrypter::new(KEY).finish(), None);
    }
}
