//! Names that are written almost as one that was typed.

use std::cmp::Ordering;

/// How alike two names are at least (Jaro-Winkler, 1 is the same).
const MIN_SIMILARITY: f64 = 0.8;

/// Names that are told at most.
const MAX_SUGGESTIONS: usize = 3;

/// The values of the names that are similar to the typed one or contain it, the nearest first.
pub(super) fn nearest<'n, T>(typed: &str, names: impl Iterator<Item = (&'n str, T)>) -> Vec<T> {
    let typed = typed.to_lowercase();
    let mut near: Vec<_> = names
        .filter_map(|(name, of)| {
            let name = name.to_lowercase();
            let is_part = name.contains(&typed) || (!name.is_empty() && typed.contains(&name));
            let likeness = strsim::jaro_winkler(&typed, &name);
            (is_part || likeness >= MIN_SIMILARITY).then_some((likeness, of))
        })
        .collect();
    near.sort_by(|(one, _), (other, _)| other.partial_cmp(one).unwrap_or(Ordering::Equal));
    near.into_iter().take(MAX_SUGGESTIONS).map(|(_, of)| of).collect()
}
