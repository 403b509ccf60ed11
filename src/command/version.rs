//! `rechat version`

use super::output::Output;
use crate::cli::{Globals, VERSION};
use crate::error::Result;

pub(super) fn run(globals: &Globals) -> Result<()> {
    let mut out = Output::new(globals);
    out.line(format_args!("rechat {VERSION}"))?;
    out.finish()
}
