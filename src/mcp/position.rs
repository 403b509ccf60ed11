//! Positions in the history in the form for agents: IDs of visible messages, the beginning, and
//! sealed positions. A position may be at a hidden message, and the numbers of messages reveal how
//! many there are; so such positions are sealed, and two seals of the same position differ.

use crate::error::{Error, Result};
use data_encoding::BASE64URL_NOPAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::fmt;
use uuid::Uuid;

/// Between the visible message and the sealed position after it.
const SEPARATOR: char = '.';

/// A position in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HistoryPosition {
    Seq(u64),
    Message(Uuid),
}

impl HistoryPosition {
    /// Before every message.
    pub(super) const BEGINNING: Self = Self::Seq(0);
}

impl fmt::Display for HistoryPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seq(seq) => write!(f, "{seq}"),
            Self::Message(id) => write!(f, "{id}"),
        }
    }
}

/// A position from an agent; it has at least one of the two fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GivenCursor {
    /// The beginning, or a message that the agent claims to see.
    pub(super) named: Option<HistoryPosition>,
    /// A sealed position. It is used instead of `named` as long as the process runs that sealed it.
    pub(super) sealed: Option<String>,
}

impl GivenCursor {
    /// Reads a position; `None` if the text has another form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (named, sealed) = match text.split_once(SEPARATOR) {
            Some((named, sealed)) => (Some(named), Some(sealed)),
            None if named(text).is_some() => (Some(text), None),
            None => (None, Some(text)),
        };
        let named = match named {
            Some(text) => Some(self::named(text)?),
            None => None,
        };
        let is_sealed = |text: &str| BASE64URL_NOPAD.decode_len(text.len()) == Ok(Seal::BYTES);
        sealed.is_none_or(is_sealed).then(|| Self { named, sealed: sealed.map(str::to_owned) })
    }
}

fn named(text: &str) -> Option<HistoryPosition> {
    if text == "0" {
        return Some(HistoryPosition::BEGINNING);
    }
    text.parse().ok().map(HistoryPosition::Message)
}

/// Seals positions, with a new key at each start.
pub(super) struct Seal {
    key: [u8; Self::KEY_BYTES],
}

impl Seal {
    const KEY_BYTES: usize = 32;
    /// Bytes of a position: its kind, and its number.
    const PLACE_BYTES: usize = 1 + size_of::<u128>();
    /// Bytes of a sealed position: the nonce, the position, and the authentication tag.
    const BYTES: usize = NONCE_LEN + Self::PLACE_BYTES + 16;

    pub(super) fn new() -> Self {
        let mut key = [0; Self::KEY_BYTES];
        for part in key.chunks_mut(16) {
            part.copy_from_slice(Uuid::new_v4().as_bytes());
        }
        Self { key }
    }

    /// A position that the agent cannot read.
    pub(super) fn seal(&self, position: HistoryPosition) -> Result<String> {
        let (kind, number) = match position {
            HistoryPosition::Seq(seq) => (0, u128::from(seq)),
            HistoryPosition::Message(id) => (1, id.as_u128()),
        };
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&Uuid::new_v4().as_bytes()[..NONCE_LEN]);
        let mut bytes = vec![kind];
        bytes.extend(number.to_be_bytes());
        let sealed = self.key().and_then(|key| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            key.seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes).ok()
        });
        sealed.ok_or_else(|| Error::failed("cannot seal a position in the history"))?;
        Ok(BASE64URL_NOPAD.encode(&[&nonce[..], &bytes].concat()))
    }

    /// A position after a visible message. If another run of the process made the seal, reading
    /// continues from that message.
    pub(super) fn seal_behind(
        &self,
        named: HistoryPosition,
        position: HistoryPosition,
    ) -> Result<String> {
        Ok(format!("{named}{SEPARATOR}{}", self.seal(position)?))
    }

    /// The position in a seal; `None` if another process made it.
    pub(super) fn open(&self, sealed: &str) -> Option<HistoryPosition> {
        let mut bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let (kind, number) =
            self.key()?.open_in_place(nonce, Aad::empty(), sealed).ok()?.split_first()?;
        let number = u128::from_be_bytes(number.try_into().ok()?);
        match kind {
            0 => u64::try_from(number).ok().map(HistoryPosition::Seq),
            _ => Some(HistoryPosition::Message(Uuid::from_u128(number))),
        }
    }

    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.key).ok().map(LessSafeKey::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_position_is_read_by_the_process_that_sealed_it_alone() {
        let seal = Seal::new();
        for position in [
            HistoryPosition::BEGINNING,
            HistoryPosition::Seq(u64::MAX),
            HistoryPosition::Message(Uuid::from_u128(7)),
        ] {
            let (sealed, again) = (seal.seal(position).unwrap(), seal.seal(position).unwrap());
            assert_ne!(sealed, again, "an agent sees whether something came in between");
            let given = GivenCursor::parse(&sealed).unwrap();
            assert_eq!((given.named, given.sealed.as_deref()), (None, Some(&*sealed)));
            assert_eq!(seal.open(&sealed), Some(position));
            assert_eq!(Seal::new().open(&sealed), None);
        }
        let lengths = [HistoryPosition::Seq(1), HistoryPosition::Message(Uuid::max())];
        let lengths = lengths.map(|position| seal.seal(position).unwrap().len());
        assert_eq!(lengths[0], lengths[1], "its length tells nothing");
    }

    #[test]
    fn a_position_behind_a_message_names_it() {
        let (seal, named) = (Seal::new(), HistoryPosition::Message(Uuid::from_u128(7)));
        let text = seal.seal_behind(named, HistoryPosition::Seq(9)).unwrap();
        let given = GivenCursor::parse(&text).unwrap();
        assert_eq!(given.named, Some(named));
        assert_eq!(seal.open(&given.sealed.unwrap()), Some(HistoryPosition::Seq(9)));
    }

    #[test]
    fn numbers_are_no_positions() {
        let beginning = GivenCursor { named: Some(HistoryPosition::BEGINNING), sealed: None };
        assert_eq!(GivenCursor::parse("0"), Some(beginning));
        for text in ["", "5", "../../etc/passwd", "x", "0.", ".", "5.x", "00000000"] {
            assert_eq!(GivenCursor::parse(text), None, "{text}");
        }
    }
}
