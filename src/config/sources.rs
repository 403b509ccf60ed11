//! Where settings come from: the file, the environment and flags.

use super::KEYS;
use crate::error::{Error, Result};
use std::path::PathBuf;
use toml::{Table, Value};

/// Begins the name of every variable that sets a key; `__` stands between the parts of a key.
const PREFIX: &str = "RECHAT_";

/// Variables with our prefix that are no keys of the configuration.
const NOT_KEYS: [&str; 9] = [
    "RECHAT_CONFIG",
    "RECHAT_SERVER",
    "RECHAT_CA",
    // Settings of `rechat tui`.
    "RECHAT_NOTIFY",
    "RECHAT_TUI_LANGUAGE",
    "RECHAT_TUI_PICTURES",
    // `rechat watch` gives these to the command that it runs.
    "RECHAT_ID",
    "RECHAT_PLATFORM",
    "RECHAT_CONVERSATION",
];

/// Where settings come from, the weakest first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file, and whether it was named explicitly (then it must exist).
    pub file: PathBuf,
    /// Whether the file was named, and so has to exist.
    pub file_was_named: bool,
    /// The environment; only names that begin with `RECHAT_` matter.
    pub environment: Vec<(String, String)>,
    /// Flags: the key they set, how the flag is called, its value.
    pub flags: Vec<(&'static str, &'static str, Value)>,
    /// Adapters beside those of the file.
    pub more_adapters: Vec<Table>,
}

impl Sources {
    /// The process's environment and a file: `named`, else `RECHAT_CONFIG`, else the default.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or a value in it, in the environment or in the flags is wrong; the
    /// error names it and its line.
    pub fn of_process(named: Option<PathBuf>) -> Result<Self> {
        let named = named.or_else(|| std::env::var_os("RECHAT_CONFIG").map(PathBuf::from));
        let file_was_named = named.is_some();
        let file = named.map_or_else(super::default_file, Ok);
        let mut environment = Vec::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
                continue;
            };
            let Some(value) = value.to_str() else {
                if !is_key(&key_of(name)) {
                    continue;
                }
                let problem = format!("the environment variable {name} is no UTF-8 text");
                return Err(
                    Error::failed(problem).hint("write it anew; it may have another encoding")
                );
            };
            environment.push((name.to_owned(), value.to_owned()));
        }
        Ok(Self {
            // Without a home folder there is just no file to read.
            file: if file_was_named { file? } else { file.unwrap_or_default() },
            file_was_named,
            environment,
            flags: Vec::new(),
            more_adapters: Vec::new(),
        })
    }

    /// A warning for each variable with our prefix that sets nothing. They are no errors:
    /// Kubernetes sets `RECHAT_PORT` and the like beside every service of that name.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let names = self.environment.iter().map(|(name, _)| name);
        let unknown = names.filter(|name| !NOT_KEYS.contains(&&***name) && !is_key(&key_of(name)));
        unknown.map(|name| format!("the environment variable {name} is not known and sets nothing"))
    }
}

/// The key that a variable of this name would set.
pub(super) fn key_of(variable: &str) -> String {
    variable.trim_start_matches(PREFIX).to_lowercase().replace("__", ".")
}

/// Whether a variable may set this key.
pub(super) fn is_key(key: &str) -> bool {
    ["tokens", "adapter", "bot"].contains(&key) || KEYS.iter().any(|known| known.name == key)
}
