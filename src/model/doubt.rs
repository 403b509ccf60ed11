//! The doubt whether a message was sent.

use serde::{Deserialize, Serialize};

/// Accounts remembered that may have sent a message.
const MAX_ACCOUNTS: usize = 16;

/// Attempts that may have sent a message: they have ended, or somebody set the status since the claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Doubt {
    /// When the first of them began, in Unix seconds; 0 if that is not known.
    pub since: u64,
    /// The accounts that made them, without the one that made the last attempt.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_accounts: Vec<String>,
}

impl Doubt {
    /// The last attempt is one by `account` from now on; the one before it was by `before`, if that may have sent
    /// the message.
    pub(super) fn last_attempt_is_by(&mut self, account: Option<&str>, before: Option<&str>) {
        let others = &mut self.other_accounts;
        if let Some(before) = before
            && others.len() < MAX_ACCOUNTS
            && others.iter().all(|other| other != before)
        {
            others.push(before.to_owned());
        }
        others.retain(|other| account != Some(other));
    }
}
