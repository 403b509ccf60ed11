//! `rechat tui`

use crate::cli::Tui;
use crate::client::Server;
use crate::error::Result;
use crate::tui;
use std::path::PathBuf;

pub(super) async fn run(tui: Tui, config: Option<PathBuf>) -> Result<()> {
    tui::run(Server::find(&tui.source, config)?).await
}
