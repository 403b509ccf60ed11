//! `rechat version`

use super::output::Output;
use crate::cli::{GlobalOptions, VERSION};
use crate::error::Result;

pub(super) fn run(globals: &GlobalOptions) -> Result<()> {
    let mut out = Output::new(globals);
    out.line(format_args!("rechat {VERSION}"))?;
    out.finish()
}
