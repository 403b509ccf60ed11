//! Progress of a session in the store while it is behind.
//!
//! A replay has a position, up to which everything is done: a `seq` in the messages, or an offset in
//! the journal. A request for older events (`since`, `cursor`) moves the position back. Ranges that
//! were already delivered are remembered as layers and skipped, so no event is sent twice.

use crate::model::subscription::{NameList, Subscription};
use crate::protocol::event::{EventKind, EventKinds};

/// The most times a session may go back before it has caught up.
const MAX_LAYERS: usize = 8;

/// Events that a session wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// The subscription that events have to match.
    pub topics: Subscription,
    /// Kinds of events in addition to new messages.
    pub kinds: EventKinds,
}

impl Interest {
    /// Whether a new message is wanted.
    pub fn wants_message(&self, seq: u64, platform: &str, conversation: &str) -> bool {
        self.topics.wants_message(seq, platform, conversation)
    }

    /// Whether another event about a conversation is wanted.
    pub fn wants(&self, kind: EventKind, offset: u64, platform: &str, conversation: &str) -> bool {
        self.kinds.has(kind) && self.topics.wants_event(offset, platform, conversation)
    }
}

/// Everything of this interest up to `through` was sent already.
#[derive(Clone, Debug)]
struct Layer {
    through: u64,
    interest: Interest,
}

/// Position of a session, and the events after it that it has already.
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
    /// A replay from `position`, with nothing after it sent.
    pub fn from(position: u64) -> Self {
        Self { position, delivered: Vec::new() }
    }

    /// The position after which to read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether anything after the position was sent already.
    pub fn has_layers(&self) -> bool {
        !self.delivered.is_empty()
    }

    /// Whether the session may go back to `since` now.
    ///
    /// # Errors
    ///
    /// The session would replay from too many positions at once.
    pub fn may_rewind(&self, since: u64) -> Result<(), TooManyReplays> {
        let may = since >= self.position || self.delivered.len() < MAX_LAYERS;
        may.then_some(()).ok_or(TooManyReplays)
    }

    /// Goes back to `since`; `interest` is what the session wanted before.
    ///
    /// # Errors
    ///
    /// The session would replay from too many positions at once.
    pub fn rewind(&mut self, since: u64, interest: &Interest) -> Result<(), TooManyReplays> {
        if since >= self.position {
            return Ok(());
        }
        if !interest.topics.is_empty() {
            self.may_rewind(since)?;
            let layer = Layer { through: self.position, interest: interest.clone() };
            self.delivered.insert(0, layer);
        }
        self.position = since;
        Ok(())
    }

    /// Forgets which events of unsubscribed topics were sent, because a session that subscribes to
    /// them again with `since` wants them again.
    pub fn forget(&mut self, platforms: &NameList, conversations: &NameList) {
        for layer in &mut self.delivered {
            layer.interest.topics.remove(platforms, conversations);
        }
    }

    /// Forgets which events of unsubscribed kinds were sent.
    pub fn forget_kinds(&mut self, kinds: EventKinds) {
        for layer in &mut self.delivered {
            layer.interest.kinds = layer.interest.kinds.without(kinds);
        }
    }

    /// Whether an event after the position has to be sent now: it is wanted, and was not sent for
    /// an earlier interest.
    pub fn is_due(&self, at: u64, interest: &Interest, wants: impl Fn(&Interest) -> bool) -> bool {
        let covering = self.delivered.iter().find(|layer| at <= layer.through);
        let has_it = covering.is_some_and(|layer| wants(&layer.interest));
        !has_it && wants(interest)
    }

    /// Everything up to `to` was handled.
    pub fn advance(&mut self, to: u64) {
        self.position = self.position.max(to);
        self.delivered.retain(|layer| layer.through > self.position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::subscription::Position;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[derive(Clone, Debug)]
    enum Step {
        Subscribe { platform: usize, since: u64 },
        Unsubscribe { platform: usize },
        Read { messages: u64 },
    }

    const PLATFORMS: [&str; 3] = ["a", "b", "c"];

    /// The property below found it: after an unsubscription, events still counted as sent.
    #[test]
    fn a_session_that_leaves_and_comes_back_gets_it_again() {
        let mut wanted = Interest::default();
        let mut replay = Replay::from(50);
        wanted.topics.add(&one(2), &NameList::absent(), at(20));
        replay.rewind(0, &wanted).unwrap();
        wanted.topics.remove(&one(2), &NameList::absent());
        replay.forget(&one(2), &NameList::absent());
        wanted.topics.add(&one(2), &NameList::absent(), at(0));
        assert!(is_due(&replay, &wanted, 23, "c"));
    }

    #[test]
    fn a_kind_that_was_asked_for_later_comes_and_the_others_do_not_come_again() {
        let kinds = |names: &[&str]| EventKinds::named(names.iter().copied()).unwrap();
        let mut wanted = Interest { kinds: kinds(&["message_status"]), ..Interest::default() };
        wanted.topics.add(&NameList::absent(), &NameList::absent(), at(0));
        let mut replay = Replay::from(50);
        replay.rewind(10, &wanted).unwrap();
        wanted.kinds = wanted.kinds.union(kinds(&["message_deleted"]));
        let is_due = |replay: &Replay, offset, kind| {
            replay.is_due(offset, &wanted, |wanted| wanted.wants(kind, offset, "a", "x"))
        };
        assert!(is_due(&replay, 20, EventKind::MessageDeleted));
        assert!(!is_due(&replay, 20, EventKind::MessageStatus));
        assert!(is_due(&replay, 51, EventKind::MessageStatus));
        replay.forget_kinds(kinds(&["message_status"]));
        assert!(is_due(&replay, 20, EventKind::MessageStatus), "left and asked for again");
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

    fn at(place: u64) -> Position {
        Position { seq: place, offset: place }
    }

    fn is_due(replay: &Replay, wanted: &Interest, seq: u64, platform: &str) -> bool {
        replay.is_due(seq, wanted, |wanted| wanted.wants_message(seq, platform, "x"))
    }

    fn one(platform: usize) -> NameList {
        NameList::listed([PLATFORMS[platform].to_owned()])
    }

    proptest! {
        /// For any sequence of steps: each message that is wanted without a break to the end comes
        /// once, and nothing comes twice while it stays subscribed.
        #[test]
        fn every_message_comes_once(steps in steps()) {
            const HEAD: u64 = 100;
            let platform_of = |seq: u64| PLATFORMS[(seq % 3) as usize];
            let mut wanted = Interest::default();
            let mut replay = Replay::from(HEAD);
            // Since when each platform is wanted without a break.
            let mut due_since: HashMap<usize, u64> = HashMap::new();
            let mut times: HashMap<u64, u32> = HashMap::new();
            let read = |replay: &mut Replay, wanted: &Interest, times: &mut HashMap<u64, u32>, count| {
                for seq in (replay.position() + 1..=HEAD).take(count) {
                    if is_due(replay, wanted, seq, platform_of(seq)) {
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
                        wanted.topics.add(&one(platform), &NameList::absent(), at(since));
                        let from = due_since.entry(platform).or_insert(since);
                        *from = since.min(*from);
                    }
                    Step::Unsubscribe { platform } => {
                        wanted.topics.remove(&one(platform), &NameList::absent());
                        replay.forget(&one(platform), &NameList::absent());
                        due_since.remove(&platform);
                        // A message that comes again after a break is not counted.
                        times.retain(|&seq, _| platform_of(seq) != PLATFORMS[platform]);
                    }
                    Step::Read { messages } => read(&mut replay, &wanted, &mut times, messages as usize),
                }
            }
            read(&mut replay, &wanted, &mut times, usize::MAX);
            prop_assert!(times.values().all(|&count| count == 1), "{times:?}");
            for (platform, since) in due_since {
                let all = (since + 1..=HEAD).filter(|&seq| platform_of(seq) == PLATFORMS[platform]);
                for seq in all {
                    prop_assert_eq!(times.get(&seq), Some(&1), "message {}", seq);
                }
            }
        }
    }
}
