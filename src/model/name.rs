//! Names of platforms and conversations.

/// The most bytes a platform, recipient or other name may have; they become keys of the store.
pub const NAME_BYTES: usize = 256;

/// The platform that events and filters show for a message that has none yet.
pub const LOCAL: &str = "local";

/// Checks a name that becomes a key: not empty, not too long, no control characters, not `*`.
///
/// # Errors
///
/// A field is wrong; the text names it and says what is right.
pub fn check_name(field: &str, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("`{field}` is empty"));
    }
    if name.len() > NAME_BYTES {
        return Err(format!("`{field}` has {} bytes; at most {NAME_BYTES}", name.len()));
    }
    if name == "*" {
        return Err(format!("`{field}` is `*`, which stands for any; name one"));
    }
    if name.chars().any(char::is_control) {
        return Err(format!("`{field}` has control characters"));
    }
    Ok(())
}
