//! Type of a message (contract, Part 1).

use super::named::named_enum;
use serde::{Deserialize, Serialize};

/// Type of a message's content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum MessageType {
    #[default]
    Text,
    Image,
    File,
    Video,
    Audio,
}

impl MessageType {
    /// Every type, in the order of the contract.
    pub const ALL: [Self; 5] = [Self::Text, Self::Image, Self::File, Self::Video, Self::Audio];

    /// The name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Image => "Image",
            Self::File => "File",
            Self::Video => "Video",
            Self::Audio => "Audio",
        }
    }
}

named_enum!(MessageType);
