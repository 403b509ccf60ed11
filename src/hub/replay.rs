//! A session's way through the journal while it is behind the live stream.
//!
//! It has a position, up to which nothing is owed any more. Asking for older messages (`since`)
//! moves the position back; what was delivered beyond it stays known as a layer, so that nothing
//! comes twice.

use crate::model::subscription::{Names, Subscription};

/// The most times a session may go back before it has caught up.
const MAX_LAYERS: usize = 8;

/// Up to `through`, everything that `wanted` wants was delivered already.
#[derive(Clone, Debug)]
struct Layer {
    through: u64,
    wanted: Subscription,
}

/// Where a session is, and what it has beyond that.
#[derive(Clone, Debug)]
pub struct Replay {
    position: u64,
    /// By `through`, the lowest first.
    delivered: Vec<Layer>,
}

/// A session went back too often at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyReplays;

impl Replay {
    /// Nothing up to `position` is owed, and nothing beyond it delivered.
    pub fn from(position: u64) -> Self {
        Self { position, delivered: Vec::new() }
    }

    /// Where to read on: messages after this one.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Goes back to `since`; `wanted` is what the session wanted until now.
    pub fn rewind(&mut self, since: u64, wanted: &Subscription) -> Result<(), TooManyReplays> {
        if since >= self.position {
            return Ok(());
        }
        if !wanted.is_empty() {
            if self.delivered.len() >= MAX_LAYERS {
                return Err(TooManyReplays);
            }
            self.delivered.insert(0, Layer { through: self.position, wanted: wanted.clone() });
        }
        self.position = since;
        Ok(())
    }

    /// Forgets what was delivered by pairs that are unsubscribed: who subscribes to them again with
    /// `since` wants it again.
    pub fn forget(&mut self, platforms: &Names, conversations: &Names) {
        for layer in &mut self.delivered {
            layer.wanted.remove(platforms, conversations);
        }
    }

    /// Whether a message beyond the position has to be delivered now.
    pub fn owes(
        &self,
        seq: u64,
        platform: &str,
        conversation: &str,
        wanted: &Subscription,
    ) -> bool {
        let covering = self.delivered.iter().find(|layer| seq <= layer.through);
        let has_it = covering.is_some_and(|layer| layer.wanted.wants(seq, platform, conversation));
        !has_it && wanted.wants(seq, platform, conversation)
    }

    /// Everything up to `seq` is dealt with.
    pub fn advance(&mut self, seq: u64) {
        self.position = self.position.max(seq);
        self.delivered.retain(|layer| layer.through > self.position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[derive(Clone, Debug)]
    enum Step {
        Subscribe { platform: usize, since: u64 },
        Unsubscribe { platform: usize },
        Read { messages: u64 },
    }

    const PLATFORMS: [&str; 3] = ["a", "b", "c"];

    /// Found by the property below: what was forgotten on leaving stayed known as delivered.
    #[test]
    fn who_leaves_and_comes_back_gets_it_again() {
        let mut wanted = Subscription::default();
        let mut replay = Replay::from(50);
        wanted.add(&one(2), &Names::absent(), 20);
        replay.rewind(0, &wanted).unwrap();
        wanted.remove(&one(2), &Names::absent());
        replay.forget(&one(2), &Names::absent());
        wanted.add(&one(2), &Names::absent(), 0);
        assert!(replay.owes(23, "c", "x", &wanted));
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..3usize, 0..100u64)
                .prop_map(|(platform, since)| Step::Subscribe { platform, since }),
            (0..3usize).prop_map(|platform| Step::Unsubscribe { platform }),
            (1..40u64).prop_map(|messages| Step::Read { messages }),
        ];
        proptest::collection::vec(step, 1..30)
    }

    fn one(platform: usize) -> Names {
        Names::listed([PLATFORMS[platform].to_owned()])
    }

    proptest! {
        /// However a session goes back and forth: what it wants at the end and was never without
        /// comes once each, and nothing comes twice while it stays subscribed.
        #[test]
        fn every_message_comes_once(steps in steps()) {
            const HEAD: u64 = 100;
            let platform_of = |seq: u64| PLATFORMS[(seq % 3) as usize];
            let mut wanted = Subscription::default();
            let mut replay = Replay::from(HEAD);
            // Since when each platform is wanted without a break.
            let mut owed: HashMap<usize, u64> = HashMap::new();
            let mut times: HashMap<u64, u32> = HashMap::new();
            let read = |replay: &mut Replay, wanted: &Subscription, times: &mut HashMap<u64, u32>, count| {
                for seq in (replay.position() + 1..=HEAD).take(count) {
                    if replay.owes(seq, platform_of(seq), "x", wanted) {
                        *times.entry(seq).or_default() += 1;
                    }
                    replay.advance(seq);
                }
            };
            for step in steps {
                match step {
                    Step::Subscribe { platform, since } => {
                        let before = wanted.clone();
                        if replay.rewind(since, &before).is_err() {
                            continue;
                        }
                        wanted.add(&one(platform), &Names::absent(), since);
                        let from = owed.entry(platform).or_insert(since);
                        *from = since.min(*from);
                    }
                    Step::Unsubscribe { platform } => {
                        wanted.remove(&one(platform), &Names::absent());
                        replay.forget(&one(platform), &Names::absent());
                        owed.remove(&platform);
                        // What comes again after a break is not counted.
                        times.retain(|&seq, _| platform_of(seq) != PLATFORMS[platform]);
                    }
                    Step::Read { messages } => read(&mut replay, &wanted, &mut times, messages as usize),
                }
            }
            read(&mut replay, &wanted, &mut times, usize::MAX);
            prop_assert!(times.values().all(|&count| count == 1), "{times:?}");
            for (platform, since) in owed {
                let all = (since + 1..=HEAD).filter(|&seq| platform_of(seq) == PLATFORMS[platform]);
                for seq in all {
                    prop_assert_eq!(times.get(&seq), Some(&1), "message {}", seq);
                }
            }
        }
    }
}
