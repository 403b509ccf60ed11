//! Entry points of the fuzz targets (`tests/fuzz`).

use super::onebot;

/// Reads a frame of OneBot 11, as a connection does.
pub fn onebot11_frame(text: &str) {
    onebot::v11::swallow(text);
}

/// Reads a frame of OneBot 12, as a connection does.
pub fn onebot12_frame(text: &str) {
    onebot::v12::swallow(text);
}

/// Reads a message with CQ codes.
pub fn cq_code(text: &str) {
    onebot::v11::read_cq(text);
}

/// Composes what is sent by OneBot 11 of segments.
pub fn onebot11_segments(text: &str) {
    onebot::v11::compose_segments(text);
}

/// Composes what is sent by OneBot 12 of segments, and reads it back.
pub fn onebot12_segments(text: &str) {
    onebot::v12::compose_segments(text);
}
