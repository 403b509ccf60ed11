//! Segments as they are written on the command line.

use crate::error::{Error, Result};
use crate::model::content::Segment;

/// Reads `--segments`.
pub(super) fn parse(json: &str) -> Result<Vec<Segment>> {
    serde_json::from_str(json).map_err(|error| {
        Error::usage(format!("--segments: {error}"))
            .hint(r#"it is a JSON array such as [{"type": "text", "text": "Hello"}]"#)
    })
}
