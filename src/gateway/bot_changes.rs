//! Names of bots that new settings changed, for the log.

use std::fmt;

/// Names of bots that new settings changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BotChanges {
    /// Bots that are new.
    pub added: Vec<String>,
    /// Bots with other settings than before.
    pub changed: Vec<String>,
    /// Bots that are gone.
    pub removed: Vec<String>,
}

impl fmt::Display for BotChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts =
            [("added", &self.added), ("changed", &self.changed), ("removed", &self.removed)];
        let told = parts.iter().filter(|(_, names)| !names.is_empty());
        let told: Vec<_> =
            told.map(|(what, names)| format!("{what} {}", names.join(", "))).collect();
        f.write_str(if told.is_empty() { "unchanged" } else { "" })?;
        f.write_str(&told.join("; "))
    }
}
