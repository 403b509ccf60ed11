//! Segments as they are written on the command line.

use crate::error::{Error, Result};
use crate::model::content::Segment;

/// Reads `--segments`.
pub(super) fn parse(json: &str) -> Result<Vec<Segment>> {
    serde_json::from_str(json).map_err(|error| {
        Error::usage(format!("--segments is no JSON array of segments: {error}"))
            .hint(r#"write it so: [{"type": "text", "text": "Hello"}]"#)
    })
}
