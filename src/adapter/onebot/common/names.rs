//! Names that are remembered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names remembered; beyond that all are asked for again.
const MAX_REMEMBERED: usize = 4096;

/// The names of groups and people, by a key.
#[derive(Debug, Default)]
pub(in crate::adapter::onebot) struct Names {
    /// A name; `None` where the implementation said that it has none.
    known: Mutex<HashMap<String, Option<String>>>,
}

impl Names {
    pub(in crate::adapter::onebot) fn get(&self, key: &str) -> Option<String> {
        self.known().get(key).cloned().flatten()
    }

    /// Whether a name is not known, and may be asked for.
    pub(in crate::adapter::onebot) fn is_open(&self, key: &str) -> bool {
        !self.known().contains_key(key)
    }

    pub(in crate::adapter::onebot) fn set(&self, key: &str, name: &str) {
        self.keep(key, Some(name));
    }

    /// Keeps an answer: a name, or that there is none.
    pub(in crate::adapter::onebot) fn keep(&self, key: &str, name: Option<&str>) {
        let mut known = self.known();
        if known.get(key).map(Option::as_deref) == Some(name) {
            return;
        }
        if known.len() >= MAX_REMEMBERED && !known.contains_key(key) {
            known.clear();
        }
        known.insert(key.to_owned(), name.map(str::to_owned));
    }

    pub(in crate::adapter::onebot) fn forget(&self, key: &str) {
        self.known().remove(key);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Option<String>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_remembered_also_where_it_is_no_name() {
        let names = Names::default();
        assert!(names.is_open("group_1"));
        names.keep("group_1", None);
        assert!(!names.is_open("group_1"));
        assert_eq!(names.get("group_1"), None);
        names.set("group_1", "Rust");
        assert_eq!(names.get("group_1").as_deref(), Some("Rust"));
        names.forget("group_1");
        assert!(names.is_open("group_1"));
    }

    #[test]
    fn few_are_remembered() {
        let names = Names::default();
        for key in 0..2 * MAX_REMEMBERED {
            names.set(&format!("group_{key}"), "x");
        }
        assert!(names.known().len() <= MAX_REMEMBERED);
    }
}
