//! In every order of events, no message is missing, doubled or out of order.

use super::fixture::{connected, many, message, press, receive, reply, serve};
use crate::client::watch;
use crate::tui::model::*;
use crossterm::event::KeyCode;
use proptest::prelude::*;
use std::collections::HashSet;
use uuid::Uuid;

#[derive(Clone, Debug)]
enum Step {
    /// So many messages are made; the server may be away.
    Make(u64),
    Leave,
    /// It comes back, and repeats some of what was told before.
    Return(u64),
    Press(KeyCode),
    Resize(u16, u16),
    Delete(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keys = prop_oneof![
        Just(KeyCode::Up),
        Just(KeyCode::Down),
        Just(KeyCode::PageUp),
        Just(KeyCode::PageDown),
        Just(KeyCode::Char('g')),
        Just(KeyCode::Char('G')),
        Just(KeyCode::Tab),
        Just(KeyCode::Esc),
        Just(KeyCode::Enter),
    ];
    let step = prop_oneof![
        2 => (1..60u64).prop_map(Step::Make),
        1 => Just(Step::Leave),
        2 => (0..20u64).prop_map(Step::Return),
        4 => keys.prop_map(Step::Press),
        1 => (1..130u16, 1..50u16).prop_map(|(width, height)| Step::Resize(width, height)),
        1 => (1..300u64).prop_map(Step::Delete),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// However the server goes and comes and whatever is pressed: what is loaded is a run of the
    /// conversation's messages without a gap or a double, in order, and up to the newest one that
    /// was told where the stream follows.
    #[test]
    fn nothing_is_missing_doubled_or_out_of_order(steps in steps()) {
        let mut store = many(150);
        let mut model = connected(80, 24, &store);
        let (mut told, mut is_here, mut made) = (150, true, 150);
        for step in steps {
            match step {
                Step::Make(count) => {
                    let new = (made + 1..=made + count)
                        .map(|seq| message(seq, &format!("group_{}", seq % 3), &format!("number {seq}\nline")));
                    store.extend(new);
                    made += count;
                }
                Step::Leave => {
                    is_here = false;
                    model.update(TuiEvent::Watch(watch::WatchEvent::Away("gone".into())));
                }
                Step::Return(again) => {
                    is_here = true;
                    model.update(TuiEvent::Watch(watch::WatchEvent::Here { since: told }));
                    let repeated = store.iter().filter(|m| m.seq <= told && m.seq + again > told);
                    repeated.for_each(|m| receive(&mut model, m.clone()));
                }
                Step::Press(code) => press(&mut model, code),
                Step::Resize(width, height) => model.update(TuiEvent::Resize(width, height)),
                Step::Delete(seq) => {
                    store.retain(|message| message.seq != seq);
                    model.update(reply(ServerReply::Deleted(Uuid::from_u128(seq.into()))));
                }
            }
            if is_here {
                store.iter().filter(|m| m.seq > told).for_each(|m| receive(&mut model, m.clone()));
                told = made;
            }
            serve(&mut model, &store);
            let loaded: Vec<_> = model.stream().window().iter().map(|m| m.id).collect();
            let scope = model.stream().scope().clone();
            let all: Vec<_> = store.iter().filter(|m| m.seq <= told && scope.has(m)).map(|m| m.id).collect();
            prop_assert_eq!(loaded.iter().collect::<HashSet<_>>().len(), loaded.len());
            let is_run = loaded.is_empty() || all.windows(loaded.len()).any(|run| run == loaded);
            prop_assert!(is_run, "{} of {}", loaded.len(), all.len());
            let is_end = !model.stream().follows() || all.ends_with(&loaded);
            prop_assert!(is_end, "{} of {}", loaded.len(), all.len());
            let rows: usize = model.stream().visible().iter().map(|shown| shown.rows.len()).sum();
            prop_assert!(rows <= usize::from(model.layout().stream.height));
        }
    }
}
