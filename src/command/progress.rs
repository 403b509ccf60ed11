//! Going through much: the lines of a file, an older store, and how far one is.

use crate::error::{Error, Result, tell};
use crate::store::{MigrationProgress, MigrationStep};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The most bytes of a line: a message with a file in it.
const MAX_LINE_BYTES: u64 = 128 << 20;

/// The lines of a file (`-`: standard input), and its length in bytes where that can be known.
pub(super) fn lines_of(file: &Path) -> Result<(Box<dyn BufRead>, Option<u64>)> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(BufReader::new(io::stdin())), None));
    }
    let cannot = |error| Error::failed(format!("cannot read {}: {error}", file.display()));
    let opened = File::open(file).map_err(cannot)?;
    let length = opened.metadata().map_err(cannot)?.len();
    Ok((Box::new(BufReader::new(opened)), Some(length)))
}

/// The lines of a text, without their ends and a byte order mark; what is not UTF-8 is replaced.
///
/// # Errors
///
/// Reading fails, or a line has more than [`MAX_LINE_BYTES`].
pub(super) fn lines(mut input: impl BufRead) -> impl Iterator<Item = io::Result<String>> {
    let mut is_first = true;
    std::iter::from_fn(move || {
        let mut bytes = Vec::new();
        match input.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut bytes) {
            Err(error) => return Some(Err(error)),
            Ok(0) => return None,
            Ok(read) if read as u64 > MAX_LINE_BYTES => {
                let text = format!("a line has more than {MAX_LINE_BYTES} bytes");
                return Some(Err(io::Error::other(text)));
            }
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\r', '\n']);
        let text = if is_first { text.trim_start_matches('\u{feff}') } else { text };
        is_first = false;
        Some(Ok(text.to_owned()))
    })
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

/// Tells on standard error that a store of an older version is brought up to date, with a bar where
/// that is a terminal.
pub(super) fn of_migration() -> MigrationProgress {
    let drawn: Mutex<Option<ProgressBar>> = Mutex::default();
    MigrationProgress(Arc::new(move |step| {
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, all, unit) = match step {
            MigrationStep::Begins(file) => {
                tell(format_args!(
                    "{} was written by an older version and is converted; do not stop this, large stores take some minutes",
                    file.display()
                ));
                return;
            }
            MigrationStep::Copied { bytes, all } => (bytes, all, "bytes"),
            MigrationStep::Rewritten { rows, all } => (rows, all, "rows"),
            MigrationStep::Ends => return tell("the store is up to date"),
        };
        let bar = drawn.get_or_insert_with(|| progress(Some(all), unit));
        bar.set_position(done);
        if done >= all {
            bar.finish_and_clear();
            *drawn = None;
        }
    }))
}
