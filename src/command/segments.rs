//! Segments as they are written on the command line.

use crate::error::{Error, Result};
use crate::model::content::Segment;
use crate::text::error_of_json;

/// Reads `--segments`.
pub(super) fn parse(json: &str) -> Result<Vec<Segment>> {
    serde_json::from_str(json).map_err(|error| {
        let why = error_of_json(&error);
        Error::usage(format!("--segments is no JSON array of segments: {why}"))
            .hint(r#"write it so: [{"type": "text", "text": "Hello"}]"#)
    })
}
