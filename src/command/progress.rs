//! Going through much: the lines of a file, and how far one is.

use crate::error::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The lines of a file (`-`: standard input), and its length in bytes where that can be known.
pub(super) fn lines_of(file: &Path) -> Result<(Box<dyn BufRead>, Option<u64>)> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(BufReader::new(io::stdin())), None));
    }
    let cannot = |error| Error::failed(format!("{} cannot be read: {error}", file.display()));
    let opened = File::open(file).map_err(cannot)?;
    let length = opened.metadata().map_err(cannot)?.len();
    Ok((Box::new(BufReader::new(opened)), Some(length)))
}

/// A bar on standard error, over bytes or something else; nothing where that is no terminal.
pub(super) fn progress(length: Option<u64>, unit: &str) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = match (length, unit) {
        (Some(_), "bytes") => "{wide_bar} {percent}% {bytes_per_sec} {eta}".to_owned(),
        (None, "bytes") => "{spinner} {bytes} {bytes_per_sec}".to_owned(),
        (Some(_), _) => "{wide_bar} {percent}% {per_sec} {eta}".to_owned(),
        (None, unit) => format!("{{spinner}} {{pos}} {unit} {{per_sec}}"),
    };
    let style = ProgressStyle::with_template(&template);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
