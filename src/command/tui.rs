//! `rechat tui`

use crate::cli::{GlobalOptions, Notify, Pictures, Tui};
use crate::client::Server;
use crate::error::Result;
use crate::tui::{self, Graphics, Level};

pub(super) async fn run(tui: Tui, globals: &GlobalOptions) -> Result<()> {
    let level = match tui.notify {
        Notify::Off => Level::Off,
        Notify::Mentions => Level::Mentions,
        Notify::All => Level::All,
    };
    let graphics = match tui.pictures {
        Pictures::Auto => Graphics::Auto,
        Pictures::Kitty => Graphics::Kitty,
        Pictures::Sixel => Graphics::Sixel,
        Pictures::Iterm2 => Graphics::Iterm2,
        Pictures::Blocks => Graphics::Blocks,
        Pictures::Off => Graphics::Off,
    };
    tui::run(Server::find(&tui.source, globals.config.clone())?, level, graphics).await
}
