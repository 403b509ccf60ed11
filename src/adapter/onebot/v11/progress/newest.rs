//! The bounds of what is remembered.

use std::collections::VecDeque;

/// Bytes of the contents that are remembered of each kind, unless a single one is larger. An account has no more
/// under way at once: 32 messages of 1 MiB.
const MAX_BYTES: usize = 32 << 20;

/// Forgets the oldest items until at most so many are left, of [`MAX_BYTES`] in all.
pub(super) fn keep_newest<T>(items: &mut VecDeque<T>, most: usize, bytes_of: impl Fn(&T) -> usize) {
    let mut bytes: usize = items.iter().map(&bytes_of).sum();
    while items.len() > most || items.len() > 1 && bytes > MAX_BYTES {
        bytes -= items.pop_front().as_ref().map_or(0, &bytes_of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_in_number_and_bytes() {
        let kept = |sizes: &[usize]| {
            let mut items: VecDeque<_> = sizes.iter().copied().collect();
            keep_newest(&mut items, 3, |size| *size);
            Vec::from(items)
        };
        assert_eq!(kept(&[1, 2, 3, 4]), [2, 3, 4]);
        assert_eq!(kept(&[1, MAX_BYTES - 2, 2]), [MAX_BYTES - 2, 2]);
        assert_eq!(kept(&[1, MAX_BYTES + 1]), [MAX_BYTES + 1], "a large one is kept alone");
    }
}
