//! The rules of the house: how the code looks, and which part may know which.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn cargo(arguments: &[&str]) {
    let output = Command::new(env!("CARGO")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}:\n{said}", arguments.join(" "));
}

#[test]
fn the_code_is_formatted() {
    cargo(&["fmt", "--check"]);
}

#[test]
fn clippy_has_nothing_to_say() {
    cargo(&["clippy", "--all-targets", "--quiet", "--", "-D", "warnings"]);
}

/// The parts from the inside out, and what each may use beside the parts before it.
const LAYERS: [&[&str]; 10] = [
    &["error", "clock", "metrics", "health", "model"],
    &["adapter"],
    &["log"],
    &["store"],
    &["protocol"],
    &["hub", "activity"],
    &["ingest", "outbox", "retention"],
    &["config", "shutdown"],
    &["server", "cli", "client"],
    &["tui"],
    &["command"],
];

fn layer_of(part: &str) -> usize {
    let layer = LAYERS.iter().position(|parts| parts.contains(&part));
    layer.unwrap_or_else(|| panic!("`{part}` has no place in LAYERS"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The parts of the crate that a file names, outside its tests.
fn used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let after = code.split("crate::").skip(1);
    let groups = after.flat_map(|rest| match rest.strip_prefix('{') {
        Some(group) => group.split('}').next().unwrap().split(',').map(str::trim).collect(),
        None => vec![rest],
    });
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    groups.map(name).filter(|name: &String| !name.is_empty()).collect()
}

fn parts_with_uses() -> Vec<(String, PathBuf, Vec<String>)> {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let part_of = |path: &Path| {
        let first = path.strip_prefix("src").unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    let files = files.into_iter().map(|path| (part_of(&path), path));
    let inside = files.filter(|(part, _)| part != "lib" && part != "main");
    inside
        .map(|(part, path)| {
            let text = fs::read_to_string(&path).unwrap();
            (part, path, used(&text))
        })
        .collect()
}

#[test]
fn no_part_knows_one_that_is_further_out() {
    for (part, path, uses) in parts_with_uses() {
        for other in uses {
            let is_allowed = layer_of(&other) <= layer_of(&part);
            assert!(is_allowed, "{}: `{part}` must not know `{other}`", path.display());
        }
    }
}

#[test]
fn only_adapters_name_a_protocol() {
    for (part, path, _) in parts_with_uses() {
        let text = fs::read_to_string(&path).unwrap();
        let names = text.to_lowercase().contains("onebot::") || text.contains("onebot11::");
        assert!(part == "adapter" || !names, "{} names a protocol", path.display());
    }
}

#[test]
fn the_terminal_client_asks_the_client_alone() {
    for (part, path, uses) in parts_with_uses() {
        if part == "tui" {
            let allowed = ["tui", "client", "protocol", "model", "error", "clock"];
            let other = uses.iter().find(|used| !allowed.contains(&used.as_str()));
            assert_eq!(other, None, "{} must not know that", path.display());
        }
    }
}

#[test]
fn adapters_know_messages_and_errors_alone() {
    for (part, path, uses) in parts_with_uses() {
        if part == "adapter" {
            let allowed = ["adapter", "model", "error", "clock", "metrics"];
            let other = uses.iter().find(|used| !allowed.contains(&used.as_str()));
            assert_eq!(other, None, "{} must not know that", path.display());
        }
    }
}
