//! Pictures that other people made, read within bounds of size and memory.

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use std::io::{BufRead, Seek};

/// Pixels of a side that are read at most.
pub const MAX_SIDE: u32 = 16_384;

/// Bytes of memory that the pixels of one picture may take.
const MAX_BYTES: u64 = 256 << 20;

/// The first picture of a file, upright, and no side longer than `side` pixels.
///
/// # Errors
///
/// It is no picture that can be read, or it is too large; the text says which.
pub fn fitted(file: impl BufRead + Seek, side: u32) -> Result<DynamicImage, String> {
    let reader = ImageReader::new(file).with_guessed_format();
    let mut reader = reader.map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    // The decoder bounds its own buffers, and not the one that the pixels go into.
    limits.reserve(decoder.total_bytes()).map_err(|error| error.to_string())?;
    let orientation = decoder.orientation().map_err(|error| error.to_string())?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    if picture.width() > side || picture.height() > side {
        picture = picture.thumbnail(side, side);
    }
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// A black picture for tests.
#[cfg(test)]
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = DynamicImage::new_rgb8(width, height);
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("it is written to memory");
    bytes.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A PNG of one pixel that claims to be larger, in RGBA.
    fn claims(width: u32, height: u32) -> Cursor<Vec<u8>> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgba8(1, 1).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        let mut bytes = bytes.into_inner();
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let checksum = crc32fast::hash(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
        Cursor::new(bytes)
    }

    #[test]
    fn a_picture_that_is_too_wide_or_takes_too_much_memory_is_not_read() {
        let why = |width, height| fitted(claims(width, height), 10).unwrap_err().to_lowercase();
        assert!(why(60_000, 1).contains("limit"), "{}", why(60_000, 1));
        // No side is too long, and its pixels would take a gigabyte.
        let large = why(MAX_SIDE, MAX_SIDE);
        assert!(large.contains("memory limit"), "{large}");
        assert!(fitted(Cursor::new(b"no picture"), 10).is_err());
    }
}
