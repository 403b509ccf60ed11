//! A checksum for rows of a fixed length whose value is a `seq`. It uses the bits that a `seq` never needs.
//! Rows of older versions have none, and are read without a check.

use super::ids::EpochTag;
use crate::log::record::Unreadable;
use crate::model::cursor::Epoch;
use crc32fast::Hasher;
use redb::ReadableTable;

/// Bits of a `seq`. The index has no space for more messages.
const SEQ_BITS: u32 = 44;

/// The highest value of a checksum, which is never 0.
const MAX_SUM: u64 = (1 << (64 - SEQ_BITS)) - 1;

/// A table whose rows have a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SealedTable {
    /// IDs that were not made here.
    ForeignIds,
    /// Idempotency keys.
    Keys,
    /// Events that were received.
    Seen,
    /// Messages that were sent.
    Sent,
    Epochs,
}

impl SealedTable {
    /// The name of its rows, for people.
    fn row(self) -> &'static str {
        match self {
            Self::ForeignIds => "the row of an imported ID",
            Self::Keys => "the row of an idempotency key",
            Self::Seen => "the mark of a message that was received",
            Self::Sent => "the mark of a message that was sent",
            Self::Epochs => "the row of an epoch",
        }
    }

    /// The value of a row: the `seq` and a checksum of it and of everything else in the row.
    pub(super) fn seal<const N: usize>(self, others: [u128; N], seq: u64) -> u64 {
        if seq >> SEQ_BITS == 0 { seq | self.sum(others, seq) << SEQ_BITS } else { seq }
    }

    /// The `seq` of a value, and whether there is a checksum.
    ///
    /// # Errors
    ///
    /// The checksum is wrong.
    pub(super) fn open<const N: usize>(
        self,
        others: [u128; N],
        value: u64,
    ) -> Result<(u64, bool), Unreadable> {
        let (seq, sum) = (value & ((1 << SEQ_BITS) - 1), value >> SEQ_BITS);
        if sum != 0 && sum != self.sum(others, seq) {
            return Err(Unreadable::new(format!("{} is damaged (message {seq}?)", self.row())));
        }
        Ok((seq, sum != 0))
    }

    /// The `seq` of a value.
    ///
    /// # Errors
    ///
    /// The checksum is wrong.
    pub(super) fn seq<const N: usize>(
        self,
        others: [u128; N],
        value: u64,
    ) -> Result<u64, Unreadable> {
        self.open(others, value).map(|(seq, _)| seq)
    }

    fn sum<const N: usize>(self, others: [u128; N], seq: u64) -> u64 {
        let mut hasher = Hasher::new();
        hasher.update(&[self as u8]);
        for part in others {
            hasher.update(&part.to_le_bytes());
        }
        hasher.update(&seq.to_le_bytes());
        u64::from(hasher.finalize()) % MAX_SUM + 1
    }
}

/// The key of a mark in the form for the checksum.
pub(super) fn mark_key((time, hash): (u64, u128)) -> [u128; 2] {
    [time.into(), hash]
}

/// The row of an idempotency key: the `seq` of its message, the hash of the body, Unix seconds.
pub(super) fn key_row(key: u128, seq: u64, body: u128, at: u64) -> (u64, u128, u64) {
    (SealedTable::Keys.seal([key, body, at.into()], seq), body, at)
}

/// The `seq` in the row of an idempotency key, and whether the row has a checksum.
///
/// # Errors
///
/// The checksum of the row is wrong.
pub(super) fn key_of(
    key: u128,
    (seq, body, at): (u64, u128, u64),
) -> Result<(u64, bool), Unreadable> {
    SealedTable::Keys.open([key, body, at.into()], seq)
}

/// The row of an epoch that begins at an offset, and whose first message has a `seq`.
pub(super) fn epoch_row(offset: u64, epoch: Epoch, seq: u64) -> (u64, u64) {
    let others = [offset.into(), epoch.number().into()];
    (epoch.number(), SealedTable::Epochs.seal(others, seq))
}

/// The epoch of a row and its first `seq`.
///
/// # Errors
///
/// The checksum of the row is wrong.
pub(super) fn epoch_of(offset: u64, (epoch, seq): (u64, u64)) -> Result<(Epoch, u64), Unreadable> {
    let seq = SealedTable::Epochs.seq([offset.into(), epoch.into()], seq)?;
    Ok((Epoch::new(epoch), seq))
}

/// The epoch of the newest event, by the rows of the epochs.
///
/// # Errors
///
/// The table cannot be read.
pub(super) fn newest_epoch(epochs: &impl ReadableTable<u64, (u64, u64)>) -> super::Result<Epoch> {
    Ok(epochs.last()?.map(|(_, row)| Epoch::new(row.value().0)).unwrap_or_default())
}

/// The tag of IDs of an epoch, and its first `seq`.
///
/// # Errors
///
/// The checksum of the row is wrong.
pub(super) fn tag_of(offset: u64, row: (u64, u64)) -> Result<(EpochTag, u64), Unreadable> {
    epoch_of(offset, row).map(|(epoch, seq)| (EpochTag::of(epoch), seq))
}

/// The tag of the IDs that were given at a `seq`, by the rows of the epochs.
///
/// # Errors
///
/// The table cannot be read, or the checksum of a row is wrong.
pub(super) fn tag_at(
    epochs: &impl ReadableTable<u64, (u64, u64)>,
    seq: u64,
) -> super::Result<EpochTag> {
    for row in epochs.iter()?.rev() {
        let (offset, row) = row?;
        let (tag, first) = tag_of(offset.value(), row.value())?;
        if first <= seq {
            return Ok(tag);
        }
    }
    Ok(EpochTag::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_flipped_bit_is_noticed_wherever_it_is(
            seq in 0u64..1 << SEQ_BITS, time: u64, hash: u128, bit in 0u32..64, part in 0..3,
        ) {
            let value = SealedTable::Seen.seal(mark_key((time, hash)), seq);
            prop_assert_eq!(SealedTable::Seen.open(mark_key((time, hash)), value), Ok((seq, true)));
            let flipped = match part {
                0 => SealedTable::Seen.open(mark_key((time ^ 1 << bit, hash)), value),
                1 => SealedTable::Seen.open(mark_key((time, hash ^ 1 << (2 * bit))), value),
                _ => SealedTable::Seen.open(mark_key((time, hash)), value ^ 1 << bit),
            };
            // A checksum of a single bit can become none.
            let is_unnoticed = flipped == Ok((seq, false)) && (value >> SEQ_BITS).is_power_of_two();
            prop_assert!(flipped.is_err() || is_unnoticed, "{flipped:?}");
        }

        #[test]
        fn a_row_of_an_older_version_is_read(seq in 0u64..1 << SEQ_BITS, key: u128) {
            prop_assert_eq!(SealedTable::Keys.open([key], seq), Ok((seq, false)));
        }
    }
}
