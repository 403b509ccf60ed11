//! The beginning of a message's ID, as people type it.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use uuid::Uuid;

/// The fewest hexadecimal digits of a prefix: fewer would match by accident.
pub const MIN_DIGITS: usize = 4;

/// Hexadecimal digits of a whole ID.
const ALL_DIGITS: usize = 32;

/// The first digits of an ID, at least [`MIN_DIGITS`]; all of them are a whole ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdPrefix {
    digits: usize,
    /// The digits from the left, followed by zeros.
    first: u128,
}

/// The text is not the beginning of an ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl FromStr for IdPrefix {
    type Err = NotAnId;

    /// Hyphens may be left out, and case makes no difference.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (mut digits, mut first) = (0, 0_u128);
        for c in text.chars().filter(|&c| c != '-') {
            let digit = c.to_digit(16).ok_or(NotAnId)?;
            digits += 1;
            if digits > ALL_DIGITS {
                return Err(NotAnId);
            }
            first = first << 4 | u128::from(digit);
        }
        if digits < MIN_DIGITS {
            return Err(NotAnId);
        }
        Ok(Self { digits, first: first << (4 * (ALL_DIGITS - digits)) })
    }
}

impl From<Uuid> for IdPrefix {
    fn from(id: Uuid) -> Self {
        Self { digits: ALL_DIGITS, first: id.as_u128() }
    }
}

impl IdPrefix {
    /// The ID, if all digits are given.
    pub fn whole(self) -> Option<Uuid> {
        (self.digits == ALL_DIGITS).then(|| Uuid::from_u128(self.first))
    }

    /// Whether an ID begins with these digits.
    pub fn matches(self, id: Uuid) -> bool {
        self.range().contains(&id.as_u128())
    }

    /// The IDs that begin with these digits, as numbers.
    pub fn range(self) -> RangeInclusive<u128> {
        self.first..=self.first | !self.mask()
    }

    /// A mask of the bits that are given.
    pub fn mask(self) -> u128 {
        u128::MAX << (4 * (ALL_DIGITS - self.digits))
    }
}

impl fmt::Display for IdPrefix {
    /// Written with the hyphens of an ID.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A hyphen comes before each of these digits.
        let hyphens = [8, 12, 16, 20].iter().filter(|&&digit| digit < self.digits).count();
        f.write_str(&Uuid::from_u128(self.first).to_string()[..self.digits + hyphens])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0";

    #[test]
    fn a_prefix_is_read_with_and_without_hyphens_in_any_case() {
        let id: Uuid = ID.parse().unwrap();
        for (typed, shown) in [
            ("6f0a", "6f0a"),
            ("6F0A0C1E", "6f0a0c1e"),
            ("6f0a0c1e-", "6f0a0c1e"),
            ("6f0a0c1e8f", "6f0a0c1e-8f"),
            (ID, ID),
        ] {
            let prefix: IdPrefix = typed.parse().unwrap();
            assert_eq!(prefix.to_string(), shown);
            assert!(prefix.matches(id));
            assert_eq!(prefix.whole().is_some(), typed == ID);
        }
        assert!(!"6f0b".parse::<IdPrefix>().unwrap().matches(id));
    }

    #[test]
    fn other_texts_are_no_prefix() {
        for typed in ["", "6f0", "6f0g", "x", "6f0a 0c1e", &format!("{ID}0")] {
            assert_eq!(typed.parse::<IdPrefix>(), Err(NotAnId), "{typed}");
        }
    }
}
