//! The lines of a configuration file on which keys are set.

use toml::de::{DeTable, DeValue};

/// The line on which the file sets a key such as `retention.days`.
pub(super) fn line_of(file: &str, key: &str) -> Option<usize> {
    let parsed = DeTable::parse(file).ok()?;
    let (mut table, mut parts) = (parsed.get_ref(), key.split('.').peekable());
    loop {
        let part = parts.next()?;
        let (name, value) = table.iter().find(|(name, _)| name.get_ref() == part)?;
        match value.get_ref() {
            DeValue::Table(inner) if parts.peek().is_some() => table = inner,
            _ => return Some(file[..name.span().start].matches('\n').count() + 1),
        }
    }
}

/// How many lines after the beginning of an entry such as `[[adapter]]` it sets the key that an error
/// names first; 0 where it does not.
pub(super) fn lines_to_key(entry: &str, error: &str) -> usize {
    let Some(key) = error.split('`').nth(1).filter(|_| entry.starts_with('[')) else { return 0 };
    let is_key = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    let mut lines = entry.lines().enumerate().skip(1);
    let found = lines.find(|(_, line)| line.trim_start().starts_with('[') || is_key(line));
    found.filter(|(_, line)| is_key(line)).map_or(0, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_tables_and_with_dots() {
        let file = "# first\nprefix = '/x'\nlog.level = 'x'\n[retention]\n\ndays = -1\n[[bot]]\nname = 'a'\n";
        for (key, line) in [("prefix", 2), ("log.level", 3), ("retention.days", 6), ("bot", 7)] {
            assert_eq!(line_of(file, key), Some(line), "{key}");
        }
        assert_eq!(line_of(file, "retention.messages"), None);
    }

    #[test]
    fn the_key_of_an_entry_is_looked_for_in_that_entry_alone() {
        let entry = "[[adapter]]\nplatform = 'qq'\nkind = 'x'\n[[bot]]\nname = 'a'\n";
        assert_eq!(lines_to_key(entry, "`kind` is `x`; give one of onebot11"), 2);
        assert_eq!(lines_to_key(entry, "missing field `name`"), 0);
        assert_eq!(lines_to_key("kind = 'x'", "`kind` is `x`"), 0);
    }
}
