//! What the program prints of itself, and the files that are made from it.
//!
//! `UPDATE=1 cargo test --test product generated` writes the files anew.

use crate::server::Home;
use std::fs;
use std::path::Path;

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

#[test]
fn generated_manual_pages_are_current() {
    let home = Home::new();
    let made = home.path("man");
    home.ok(&["man", "--out", made.to_str().unwrap()]);
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    for name in names(&made) {
        same(&Path::new("man").join(&name), &fs::read_to_string(made.join(&name)).unwrap());
    }
    assert_eq!(names(Path::new("man")), names(&made), "a page is left of a command that is gone");
}

#[test]
fn generated_help_texts_are_current() {
    let home = Home::new();
    let commands = [
        "",
        "serve",
        "send",
        "list",
        "get",
        "set-status",
        "cancel",
        "retry",
        "delete",
        "stats",
        "tui",
        "check",
        "completions",
        "man",
    ];
    for command in commands {
        let arguments: Vec<_> =
            [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let help = home.ok(&arguments);
        assert!(help.contains("Example"), "{command} has no examples");
        let name = if command.is_empty() { "rechat" } else { command };
        same(&Path::new("tests/product/help").join(format!("{name}.txt")), &help);
    }
}
