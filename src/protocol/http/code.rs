//! Names of errors for programs.

use super::texts::{INVALID_STATUS, INVALID_TYPE, MISSING_DATA, NOT_FOUND, NOT_INITIALIZED};

/// Texts that the contract fixes. A client may compare the whole body, so these errors have no
/// code.
const LITERALS: [&str; 5] =
    [INVALID_STATUS, INVALID_TYPE, NOT_FOUND, NOT_INITIALIZED, MISSING_DATA];

/// Whether the contract fixes a text.
pub fn is_literal(text: &str) -> bool {
    LITERALS.contains(&text)
}

/// The code of an error that has no more specific one, by its HTTP status.
pub fn code_of(status: u16) -> &'static str {
    match status {
        400 => "invalid",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        405 => "method_not_allowed",
        408 => "too_slow",
        409 => "conflict",
        412 => "precondition_failed",
        413 => "too_large",
        414 => "address_too_long",
        415 => "unsupported_media_type",
        416 => "range_not_satisfiable",
        421 => "wrong_host",
        423 => "locked",
        426 => "upgrade_required",
        429 => "too_many_requests",
        431 => "head_too_large",
        500 => "internal",
        502 => "refused",
        503 => "unavailable",
        507 => "no_space",
        _ => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_name_and_literals_have_none() {
        assert_eq!((code_of(401), code_of(418)), ("unauthorized", "error"));
        assert!(is_literal("Message not found") && !is_literal("message not found"));
    }
}
