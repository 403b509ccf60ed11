//! Parts that both versions of OneBot share.

pub(super) mod answer;
pub(super) mod call;
pub(super) mod channel;
pub(super) mod fragment;
pub(super) mod media;
pub(super) mod names;
pub(super) mod requests;
pub(super) mod scalar;
pub(super) mod segment;
pub(super) mod session;
