//! Help and manual that the program prints, and the files made from them.
//!
//! `UPDATE=1 cargo test --test product generated` writes the files anew.

use crate::server::Home;
use clap::CommandFactory;
use rechat::cli::Cli;
use rechat::config::{BOT_KEYS, ConfigKey, KEYS, TOKEN_KEYS, adapter_keys};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Compares a file of the repository with what it should be, or writes it.
fn same(file: &Path, wanted: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, wanted).unwrap();
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    assert!(kept == wanted, "{} is out of date; run this test with UPDATE=1", file.display());
}

#[test]
fn generated_completions_are_current() {
    let home = Home::new();
    for (shell, name) in [
        ("bash", "rechat.bash"),
        ("zsh", "_rechat"),
        ("fish", "rechat.fish"),
        ("elvish", "rechat.elv"),
        ("powershell", "_rechat.ps1"),
    ] {
        same(&Path::new("completions").join(name), &home.ok(&["completions", shell]));
    }
}

/// The files below a folder, without it.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = entries.flat_map(|path| {
        if path.is_dir() {
            files(&path).iter().map(|inner| path.join(inner)).collect()
        } else {
            vec![path]
        }
    });
    below.map(|path| path.strip_prefix(folder).unwrap().to_owned()).collect()
}

#[test]
fn generated_manual_pages_are_current() {
    let home = Home::new();
    let made = home.path("man");
    home.ok(&["man", "--out", made.to_str().unwrap()]);
    for name in files(&made) {
        let page = fs::read_to_string(made.join(&name)).unwrap();
        assert!(page.contains(".SH EXAMPLES\n.nf\n"), "{} has no examples", name.display());
        same(&Path::new("man").join(&name), &page);
    }
    assert_eq!(files(Path::new("man")), files(&made), "a page is left of a command that is gone");
    let printed = home.ok(&["man", "rechat.toml"]);
    assert_eq!(printed, fs::read_to_string("man/man5/rechat.toml.5").unwrap());
}

#[test]
#[ignore = "needs mandoc: tests/run"]
fn generated_manual_pages_have_no_mistakes() {
    for page in files(Path::new("man")) {
        let lint = std::process::Command::new("mandoc")
            .args(["-T", "lint"])
            .arg(Path::new("man").join(&page))
            .output()
            .expect("this test needs `mandoc`: install it");
        let found = String::from_utf8_lossy(&lint.stdout);
        assert!(lint.status.success() && found.is_empty(), "{}: {found}", page.display());
    }
}

#[test]
fn generated_help_texts_are_current() {
    let home = Home::new();
    let folder = Path::new("tests/product/help");
    let whole = Cli::command();
    let commands = whole.get_subcommands().map(clap::Command::get_name);
    let mut names = BTreeSet::new();
    for command in [None].into_iter().chain(commands.map(Some)) {
        let arguments: Vec<_> = command.into_iter().chain(["--help"]).collect();
        let help = home.ok(&arguments);
        assert!(help.contains("Example"), "{arguments:?} has no examples");
        let name = PathBuf::from(format!("{}.txt", command.unwrap_or("rechat")));
        same(&folder.join(&name), &help);
        names.insert(name);
    }
    assert_eq!(files(folder), names, "a text is left of a command that is gone");
}

/// The rows of a table of keys in the docs.
fn rows(keys: &[ConfigKey]) -> String {
    let row = |key: &ConfigKey| {
        let plain = key.default.starts_with("not set")
            || ["", "none", "by kind", "the server's", "the official one"].contains(&key.default);
        let default = match key.default {
            words if plain || words.starts_with('`') => words.to_owned(),
            value => format!("`{value}`"),
        };
        format!("| `{}` | {default} | {} |\n", key.name, key.meaning)
    };
    keys.iter().map(row).collect()
}

/// The keys and the plain defaults of the tables of a guide.
fn keys_of(file: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(file).unwrap();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let (key, default) = (cells.next()?.strip_suffix('`')?, cells.next()?);
        let is_value = default.starts_with('`') && !default.contains('$');
        cells
            .next()
            .map(|_| (key.to_owned(), if is_value { default.into() } else { String::new() }))
    });
    rows.collect()
}

#[test]
fn tables_of_keys_are_the_same_in_both_languages() {
    let english = keys_of("docs/configuration.md");
    assert!(english.len() > 90, "{english:?}");
    assert_eq!(keys_of("docs/configuration.zh-CN.md"), english);
}

#[test]
fn generated_tables_of_keys_are_current() {
    let file = Path::new("docs/configuration.md");
    let mut text = fs::read_to_string(file).unwrap();
    let head = "| key | default | meaning |\n| --- | --- | --- |\n";
    let mut from = 0;
    for keys in [KEYS, TOKEN_KEYS, &adapter_keys(), BOT_KEYS] {
        let begin = from + text[from..].find(head).unwrap() + head.len();
        let end = text[begin..].find("\n\n").map_or(text.len(), |end| begin + end + 1);
        text.replace_range(begin..end, &rows(keys));
        from = begin;
    }
    same(file, &text);
}
