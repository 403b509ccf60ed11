//! `rechat token`

use super::output::Output;
use crate::cli::GlobalOptions;
use crate::error::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Random bytes of a token: 256 bits cannot be guessed.
const BYTES: usize = 32;

pub(super) fn run(globals: &GlobalOptions) -> Result<()> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::failed(format!("cannot get random bytes from the system: {error}"))
    })?;
    let mut out = Output::new(globals);
    out.line(URL_SAFE_NO_PAD.encode(bytes))?;
    out.finish()
}
