//! What both versions of OneBot do alike.

pub(super) mod answer;
pub(super) mod call;
pub(super) mod media;
pub(super) mod names;
pub(super) mod piece;
pub(super) mod requests;
pub(super) mod session;
pub(super) mod word;
