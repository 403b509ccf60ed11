//! Pictures of messages, as the terminal can show them.

use super::files::{bytes_of, in_background};
use super::model::{MediaItem, Picture};
use crate::client::Server;
use crate::error::{Error, Result};
use crate::picture::{MAX_SIDE, fitted};
use crate::tui::language::say;
use ratatui::layout::Size;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::{FontSize, Resize};
use std::io::Cursor;

/// Pixels of a character, where the terminal does not tell.
const USUAL_FONT: FontSize = FontSize { width: 10, height: 20 };

/// How pictures are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Graphics {
    /// By the environment variables that the terminal set.
    Auto,
    /// The graphics protocol of kitty.
    Kitty,
    /// Sixel graphics of the DEC VT340.
    Sixel,
    /// Inline images of iTerm2.
    Iterm2,
    /// Two coloured pixels for each character; every terminal can do that.
    Blocks,
    /// No pictures.
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
    let none = || Error::failed(say!("pictures are off here; o opens it, s saves it"));
    let picker = picker.ok_or_else(none)?;
    let bytes = bytes_of(server, &attachment).await?;
    in_background(move || {
        let cannot = |why: String| {
            Error::failed(say!("the picture cannot be shown: {} (o opens it, s saves it)", why))
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
    use crate::picture::png;
    use base64::prelude::{BASE64_STANDARD, Engine};
    use image::{Rgba, RgbaImage};
    use ratatui::buffer::{Buffer, Cell};
    use ratatui::layout::Rect;
    use ratatui::widgets::Widget;
    use ratatui_image::Image;
    use std::collections::HashMap;

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

    /// The bytes that a terminal gets for a picture whose left half is red and the right one blue.
    fn drawn(graphics: Graphics) -> String {
        let picture = RgbaImage::from_fn(80, 40, |x, _| if x < 40 { RED } else { BLUE });
        let (size, picker) = (Size { width: 8, height: 2 }, picker(graphics).unwrap());
        let shown = picker.new_protocol(picture.into(), size, Resize::Fit(None)).unwrap();
        let area = Rect::new(0, 0, size.width, size.height);
        let mut buffer = Buffer::empty(area);
        Image::new(&shown).render(area, &mut buffer);
        buffer.content().iter().map(Cell::symbol).collect()
    }

    /// Whether a picture is red on the left and blue on the right, but for what a palette changes.
    fn is_the_picture(picture: &RgbaImage) -> bool {
        let near = |x: u32, wanted: Rgba<u8>| {
            let found = picture.get_pixel(x, picture.height() / 2);
            found.0.iter().zip(wanted.0).all(|(found, wanted)| found.abs_diff(wanted) < 16)
        };
        near(picture.width() / 4, RED) && near(picture.width() * 3 / 4, BLUE)
    }

    const RED: Rgba<u8> = Rgba([255, 0, 0, 255]);
    const BLUE: Rgba<u8> = Rgba([0, 0, 255, 255]);

    /// The graphics protocol of kitty: the keys of the first part, and the payload of all parts.
    fn kitty(written: &str) -> RgbaImage {
        let parts: Vec<_> = written
            .split("\x1b_G")
            .skip(1)
            .map(|part| part.split_once("\x1b\\").unwrap().0.split_once(';').unwrap())
            .collect();
        let key = |name| parts[0].0.split(',').find_map(|key| key.strip_prefix(name)).unwrap();
        assert_eq!((key("f="), key("a=")), ("32", "T"), "RGBA that is sent and shown");
        assert!(parts.iter().rev().skip(1).all(|(keys, _)| keys.contains("m=1")));
        assert!(parts.last().unwrap().0.contains("m=0"), "the last part ends it");
        let bytes = parts.iter().flat_map(|(_, base64)| BASE64_STANDARD.decode(base64).unwrap());
        let (width, height) = (key("s=").parse().unwrap(), key("v=").parse().unwrap());
        RgbaImage::from_raw(width, height, bytes.collect()).expect("as many pixels as it says")
    }

    /// The inline images of iTerm2: a PNG as base64.
    fn iterm2(written: &str) -> RgbaImage {
        let (_, file) = written.split_once("\x1b]1337;File=inline=1;").unwrap();
        let (head, rest) = file.split_once(':').unwrap();
        let bytes = BASE64_STANDARD.decode(rest.split_once('\x07').unwrap().0).unwrap();
        assert!(head.contains(&format!("size={}", bytes.len())), "{head}");
        image::load_from_memory_with_format(&bytes, image::ImageFormat::Png).unwrap().to_rgba8()
    }

    /// Sixels (DEC STD 070): colours in percent, and bands of six rows each.
    fn sixel(written: &str) -> RgbaImage {
        let (_, begun) = written.split_once("\x1bP").unwrap();
        let (_, data) = begun.split_once("\x1b\\").unwrap().0.split_once('q').unwrap();
        let mut picture = RgbaImage::new(80, 48);
        let (mut palette, mut colour) = (HashMap::new(), BLUE);
        let (mut x, mut y) = (0, 0);
        let mut rest = data;
        let numbers = |text: &str| -> (Vec<u32>, usize) {
            let end = text.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(text.len());
            (text[..end].split(';').filter_map(|number| number.parse().ok()).collect(), end)
        };
        while let Some(command) = rest.chars().next() {
            rest = &rest[1..];
            let mut times = 1;
            let mut sixel = command;
            match command {
                '#' | '"' | '!' => {
                    let (values, end) = numbers(rest);
                    rest = &rest[end..];
                    match (command, &values[..]) {
                        ('#', [place, 2, red, green, blue]) => {
                            let part = |percent: &u32| u8::try_from(percent * 255 / 100).unwrap();
                            let made = Rgba([part(red), part(green), part(blue), 255]);
                            palette.insert(*place, made);
                        }
                        ('#', [place]) => colour = palette[place],
                        ('!', [count]) => {
                            times = *count;
                            sixel = rest.chars().next().unwrap();
                            rest = &rest[1..];
                        }
                        _ => {}
                    }
                }
                '$' => x = 0,
                '-' => (x, y) = (0, y + 6),
                _ => {}
            }
            let Some(bits) = u32::from(sixel).checked_sub(63).filter(|bits| *bits < 64) else {
                continue;
            };
            for _ in 0..times {
                for row in (0..6).filter(|row| bits >> row & 1 == 1) {
                    if x < 80 && y + row < 48 {
                        picture.put_pixel(x, y + row, colour);
                    }
                }
                x += 1;
            }
        }
        image::imageops::crop_imm(&picture, 0, 0, 80, 40).to_image()
    }

    #[test]
    fn a_terminal_that_decodes_the_bytes_sees_the_picture() {
        assert!(is_the_picture(&kitty(&drawn(Graphics::Kitty))));
        assert!(is_the_picture(&iterm2(&drawn(Graphics::Iterm2))));
        assert!(is_the_picture(&sixel(&drawn(Graphics::Sixel))));
    }
}
