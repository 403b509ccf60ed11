//! `rechat tui`

use crate::cli::{Globals, Tui};
use crate::client::Server;
use crate::error::Result;
use crate::tui;

pub(super) async fn run(tui: Tui, globals: &Globals) -> Result<()> {
    tui::run(Server::find(&tui.source, globals.config.clone())?).await
}
