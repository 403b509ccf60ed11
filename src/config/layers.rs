//! Putting the layers together.

use super::lines::{line_of, lines_to_key};
use super::loaded::{Loaded, leaves};
use super::sources::{Sources, is_key, key_of};
use super::{Config, KEYS};
use crate::error::{Error, Result};
use crate::text::without_type_names;
use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

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

#[cfg(test)]
mod tests;
