//! Message IDs that carry their `seq`, so that no index from ID to `seq` has to be kept.
//!
//! An ID is a UUID v4 whose 122 free bits are the `seq` (61 bits), the tag of the epoch that gave it
//! (32 bits) and 29 zero bits, shuffled by a keyed permutation (a Feistel network of four rounds over
//! SipHash-2-4; each store has its own key). To everybody else it looks random; the store reads the
//! `seq` back, and the zero bits show whether this store made the ID. The tag keeps two copies of a
//! store that both go on from giving one ID to two messages.

use crate::model::cursor::Epoch;
use crate::model::id_prefix::IdPrefix;
use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use std::ops::RangeInclusive;
use uuid::Uuid;

const HALF_BITS: u32 = 61;
const HALF: u64 = (1 << HALF_BITS) - 1;
const CHECK_BITS: u32 = 29;
const ROUNDS: u8 = 4;

/// Part of an ID that stands for the epoch that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EpochTag(u32);

impl EpochTag {
    /// The tag of IDs that were given before there were epochs.
    pub(super) const NONE: Self = Self(0);

    pub(super) fn of(epoch: Epoch) -> Self {
        Self(epoch.number() as u32)
    }
}

/// The permutation of one store.
#[derive(Clone, Copy)]
pub(super) struct IdPermutation {
    key: [u8; 16],
    /// A hasher that has the key already.
    keyed: SipHasher24,
}

impl IdPermutation {
    pub(super) fn new(key: [u8; 16]) -> Self {
        Self { key, keyed: SipHasher24::new_with_key(&key) }
    }

    /// The key of the store.
    pub(super) fn key(self) -> [u8; 16] {
        self.key
    }

    /// The ID of the message at `seq`, given under a tag.
    pub(super) fn id(self, seq: u64, tag: EpochTag) -> Uuid {
        let (mut left, mut right) = (seq & HALF, u64::from(tag.0) << CHECK_BITS);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.mix(round, right));
        }
        join(left, right)
    }

    /// The `seq` and the tag that an ID of this store carries; `None` if it is not one of ours.
    pub(super) fn parts(self, id: Uuid) -> Option<(u64, EpochTag)> {
        let (mut left, mut right) = split(id)?;
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.mix(round, left), left);
        }
        let is_ours = right & ((1 << CHECK_BITS) - 1) == 0;
        is_ours.then_some((left, EpochTag((right >> CHECK_BITS) as u32)))
    }

    /// The `seq` inside an ID of this store.
    pub(super) fn seq(self, id: Uuid) -> Option<u64> {
        self.parts(id).map(|(seq, _)| seq)
    }

    /// The `seq` up to `last`, the newest first, whose IDs under a tag begin with this prefix.
    ///
    /// Only the left half of an ID is computed for those that do not match: two hashes each.
    pub(super) fn places(
        self,
        places: RangeInclusive<u64>,
        tag: EpochTag,
        prefix: IdPrefix,
    ) -> impl Iterator<Item = u64> {
        let (mask, wanted) = (left_bits(prefix.mask()), left_bits(*prefix.range().start()));
        let right = u64::from(tag.0) << CHECK_BITS;
        let first = self.mix(0, right);
        let matches = move |&seq: &u64| {
            let second = (seq & HALF) ^ first;
            let left = second ^ self.mix(2, right ^ self.mix(1, second));
            left & mask == wanted && prefix.matches(self.id(seq, tag))
        };
        places.rev().filter(matches)
    }

    fn mix(self, round: u8, half: u64) -> u64 {
        let mut hasher = self.keyed;
        hasher.write_u8(round);
        hasher.write_u64(half);
        hasher.finish() & HALF
    }
}

/// Lays 122 bits around the version and the variant (RFC 9562, section 5.4).
fn join(left: u64, right: u64) -> Uuid {
    let bits = u128::from(left) << HALF_BITS | u128::from(right);
    let (high, middle, low) = (bits >> 74, bits >> 62 & 0xFFF, bits & ((1 << 62) - 1));
    Uuid::from_u128(high << 80 | 0x4 << 76 | middle << 64 | 0b10 << 62 | low)
}

fn split(id: Uuid) -> Option<(u64, u64)> {
    let bits = id.as_u128();
    if bits >> 76 & 0xF != 0x4 || bits >> 62 & 0b11 != 0b10 {
        return None;
    }
    Some((left_bits(bits), (bits as u64) & HALF))
}

/// The left half, which the version and the variant lie in.
fn left_bits(bits: u128) -> u64 {
    let bits = bits >> 80 << 74 | (bits >> 64 & 0xFFF) << 62 | bits & ((1 << 62) - 1);
    (bits >> HALF_BITS) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_leads_back_to_its_seq_and_tag(key: [u8; 16], seq in 0..HALF, tag: u32) {
            let ids = IdPermutation::new(key);
            let id = ids.id(seq, EpochTag(tag));
            prop_assert_eq!(ids.parts(id), Some((seq, EpochTag(tag))));
            prop_assert_eq!(id.get_version_num(), 4);
            prop_assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        }

        #[test]
        fn places_are_found_by_the_beginning_of_their_ids(key: [u8; 16], tag: u32, digits in 4..33_usize) {
            let ids = IdPermutation::new(key);
            let text = ids.id(700, EpochTag(tag)).simple().to_string();
            let prefix: IdPrefix = text[..digits].parse().unwrap();
            let all = (1..=1000).rev();
            let wanted: Vec<_> = all.filter(|&seq| prefix.matches(ids.id(seq, EpochTag(tag)))).collect();
            prop_assert!(wanted.contains(&700));
            prop_assert_eq!(ids.places(1..=1000, EpochTag(tag), prefix).collect::<Vec<_>>(), wanted);
        }

        #[test]
        fn an_id_of_elsewhere_is_not_ours(key: [u8; 16], other: [u8; 16]) {
            let foreign = uuid::Builder::from_random_bytes(other).into_uuid();
            prop_assert_eq!(IdPermutation::new(key).seq(foreign), None);
        }
    }
}
