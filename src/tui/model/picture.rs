//! A picture, encoded for the terminal.

use super::attachment::MediaItem;
use ratatui_image::protocol::Protocol;
use std::fmt;
use std::sync::Arc;

/// A picture of a message. Only clones of one are equal.
#[derive(Clone)]
pub struct Picture {
    /// The file that it is made of.
    pub attachment: MediaItem,
    shown: Arc<Protocol>,
}

impl Picture {
    /// The picture of a file, encoded for the terminal.
    pub fn new(attachment: MediaItem, shown: Protocol) -> Self {
        Self { attachment, shown: Arc::new(shown) }
    }

    /// The bytes that are written to the terminal.
    pub fn shown(&self) -> &Protocol {
        &self.shown
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Picture").field(&self.attachment.label).finish()
    }
}

impl PartialEq for Picture {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shown, &other.shown)
    }
}

impl Eq for Picture {}
