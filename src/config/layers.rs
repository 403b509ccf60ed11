//! Putting the layers together, and remembering which one said what.

use super::lines::{line_of, lines_to_key};
use super::{Config, KEYS};
use crate::error::{Error, Result};
use crate::text::{without_secrets, without_type_names};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Begins the name of every variable that sets a key; `__` stands between the parts of a key.
const PREFIX: &str = "RECHAT_";

/// Variables with our prefix that are no keys of the configuration.
const NOT_KEYS: [&str; 6] = [
    "RECHAT_CONFIG",
    "RECHAT_SERVER",
    "RECHAT_CA",
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

/// The configuration in force.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration, of all layers.
    pub config: Config,
    /// The source of each key; a key with its default value is missing.
    origins: BTreeMap<String, String>,
    /// The adapters as they were written.
    adapters: Vec<Value>,
    /// The bots as they were written.
    bots: Vec<Value>,
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

/// Reads and joins all layers; unknown keys and wrong values are refused by name and place.
///
/// # Errors
///
/// A file cannot be read, or a value in it, in the environment or in the flags is wrong; the error
/// names it and its line.
pub fn load(sources: &Sources) -> Result<Loaded> {
    let mut table = Table::new();
    let mut origins = BTreeMap::new();
    let mut file = String::new();
    if let Some((text, read)) = read_file(&sources.file, sources.file_was_named)? {
        let origin = sources.file.display().to_string();
        leaves("", &read, &mut |key, _| drop(origins.insert(key.to_owned(), origin.clone())));
        (file, table) = (text, read);
    }
    for (name, text) in &sources.environment {
        let key = key_of(name);
        if !is_key(&key) {
            continue;
        }
        set_from_text(&mut table, &key, text)
            .map_err(|problem| Error::failed(format!("environment variable {name}: {problem}")))?;
        origins.insert(key, name.clone());
    }
    for (key, flag, value) in &sources.flags {
        set(&mut table, key, value.clone());
        parse(&table).map_err(|problem| Error::usage(format!("{flag}: {problem}")))?;
        origins.insert((*key).to_owned(), (*flag).to_owned());
    }
    if !sources.more_adapters.is_empty()
        && let Value::Array(adapters) = table.entry("adapter").or_insert(Value::Array(Vec::new()))
    {
        adapters.extend(sources.more_adapters.iter().cloned().map(Value::Table));
    }
    let placed = |error: Error| match place_of(&error, &sources.file, &file, &origins) {
        Some(place) => error.at(place),
        None => error,
    };
    let config = parse(&table).map_err(Error::failed)?.completed().map_err(placed)?;
    let mut list = |key: &str| match table.remove(key) {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let (adapters, bots) = (list("adapter"), list("bot"));
    Ok(Loaded { config, origins, adapters, bots })
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
        let keys: std::collections::BTreeSet<_> = mine.keys().chain(theirs.keys()).collect();
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

/// The place that set the first key of those that an error names: the line of the file, or the name of the
/// variable or flag.
fn place_of(
    error: &Error,
    path: &Path,
    file: &str,
    origins: &BTreeMap<String, String>,
) -> Option<String> {
    let text = error.to_string();
    let mut keys = text.split('`').skip(1).step_by(2);
    let (key, origin) = keys.find_map(|key| Some((key, origins.get(key)?)))?;
    let line = line_of(file, key).filter(|_| *origin == path.display().to_string());
    Some(line.map_or_else(|| origin.clone(), |line| format!("{origin}, line {line}")))
}

/// The text of the file, and what it says.
fn read_file(path: &Path, has_to_be_there: bool) -> Result<Option<(String, Table)>> {
    let text = match std::fs::read_to_string(path) {
        // Editors of Windows put a byte order mark before the text.
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !has_to_be_there => {
            return Ok(None);
        }
        Err(error) => {
            let is_missing = error.kind() == std::io::ErrorKind::NotFound;
            let text = format!("cannot read the configuration {}: {error}", path.display());
            return Err(Error::failed(text).hint(if is_missing {
                "create it, an empty file will do; or leave --config and RECHAT_CONFIG out"
            } else {
                "give this user the right to read it"
            }));
        }
    };
    let wrong = |error: toml::de::Error| {
        let (before, after) = text.split_at(error.span().map_or(0, |span| span.start));
        let line = before.matches('\n').count() + 1 + lines_to_key(after, error.message());
        let start = before.rsplit('\n').next().unwrap_or_default();
        let rest = after.split('\n').next().unwrap_or_default();
        let problem = with_key(&format!("{start}{rest}"), error.message());
        Error::failed(format!("{}, line {line}: {problem}", path.display()))
            .hint("`rechat man rechat.toml | man -l -` explains every key")
    };
    toml::from_str::<Config>(&text).map_err(wrong)?;
    let read = text.parse::<Table>().map_err(wrong)?;
    Ok(Some((text, read)))
}

/// An error with the key that its line sets, unless it names that itself, and an example of the key.
fn with_key(line: &str, error: &str) -> String {
    let error = without_type_names(error, "a table");
    let key = line.split_once('=').map_or("", |(key, _)| key.trim());
    if key.is_empty() || error.contains(&format!("`{key}`")) {
        return error;
    }
    let example = KEYS.iter().find(|known| known.name == key && !known.example.is_empty());
    let example = example.map(|known| format!("; for example `{key} = {}`", known.example));
    format!("`{key}`: {error}{}", example.unwrap_or_default())
}

/// The key that a variable of this name would set.
fn key_of(variable: &str) -> String {
    variable.trim_start_matches(PREFIX).to_lowercase().replace("__", ".")
}

/// Whether a variable may set this key.
fn is_key(key: &str) -> bool {
    ["tokens", "adapter", "bot"].contains(&key) || KEYS.iter().any(|known| known.name == key)
}

/// Sets a key from a variable: as the TOML value it reads as, else as a string.
fn set_from_text(table: &mut Table, key: &str, text: &str) -> std::result::Result<(), String> {
    let as_string = Value::String(text.to_owned());
    let value = format!("value = {text}").parse::<Table>().ok().and_then(|mut t| t.remove("value"));
    let before = table.clone();
    set(table, key, value.unwrap_or_else(|| as_string.clone()));
    if parse(table).is_ok() {
        return Ok(());
    }
    // A token of digits alone reads as a number, and is a string all the same.
    *table = before;
    set(table, key, as_string);
    parse(table).map(drop)
}

fn parse(table: &Table) -> std::result::Result<Config, String> {
    let text = toml::to_string(table).map_err(|error| error.to_string())?;
    toml::from_str(&text).map_err(|error| without_type_names(error.message(), "a table"))
}

fn set(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => drop(table.insert(key.to_owned(), value)),
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

/// Visits every value that is no table, with its dotted key.
/// A value as it is printed; an address without the secrets in it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains("://") => {
            Value::from(without_secrets(text)).to_string()
        }
        value => value.to_string(),
    }
}

fn leaves(above: &str, table: &Table, visit: &mut impl FnMut(&str, &Value)) {
    for (name, value) in table {
        let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match value {
            Value::Table(inner) => leaves(&key, inner, visit),
            value => visit(&key, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str) -> (tempfile::TempDir, Sources) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        (folder, Sources { file, file_was_named: true, ..Sources::default() })
    }

    #[test]
    fn flags_go_before_the_environment_and_that_before_the_file() {
        let (_folder, mut sources) =
            with_file("default_platform = 'a'\nlisten = '127.0.0.1:1'\n[limits]\nbody_bytes = 5\n");
        sources.environment = vec![
            ("RECHAT_LISTEN".into(), "127.0.0.1:2".into()),
            ("RECHAT_LIMITS__HEAD_SECONDS".into(), "7".into()),
            ("RECHAT_TOKEN".into(), "12345".into()),
            ("RECHAT_DB".into(), "/x".into()),
        ];
        sources.flags = vec![("listen", "--listen", Value::String("127.0.0.1:3".into()))];
        let loaded = load(&sources).unwrap();
        assert_eq!(loaded.config.listen.port(), 3);
        assert_eq!(loaded.config.limits.head_seconds, 7);
        assert_eq!(loaded.config.limits.body_bytes, 5);
        assert_eq!(loaded.config.token, Some(Secret::new("12345")));
        let described = loaded.describe().unwrap();
        assert!(described.contains("# --listen"), "{described}");
        assert!(described.contains("# RECHAT_LIMITS__HEAD_SECONDS"), "{described}");
        assert!(!described.contains("12345"), "{described}");
    }

    #[test]
    fn secrets_of_bots_and_adapters_are_not_printed() {
        let (_folder, sources) = with_file(
            "[[bot]]\nname = 'a'\nkind = 'onebot11'\ntoken = 'hidden'\n\
             url = 'ws://me:hidden@127.0.0.1:1/ws?access_token=hidden'\n\
             [[adapter]]\nkind = 'onebot11'\nplatform = 'qq'\ntoken = 'hidden'\n\
             url = 'ws://127.0.0.1:2/?access_token=hidden'\n\
             [media]\nurl = 'http://me:hidden@127.0.0.1:3'\n",
        );
        let printed = load(&sources).unwrap().describe().unwrap();
        assert!(!printed.contains("hidden"), "{printed}");
        let shown = "bot[0].url = \"ws://***@127.0.0.1:1/ws?access_token=***\"";
        assert!(printed.contains(shown), "{printed}");
    }

    use super::super::Secret;

    #[test]
    fn mistakes_are_told_by_name_and_place() {
        for (text, wanted) in [
            ("listen = '127.0.0.1:1'\nlisten_on = 3", ["line 2", "listen_on"]),
            ("\n\nlisten = 5", ["line 3: `listen`: ", "invalid type"]),
            ("listen = 'x'", ["`listen`: ", "for example `listen = \"0.0.0.0:8080\"`"]),
            ("[limits]\nbody_bytes = 'x'", ["line 2", "`body_bytes`"]),
            ("[limits]\nbody_bytes = 'x'", ["line 2", "expected a whole number"]),
            ("[limits", ["line 1", "unclosed"]),
            ("[retention]\ndays = -1", ["line 2: `retention.days`", "0 or more"]),
            ("\nprefix = 'rechat'", ["line 2: `prefix`", "begin with"]),
            ("log.level = 'verbose'", ["line 1: `log.level`", "no level"]),
            ("[[adapter]]\nkind = 'icq'", ["line 2: `kind` is `icq`", "onebot11"]),
            ("[[bot]]\nname = 'a'\nkind = 'x'", ["line 3", "`kind`"]),
            ("cors_origins = ['https://app.example/']", ["cors_origins", "app.example/"]),
            ("cors_origins = ['app.example']", ["cors_origins", "not an origin"]),
        ] {
            let (_folder, sources) = with_file(text);
            let error = load(&sources).unwrap_err().to_string();
            assert!(wanted.iter().all(|w| error.contains(w)), "{error}");
        }
        let (_folder, mut sources) = with_file("");
        for (variable, value) in [("RECHAT_LISTEN", "x"), ("RECHAT_RETENTION__DAYS", "-1")] {
            sources.environment = vec![(variable.into(), value.into())];
            let error = load(&sources).unwrap_err().to_string();
            assert!(error.contains(variable), "{error}");
        }
    }

    #[test]
    fn variables_that_are_no_keys_are_warned_of_by_name() {
        let (_folder, mut sources) = with_file("");
        let names = ["RECHAT_PORT", "RECHAT_SERVICE_HOST", "RECHAT_PORT_8080_TCP", "RECHAT_LISTN"];
        sources.environment = names.map(|name| (name.into(), "tcp://10.0.0.1:8080".into())).into();
        sources.environment.push(("RECHAT_LIMITS__EXPORTS".into(), "3".into()));
        assert_eq!(load(&sources).unwrap().config.limits.exports, 3);
        let warnings: Vec<_> = sources.warnings().collect();
        assert_eq!(warnings.len(), names.len(), "{warnings:?}");
        assert!(warnings.iter().zip(names).all(|(warning, name)| warning.contains(name)));
    }
}
