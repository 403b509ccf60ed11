//! Codes for the sign-in of the page: each works once and expires soon.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Lifetime of a code.
pub const CODE_LIFETIME: Duration = Duration::from_mins(1);

/// The most valid codes; beyond it, the oldest is dropped.
const MAX_CODES: usize = 64;

/// The valid codes, the oldest first.
#[derive(Default)]
pub(super) struct Codes(Mutex<VecDeque<Code>>);

struct Code {
    text: String,
    /// Name of the token that the code is for.
    token: String,
    made: Instant,
}

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codes").finish_non_exhaustive()
    }
}

impl Codes {
    pub(super) fn add(&self, code: &str, token: &str, made: Instant) {
        let mut codes = self.good(made);
        if codes.len() >= MAX_CODES {
            codes.pop_front();
        }
        codes.push_back(Code { text: code.to_owned(), token: token.to_owned(), made });
    }

    /// The name of the token for a code; the code does not work again.
    pub(super) fn take(&self, code: &str, now: Instant) -> Option<String> {
        let mut codes = self.good(now);
        let at = codes.iter().position(|known| known.text == code)?;
        codes.remove(at).map(|known| known.token)
    }

    fn good(&self, now: Instant) -> MutexGuard<'_, VecDeque<Code>> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|code| now.saturating_duration_since(code.made) < CODE_LIFETIME);
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_once_and_for_a_minute() {
        let (codes, begin) = (Codes::default(), Instant::now());
        codes.add("a", "token", begin);
        codes.add("b", "token", begin);
        assert_eq!(codes.take("c", begin), None);
        assert_eq!(codes.take("a", begin).as_deref(), Some("token"));
        assert_eq!(codes.take("a", begin), None, "it was used");
        assert_eq!(codes.take("b", begin + CODE_LIFETIME), None, "it is too old");
        (0..=MAX_CODES).for_each(|n| codes.add(&n.to_string(), "token", begin));
        assert_eq!(codes.take("0", begin), None, "there are too many");
        assert!(codes.take("1", begin).is_some());
    }
}
