//! The steps that are taken with both.

use proptest::prelude::*;

pub(super) const PLATFORMS: [Option<&str>; 3] = [None, Some("qq"), Some("wechat")];

pub(super) const CONVERSATIONS: [&str; 3] = ["group_1", "group_2", "private_3"];

/// A step of the model; places count from the newest message.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Create {
        platform: usize,
        conversation: usize,
    },
    Receive {
        conversation: usize,
        external: u8,
        own: bool,
    },
    SetStatus {
        place: usize,
        status: usize,
    },
    Delete {
        place: usize,
    },
    Claim {
        place: usize,
    },
    RecordOutcome {
        place: usize,
        outcome: usize,
    },
    /// The platform reports an own message that says the same.
    Echo {
        place: usize,
    },
    Route {
        place: usize,
    },
    Import {
        conversation: usize,
        age: u64,
        own: bool,
    },
    Read {
        platform: usize,
        conversation: usize,
        place: Option<usize>,
    },
    Set {
        platform: usize,
        conversation: usize,
        muted: bool,
    },
    Restart,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = 0..30usize;
    // So attempts at one message follow each other.
    let near = 0..3usize;
    let step = prop_oneof![
        6 => (0..3usize, 0..3usize).prop_map(|(platform, conversation)| Step::Create { platform, conversation }),
        3 => (0..3usize, 0..6u8, any::<bool>()).prop_map(|(conversation, external, own)| Step::Receive { conversation, external, own }),
        3 => (place.clone(), 0..5usize).prop_map(|(place, status)| Step::SetStatus { place, status }),
        2 => place.clone().prop_map(|place| Step::Delete { place }),
        3 => (near.clone(), 0..5usize).prop_map(|(place, status)| Step::SetStatus { place, status }),
        2 => place.clone().prop_map(|place| Step::Claim { place }),
        4 => near.clone().prop_map(|place| Step::Claim { place }),
        2 => (place.clone(), 0..6usize).prop_map(|(place, outcome)| Step::RecordOutcome { place, outcome }),
        4 => (near.clone(), 0..6usize).prop_map(|(place, outcome)| Step::RecordOutcome { place, outcome }),
        2 => near.prop_map(|place| Step::Echo { place }),
        1 => place.clone().prop_map(|place| Step::Route { place }),
        1 => (0..3usize, 0..40u64, any::<bool>()).prop_map(|(conversation, age, own)| Step::Import { conversation, age, own }),
        2 => (0..3usize, 0..3usize, prop::option::of(place)).prop_map(|(platform, conversation, place)| Step::Read { platform, conversation, place }),
        1 => (0..3usize, 0..3usize, any::<bool>()).prop_map(|(platform, conversation, muted)| Step::Set { platform, conversation, muted }),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..60)
}
