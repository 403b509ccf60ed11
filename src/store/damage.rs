//! Damage: a panic of redb becomes an error, and a row that cannot be read is logged once and skipped.

use super::error::{Result, StoreError};
use crate::health::HEALTH;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, Mutex, PoisonError};

/// The most damaged rows that are logged.
const MAX_TOLD: usize = 1_000;

/// Damage that was logged already.
static LOGGED: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(Mutex::default);

/// Reads or writes the file. redb panics if a page has an unknown form; the panic becomes an error.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason");
        Err(StoreError::Corrupt(text.to_owned()))
    })
}

/// Skips a damaged row and logs it: the result is then `None`.
pub(super) fn pass_over<T>(read: Result<Option<T>>) -> Result<Option<T>> {
    match read {
        Err(StoreError::Damaged(text)) => {
            let mut told = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() < MAX_TOLD && told.insert(text.clone()) {
                tracing::error!("{text}; it is left out; run `rechat check` for details");
                HEALTH.degrade("damage", format!("{text}; run `rechat check` for details"));
            }
            Ok(None)
        }
        read => read,
    }
}
