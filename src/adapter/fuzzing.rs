//! What the fuzz targets call (`tests/fuzz`).

use super::{onebot11, onebot12};

/// Reads a frame of OneBot 11, as a connection does.
pub fn onebot11_frame(text: &str) {
    onebot11::swallow(text);
}

/// Reads a frame of OneBot 12, as a connection does.
pub fn onebot12_frame(text: &str) {
    onebot12::swallow(text);
}

/// Reads a message with CQ codes.
pub fn cq_code(text: &str) {
    onebot11::parse_cq(text);
}
