//! The findings of `rechat doctor`.

use crate::error::Error;
use serde::Serialize;

/// The state of something that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CheckState {
    Well,
    /// It works, and something should be looked at.
    Doubtful,
    /// It does not work.
    Wrong,
}

/// A thing that was checked, and its state.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) about: &'static str,
    pub(super) health: CheckState,
    pub(super) seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
}

/// The findings so far.
#[derive(Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn well(&mut self, about: &'static str, seen: impl Into<String>) {
        self.0.push(Finding { about, health: CheckState::Well, seen: seen.into(), advice: None });
    }

    pub(super) fn add(
        &mut self,
        about: &'static str,
        health: CheckState,
        seen: impl Into<String>,
        advice: &str,
    ) {
        let advice = Some(advice.to_owned());
        self.0.push(Finding { about, health, seen: seen.into(), advice });
    }

    pub(super) fn wrong(&mut self, about: &'static str, error: &Error) {
        let text = error.to_string();
        let (seen, advice) = text.split_once('\n').unwrap_or((&text, ""));
        let advice = Some(advice.trim().to_owned()).filter(|advice| !advice.is_empty());
        self.0.push(Finding { about, health: CheckState::Wrong, seen: seen.into(), advice });
    }
}
