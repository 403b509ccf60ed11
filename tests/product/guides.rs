//! Examples of guides can be typed: their commands and options are there, their settings and their
//! JSON can be read. Those of both languages.

use crate::readme::blocks;
use clap::{Command, CommandFactory};
use rechat::cli::Cli;
use rechat::config::Config;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Words that stand for any command.
const ANY: [&str; 2] = ["COMMAND", "命令"];

/// Everything that users read.
fn pages() -> Vec<String> {
    let docs = fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.map(|path| path.to_str().unwrap().to_owned());
    let pages = docs.chain(["README.md".to_owned(), "README.zh-CN.md".to_owned()]);
    pages.filter(|page| Path::new(page).extension().is_some_and(|end| end == "md")).collect()
}

/// The commands that stand inside of sentences and tables.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    let inline = text.split("\n```").step_by(2);
    let spans = inline.flat_map(|text| text.split('`').skip(1).step_by(2));
    spans.filter_map(|span| span.strip_prefix("rechat "))
}

/// The option that a command does not have, if any.
fn unknown_option<'s>(command: &Command, span: &'s str) -> Option<&'s str> {
    let own = span.split(" | ").next().unwrap_or(span);
    let words = own.split([' ', '[', ']']).filter(|word| word.starts_with('-') && word.len() > 1);
    let is_known = |word: &str| {
        let Some(long) = word.strip_prefix("--") else {
            let short = word.chars().nth(1);
            return short == Some('h')
                || command.get_arguments().any(|arg| arg.get_short() == short);
        };
        let long = long.split('=').next().unwrap_or(long);
        let has = |arg: &clap::Arg| {
            arg.get_long() == Some(long)
                || arg.get_all_aliases().is_some_and(|all| all.contains(&long))
        };
        ["help", "version"].contains(&long) || command.get_arguments().any(has)
    };
    words.into_iter().find(|word| !is_known(word))
}

#[test]
fn every_command_of_a_sentence_is_there_with_its_options() {
    let mut cli = Cli::command();
    cli.build();
    let mut seen = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for span in spans(&text) {
            let name = span.split(' ').next().unwrap();
            seen += 1;
            if ANY.contains(&name) || name.starts_with("--") {
                continue;
            }
            let command = cli.find_subcommand(name);
            let mut command = command.unwrap_or_else(|| panic!("{page}: no command `{span}`"));
            for word in span.split(' ').skip(1) {
                let Some(part) = command.find_subcommand(word) else { break };
                command = part;
            }
            let unknown = unknown_option(command, span);
            assert_eq!(unknown, None, "{page}: `rechat {span}`");
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn every_setting_and_every_json_of_a_guide_can_be_read() {
    let mut seen = BTreeSet::new();
    for page in pages() {
        for block in blocks(&page) {
            let text = &block.text;
            match block.language.as_str() {
                // The settings of another program.
                "toml" if text.contains("[mcp_servers") => continue,
                "toml" => {
                    let read = toml::from_str::<Config>(text);
                    assert!(read.is_ok(), "{page}: {}\n{text}", read.unwrap_err());
                }
                "json" => {
                    let whole = text.replace("{…}", "{}").replace(",…", "");
                    let read = serde_json::from_str::<Value>(&whole);
                    assert!(read.is_ok(), "{page}: {}\n{text}", read.unwrap_err());
                }
                _ => continue,
            }
            seen.insert(block.language);
        }
    }
    assert_eq!(seen.len(), 2, "{seen:?}");
}
