//! Type of a message (contract, Part 1).

use super::named::named_enum;
use serde::{Deserialize, Serialize};

/// Type of a message's content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MessageType {
    /// A text.
    #[default]
    Text,
    /// A picture.
    Image,
    /// A file of any type.
    File,
    /// A video.
    Video,
    /// A sound or a voice message.
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
