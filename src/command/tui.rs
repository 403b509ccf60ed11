//! `rechat tui`

use crate::cli::{Globals, Notify, Tui};
use crate::client::Server;
use crate::error::Result;
use crate::tui::{self, Level};

pub(super) async fn run(tui: Tui, globals: &Globals) -> Result<()> {
    let level = match tui.notify {
        Notify::Off => Level::Off,
        Notify::Mentions => Level::Mentions,
        Notify::All => Level::All,
    };
    tui::run(Server::find(&tui.source, globals.config.clone())?, level).await
}
