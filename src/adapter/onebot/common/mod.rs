//! Parts that both versions of OneBot share.

pub(super) mod answer;
pub(super) mod call;
pub(super) mod card;
pub(super) mod channel;
pub(super) mod fields;
pub(super) mod lookups;
pub(super) mod media;
pub(super) mod mentions;
pub(super) mod names;
pub(super) mod notices;
pub(super) mod parts;
pub(super) mod recent;
pub(super) mod recipient;
pub(super) mod requests;
pub(super) mod scalar;
pub(super) mod segment;
pub(super) mod session;
pub(super) mod words;
