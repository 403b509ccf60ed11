//! Pictures of messages, as the terminal can show them.

use super::files::{bytes_of, in_background};
use super::model::{MediaItem, Picture};
use crate::client::Server;
use crate::error::{Error, Result};
use crate::picture::{MAX_SIDE, fitted};
use ratatui::layout::Size;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::{FontSize, Resize};
use std::io::Cursor;

/// Pixels of a character, where the terminal does not tell.
const USUAL_FONT: FontSize = FontSize { width: 10, height: 20 };

/// How pictures are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Graphics {
    /// As the terminal's variables in the environment tell.
    Auto,
    Kitty,
    Sixel,
    Iterm2,
    /// Two coloured pixels for each character; every terminal can do that.
    Blocks,
    Off,
}

/// The encoder of pictures for the terminal; `None` where they are off.
pub fn picker(graphics: Graphics) -> Option<Picker> {
    let forced = match graphics {
        Graphics::Off => return None,
        Graphics::Auto => by_environment(),
        Graphics::Kitty => Some(ProtocolType::Kitty),
        Graphics::Sixel => Some(ProtocolType::Sixel),
        Graphics::Iterm2 => Some(ProtocolType::Iterm2),
        Graphics::Blocks => Some(ProtocolType::Halfblocks),
    };
    #[allow(deprecated, reason = "asking the terminal waits for those that do not answer")]
    let mut picker = Picker::from_fontsize(font());
    if let Some(forced) = forced {
        picker.set_protocol_type(forced);
    }
    Some(picker)
}

/// Terminals that the library does not know by their variables.
fn by_environment() -> Option<ProtocolType> {
    let of = |name| std::env::var(name).unwrap_or_default();
    let (term, program) = (of("TERM"), of("TERM_PROGRAM"));
    if term == "xterm-kitty" || term == "xterm-ghostty" || program == "ghostty" {
        return Some(ProtocolType::Kitty);
    }
    let has_sixel = ["foot", "mlterm", "contour", "yaft"].iter().any(|name| term.starts_with(name));
    has_sixel.then_some(ProtocolType::Sixel)
}

/// Pixels of a character.
fn font() -> FontSize {
    let Ok(window) = crossterm::terminal::window_size() else { return USUAL_FONT };
    let cell = |pixels: u16, cells: u16| pixels.checked_div(cells).filter(|&pixels| pixels > 0);
    let font = cell(window.width, window.columns).zip(cell(window.height, window.rows));
    font.map_or(USUAL_FONT, |(width, height)| FontSize { width, height })
}

/// Fetches a picture, and encodes it so that it fits into columns and rows.
pub async fn fetch(
    server: &mut Server,
    picker: Option<Picker>,
    attachment: MediaItem,
    (width, height): (u16, u16),
) -> Result<Picture> {
    let none = || Error::failed("pictures are off here; o opens it, s saves it");
    let picker = picker.ok_or_else(none)?;
    let bytes = bytes_of(server, &attachment).await?;
    in_background(move || {
        let cannot = |why: String| {
            Error::failed(format!("the picture cannot be shown: {why} (o opens it, s saves it)"))
        };
        let image = fitted(Cursor::new(bytes), MAX_SIDE).map_err(cannot)?;
        let size = Size { width, height };
        let shown = picker.new_protocol(image, size, Resize::Fit(None));
        let shown = shown.map_err(|error| cannot(error.to_string()))?;
        Ok(Picture::new(attachment, shown))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::DynamicImage;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = DynamicImage::new_rgb8(width, height);
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_is_encoded_to_fit_however_the_terminal_shows_it() {
        for graphics in [Graphics::Kitty, Graphics::Sixel, Graphics::Iterm2, Graphics::Blocks] {
            let picker = picker(graphics).unwrap();
            let image = fitted(Cursor::new(png(2000, 1000)), MAX_SIDE).unwrap();
            let size = Size { width: 40, height: 30 };
            let shown = picker.new_protocol(image, size, Resize::Fit(None)).unwrap();
            let Size { width, height } = shown.size();
            assert!(width <= 40 && height <= 30 && width > 30, "{graphics:?}: {width} × {height}");
        }
        assert!(picker(Graphics::Off).is_none());
    }
}
