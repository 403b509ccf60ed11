//! Gaps between the times of messages.

use super::*;
use crate::clock::Gap;
use proptest::prelude::*;

/// Makes messages at these times, in this order.
fn with(times: &[u64]) -> (TempDir, StoreFile) {
    let (folder, mut file) = new();
    let commands = times.iter().map(|at| {
        let Command::Create { draft, idempotency, facts, .. } = create("x") else { panic!() };
        Command::Create { draft, at: *at, idempotency, facts }
    });
    file.commit(commands.collect(), Durability::Tables).unwrap();
    (folder, file)
}

/// The same by looking at each message.
fn expected(times: &[u64], until: u64) -> Vec<Gap> {
    let mut times: Vec<_> = times.iter().copied().filter(|time| *time < until).collect();
    times.push(until);
    times.sort_unstable();
    let pairs = times.windows(2).map(|pair| Gap { begin: pair[0], end: pair[1] });
    let mut gaps: Vec<_> =
        pairs.filter(|gap| gap.end - gap.begin > ((until - gap.end) / 10).max(60)).collect();
    gaps.reverse();
    gaps
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_long_gaps_between_messages_are_found(
        steps in prop::collection::vec(prop_oneof![0u64..200, 0u64..100_000, Just(31_000_000)], 0..30),
        late in prop::collection::vec(0u64..40_000_000, 0..4),
        until in 0u64..3_000_000,
    ) {
        let mut times = vec![1_000_000_000];
        for step in steps {
            times.push((times[times.len() - 1] + step).min(1_700_000_000));
        }
        let until = times[times.len() - 1] + until - 1_500_000;
        times.extend(late.into_iter().map(|after| 1_000_000_000 + after));
        let (_folder, file) = with(&times);
        let found = file.view().unwrap().gaps(until).unwrap();
        prop_assert_eq!(found, expected(&times, until));
    }
}

#[test]
fn a_store_without_messages_has_no_gap() {
    let (_folder, file) = with(&[]);
    assert_eq!(file.view().unwrap().gaps(1_700_000_000).unwrap(), []);
}
