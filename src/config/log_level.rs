//! `log.level`

use crate::error::{Error, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The filter of a level, or of a list such as `info,rechat::access=debug`.
///
/// # Errors
///
/// A part of it is no level.
pub fn log_filter(level: &str) -> Result<EnvFilter> {
    // A word alone would be read as the name of a module, and all other modules would log nothing.
    let is_level = |word: &str| word.contains('=') || word.trim().parse::<LevelFilter>().is_ok();
    if !level.split(',').all(is_level) {
        return Err(Error::failed(format!("`log.level` is {level:?}, which is no level"))
            .hint("write error, warn, info, debug, trace or off"));
    }
    EnvFilter::try_new(level)
        .map_err(|error| Error::failed(format!("`log.level` is {level:?}: {error}")))
}
