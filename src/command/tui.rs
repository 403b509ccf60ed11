//! `rechat tui`

use crate::cli::{GlobalOptions, Notify, Pictures, Tui, TuiLanguage};
use crate::client::Server;
use crate::config::state_folder;
use crate::error::Result;
use crate::tui::{self, Graphics, Language, Level};

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
    let language = match tui.language {
        TuiLanguage::Auto => Language::of_environment(),
        TuiLanguage::En => Language::English,
        TuiLanguage::Zh => Language::Chinese,
    };
    // A user without a home folder keeps nothing.
    let saved = state_folder().ok().map(|folder| folder.join("tui.json"));
    let server = Server::find(&tui.source, globals.config.clone())?;
    tui::run(server, level, graphics, language, saved).await
}
