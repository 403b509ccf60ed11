//! What both versions of OneBot do alike.

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
