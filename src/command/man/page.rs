//! A manual page, and where `man` looks for it.

use crate::error::{Error, Result};
use std::path::Path;

/// The version that the pages name.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The date that the pages show: the day on which the work on this version began.
pub(super) const DATE: &str = "2026-11-26";

/// The most bytes of a line in the source of a page.
const MAX_LINE: usize = 79;

/// The source of a page as `mandoc -T lint` wants it: lines of text are folded, and breaks beside
/// empty lines left out.
pub(super) fn linted(source: &str) -> String {
    let source = source.replace("\n.br\n\n.br\n", "\n.sp\n");
    let mut linted = String::with_capacity(source.len() + source.len() / 20);
    let mut is_filled = true;
    for line in source.lines() {
        is_filled = match line {
            ".nf" => false,
            ".fi" => true,
            _ => is_filled,
        };
        if is_filled && !line.starts_with(['.', '\'']) {
            fold(line.trim_end(), &mut linted);
        } else {
            linted.push_str(line);
        }
        linted.push('\n');
    }
    linted
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

/// The page of the configuration file.
pub(super) const CONFIG_PAGE: &str = "rechat.toml";

/// A manual page.
pub(super) struct ManPage {
    /// Without section.
    pub(super) name: String,
    pub(super) section: u8,
    pub(super) text: String,
}

impl ManPage {
    /// Writes it where `man` looks for it, below a folder of the manual path.
    pub(super) fn write_below(&self, folder: &Path) -> Result<()> {
        let section = folder.join(format!("man{}", self.section));
        let file = section.join(format!("{}.{}", self.name, self.section));
        std::fs::create_dir_all(&section)
            .and_then(|()| std::fs::write(&file, &self.text))
            .map_err(|error| Error::failed(format!("cannot write {}: {error}", file.display())))
    }
}
