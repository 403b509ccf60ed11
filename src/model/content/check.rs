//! Checks of segments that a client sent.

use super::limits::{MAX_FORWARD_DEPTH, MAX_SEGMENTS};
use super::segment::Segment;

/// Checks segments at a depth of forwards; `count` is the number of segments that were checked
/// before.
pub(super) fn check_all(
    segments: &[Segment],
    depth: usize,
    count: &mut usize,
) -> Result<(), String> {
    if depth > MAX_FORWARD_DEPTH {
        return Err(format!("`segments`: forwards lie more than {MAX_FORWARD_DEPTH} deep"));
    }
    for (place, segment) in segments.iter().enumerate() {
        *count += 1;
        if *count > MAX_SEGMENTS {
            return Err(format!("`segments` has more than {MAX_SEGMENTS} entries"));
        }
        let field = match segment {
            Segment::Mention { user, .. } if user.is_empty() => Some("user"),
            Segment::Other { name, .. } if name.is_empty() => Some("name"),
            Segment::Forward { items, .. } => {
                for item in items {
                    check_all(&item.segments, depth + 1, count)?;
                }
                None
            }
            _ => None,
        };
        if let Some(field) = field {
            return Err(format!("`segments[{place}].{field}` is empty"));
        }
    }
    Ok(())
}
