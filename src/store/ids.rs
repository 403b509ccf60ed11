//! Message IDs that carry their `seq`, so that no index from ID to `seq` has to be kept.
//!
//! An ID is a UUID v4 whose 122 free bits are the `seq` and 61 zero bits, shuffled by a keyed
//! permutation (a Feistel network of four rounds over SipHash-2-4; each store has its own key).
//! To everybody else it looks random; the store reads the `seq` back, and the zero bits tell
//! whether an ID is its own at all.

use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use uuid::Uuid;

const HALF_BITS: u32 = 61;
const HALF: u64 = (1 << HALF_BITS) - 1;
const ROUNDS: u8 = 4;

/// The permutation of one store.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    key: [u8; 16],
}

impl Ids {
    pub(super) fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// What tells this store from others.
    pub(super) fn key(self) -> [u8; 16] {
        self.key
    }

    /// The ID of the message at `seq`.
    pub(super) fn id(self, seq: u64) -> Uuid {
        let (mut left, mut right) = (seq & HALF, 0);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.mix(round, right));
        }
        join(left, right)
    }

    /// The `seq` that an ID of this store stands for; `None` where it is not one of ours.
    pub(super) fn seq(self, id: Uuid) -> Option<u64> {
        let (mut left, mut right) = split(id)?;
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.mix(round, left), left);
        }
        (right == 0).then_some(left)
    }

    fn mix(self, round: u8, half: u64) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
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
    let bits = bits >> 80 << 74 | (bits >> 64 & 0xFFF) << 62 | bits & ((1 << 62) - 1);
    Some(((bits >> HALF_BITS) as u64, (bits as u64) & HALF))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_leads_back_to_its_seq(key: [u8; 16], seq in 0..HALF) {
            let ids = Ids::new(key);
            prop_assert_eq!(ids.seq(ids.id(seq)), Some(seq));
            prop_assert_eq!(ids.id(seq).get_version_num(), 4);
            prop_assert_eq!(ids.id(seq).get_variant(), uuid::Variant::RFC4122);
        }

        #[test]
        fn an_id_of_elsewhere_is_not_ours(key: [u8; 16], other: [u8; 16]) {
            let foreign = uuid::Builder::from_random_bytes(other).into_uuid();
            prop_assert_eq!(Ids::new(key).seq(foreign), None);
        }
    }
}
