//! The configuration in force, and which layer each setting comes from.

use super::Config;
use crate::error::{Error, Result};
use crate::text::without_secrets;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// The configuration in force.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration, of all layers.
    pub config: Config,
    /// The source of each key; a key with its default value is missing.
    pub(super) origins: BTreeMap<String, String>,
    /// The adapters as they were written.
    pub(super) adapters: Vec<Value>,
    /// The bots as they were written.
    pub(super) bots: Vec<Value>,
}

impl Loaded {
    /// The adapters as they were written.
    pub fn adapters(&self) -> &[Value] {
        &self.adapters
    }

    /// The bots as they were written.
    pub fn bots(&self) -> &[Value] {
        &self.bots
    }

    /// The keys whose values differ from another configuration's; those of adapters, and tokens,
    /// are not among them.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let values = |loaded: &Self| {
            let mut values = BTreeMap::new();
            let table = Table::try_from(&loaded.config).unwrap_or_default();
            leaves("", &table, &mut |key, value| {
                drop(values.insert(key.to_owned(), value.to_string()))
            });
            values
        };
        let (mine, theirs) = (values(self), values(other));
        let keys: BTreeSet<_> = mine.keys().chain(theirs.keys()).collect();
        keys.into_iter().filter(|key| mine.get(*key) != theirs.get(*key)).cloned().collect()
    }

    /// Every setting as TOML, each with a word on where it comes from.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or a value in it, in the environment or in the flags is wrong; the
    /// error names it and its line.
    pub fn describe(&self) -> Result<String> {
        let table = Table::try_from(&self.config)
            .map_err(|error| Error::failed(format!("cannot print the configuration: {error}")))?;
        let mut lines = Vec::new();
        leaves("", &table, &mut |key, value| {
            let origin = self.origins.get(key).map_or("default", String::as_str);
            let line = format!("{key} = {}", shown(value));
            lines.push(format!("{line:<48} # {origin}"));
        });
        for (list, entries) in [("adapter", &self.adapters), ("bot", &self.bots)] {
            let origin = self.origins.get(list).map_or("default", String::as_str);
            for (number, entry) in entries.iter().enumerate() {
                for (name, value) in entry.as_table().into_iter().flatten() {
                    let shown = match name.as_str() {
                        "token" => Value::from("***").to_string(),
                        _ => shown(value),
                    };
                    let line = format!("{list}[{number}].{name} = {shown}");
                    lines.push(format!("{line:<48} # {origin}"));
                }
            }
        }
        Ok(lines.join("\n"))
    }
}

/// A value as it is printed; an address without the secrets in it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains("://") => {
            Value::from(without_secrets(text)).to_string()
        }
        value => value.to_string(),
    }
}

/// Visits every value that is no table, with its dotted key.
pub(super) fn leaves(above: &str, table: &Table, visit: &mut impl FnMut(&str, &Value)) {
    for (name, value) in table {
        let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match value {
            Value::Table(inner) => leaves(&key, inner, visit),
            value => visit(&key, value),
        }
    }
}
