//! Names that are asked for once and remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Names remembered; beyond that all are asked for again.
const MAX_REMEMBERED: usize = 4096;
/// Names asked for at once.
const MAX_LOOKUPS: usize = 4;

/// The names of groups and people, by a key.
#[derive(Debug)]
pub(in crate::adapter::onebot) struct Names {
    /// A name; none while it is being asked for, or where the implementation has none.
    known: Mutex<HashMap<String, Option<String>>>,
    lookups: Arc<Semaphore>,
}

impl Default for Names {
    fn default() -> Self {
        Self { known: Mutex::default(), lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }
}

impl Names {
    pub(in crate::adapter::onebot) fn get(&self, key: &str) -> Option<String> {
        self.known().get(key).cloned().flatten()
    }

    pub(in crate::adapter::onebot) fn set(&self, key: &str, name: &str) {
        let mut known = self.known();
        if known.get(key).and_then(Option::as_deref) != Some(name) {
            remember(&mut known, key, Some(name.to_owned()));
        }
    }

    pub(in crate::adapter::onebot) fn forget(&self, key: &str) {
        self.known().remove(key);
    }

    /// Whether to ask for a name now: once each, and few at once. The permit is for the asking.
    pub(in crate::adapter::onebot) fn ask(&self, key: &str) -> Option<OwnedSemaphorePermit> {
        let mut known = self.known();
        if known.contains_key(key) {
            return None;
        }
        let permit = self.permit()?;
        remember(&mut known, key, None);
        Some(permit)
    }

    /// The permit for one request more of these few at once.
    pub(in crate::adapter::onebot) fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.lookups).try_acquire_owned().ok()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Option<String>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remember(known: &mut HashMap<String, Option<String>>, key: &str, name: Option<String>) {
    if known.len() >= MAX_REMEMBERED && !known.contains_key(key) {
        known.clear();
    }
    known.insert(key.to_owned(), name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_asked_for_once() {
        let names = Names::default();
        assert!(names.ask("group_1").is_some());
        assert!(names.ask("group_1").is_none());
        assert_eq!(names.get("group_1"), None);
        names.set("group_1", "Rust");
        assert_eq!(names.get("group_1").as_deref(), Some("Rust"));
        names.set("group_2", "told by an event");
        assert!(names.ask("group_2").is_none());
    }

    #[test]
    fn few_are_asked_for_at_once_and_few_remembered() {
        let names = Names::default();
        let permits: Vec<_> = (0..MAX_LOOKUPS).map(|key| names.ask(&key.to_string())).collect();
        assert!(names.ask("one more").is_none());
        drop(permits);
        assert!(names.ask("one more").is_some(), "it was not taken for asked");
        for key in 0..2 * MAX_REMEMBERED {
            names.set(&format!("group_{key}"), "x");
        }
        assert!(names.known().len() <= MAX_REMEMBERED);
    }
}
