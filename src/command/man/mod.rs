//! `rechat man`

mod command_page;
mod config_page;

use crate::cli::{Cli, Man};
use crate::error::{Error, Result};
use clap::CommandFactory;
use std::io::Write;
use std::path::Path;

/// The page of the configuration file.
const CONFIG_PAGE: &str = "rechat.toml";

/// A manual page.
struct Page {
    /// Without section.
    name: String,
    section: u8,
    text: String,
}

pub(super) fn run(man: &Man) -> Result<()> {
    let pages = pages();
    if let Some(folder) = &man.out {
        return pages.iter().try_for_each(|page| page.write_below(folder));
    }
    let wanted = match man.page.as_deref() {
        None => "rechat".to_owned(),
        Some(CONFIG_PAGE) => CONFIG_PAGE.to_owned(),
        Some(command) => format!("rechat-{command}"),
    };
    let page = pages.iter().find(|page| page.name == wanted).ok_or_else(|| {
        let asked = man.page.as_deref().unwrap_or_default();
        Error::usage(format!("there is no page `{asked}`"))
            .hint(format!("name a command, as `rechat --help` lists them, or `{CONFIG_PAGE}`"))
    })?;
    std::io::stdout().write_all(page.text.as_bytes()).map_err(|error| Error::of_output(&error))
}

/// Every page there is.
fn pages() -> Vec<Page> {
    // Without the commit, for the pages are kept and would change with each.
    let mut whole = Cli::command().version(VERSION).disable_help_subcommand(true);
    whole.build();
    let mut commands: Vec<_> = whole.get_subcommands().cloned().collect();
    commands.insert(0, whole);
    let mut pages: Vec<_> = commands.into_iter().map(command_page::page).collect();
    pages.push(config_page::page());
    pages
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The date that the pages show: the day on which the work on this version began.
const DATE: &str = "2026-11-26";

/// The most bytes of a line in the source of a page.
const MAX_LINE: usize = 79;

/// The source of a page as `mandoc -T lint` wants it: lines of text are folded, and breaks beside
/// empty lines left out.
fn tidy(source: &str) -> String {
    let source = source.replace("\n.br\n\n.br\n", "\n.sp\n");
    let mut tidy = String::with_capacity(source.len() + source.len() / 20);
    let mut is_filled = true;
    for line in source.lines() {
        is_filled = match line {
            ".nf" => false,
            ".fi" => true,
            _ => is_filled,
        };
        if is_filled && !line.starts_with(['.', '\'']) {
            fold(line.trim_end(), &mut tidy);
        } else {
            tidy.push_str(line);
        }
        tidy.push('\n');
    }
    tidy
}

/// Breaks a line of text between words; a word that would be read as a request begins no line.
fn fold(line: &str, folded: &mut String) {
    let mut length = 0;
    for (number, word) in line.split(' ').enumerate() {
        let is_request = word.starts_with(['.', '\'']);
        if number > 0 && length + 1 + word.len() > MAX_LINE && !is_request && !word.is_empty() {
            folded.push('\n');
            length = 0;
        } else if number > 0 {
            folded.push(' ');
            length += 1;
        }
        folded.push_str(word);
        length += word.len();
    }
}

impl Page {
    /// Writes it where `man` looks for it, below a folder of the manual path.
    fn write_below(&self, folder: &Path) -> Result<()> {
        let section = folder.join(format!("man{}", self.section));
        let file = section.join(format!("{}.{}", self.name, self.section));
        std::fs::create_dir_all(&section)
            .and_then(|()| std::fs::write(&file, &self.text))
            .map_err(|error| Error::failed(format!("cannot write {}: {error}", file.display())))
    }
}
