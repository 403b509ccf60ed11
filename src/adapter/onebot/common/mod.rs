//! Parts that both versions of OneBot share.

pub(super) mod answer;
pub(super) mod call;
pub(super) mod card;
pub(super) mod channel;
pub(super) mod fields;
pub(super) mod late_calls;
pub(super) mod lookups;
pub(super) mod media;
pub(super) mod members;
pub(super) mod mentions;
pub(super) mod names;
pub(super) mod notices;
pub(super) mod parts;
pub(super) mod recipient;
pub(super) mod requests;
pub(super) mod scalar;
pub(super) mod segment;
pub(super) mod session;

use crate::adapter::api::ConfigKey;

/// The setting of both that names the folder of media as the implementation sees it.
pub(super) const MEDIA_FOLDER: ConfigKey = ConfigKey::new(
    "media_folder",
    "string",
    "none",
    "\"/rechat-media\"",
    "where the OneBot implementation sees the folder of media; files then go by their path",
);
