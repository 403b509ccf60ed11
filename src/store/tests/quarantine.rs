//! The bounds of what is quarantined.

use super::*;

#[test]
fn the_quarantine_is_bounded_and_says_that_it_is_full() {
    let (_folder, mut file) = new();
    let aside = || quarantine("x");
    let commands = (0..10_001).map(|_| aside()).collect();
    let answers = file.commit(commands, Durability::Tables).unwrap().answers;
    let kept = answers.iter().filter(|answer| **answer == Ok(Answer::Noted)).count();
    assert_eq!((kept, answers.last()), (10_000, Some(&Ok(Answer::NoRoom))));
    assert_eq!(file.view().unwrap().quarantine_is_full(), Ok(true));
    let first = file.view().unwrap().quarantined_after(0, 1, 1).unwrap().remove(0);
    commit(&mut file, Command::Release { offset: first.offset }, Durability::Tables);
    assert_eq!(file.view().unwrap().quarantine_is_full(), Ok(false));
    assert_eq!(commit(&mut file, aside(), Durability::Tables), Answer::Noted);
}

#[test]
fn the_quarantine_is_bounded_in_bytes() {
    let (_folder, mut file) = new();
    let large = "x".repeat(8 << 20);
    let aside = || quarantine(&large);
    let mut kept = 0;
    while commit(&mut file, aside(), Durability::Tables) == Answer::Noted {
        kept += 1;
        assert!(kept < 40, "it has no bound");
    }
    assert!(kept > 10, "{kept}");
}
