//! Small pictures of large ones, within bounds of pixels and memory.

use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use std::fs::File;
use std::io::{BufReader, Seek};

/// Pixels of the longer side.
pub const MAX_SIDE: u32 = 320;

/// Pixels of a side that are read at most.
const MAX_READ_SIDE: u32 = 16_384;

/// Bytes of memory that one picture may take while it is read.
const MAX_BYTES: u64 = 256 << 20;

/// The first picture of a file, as WebP; the error says why there is none.
///
/// # Errors
///
/// It is no picture that can be read, or is too large to be decoded.
pub fn thumbnail(mut file: File) -> Result<Vec<u8>, String> {
    file.rewind().map_err(|error| error.to_string())?;
    let reader = ImageReader::new(BufReader::new(file)).with_guessed_format();
    let mut reader = reader.map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_READ_SIDE);
    limits.max_image_height = Some(MAX_READ_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    let orientation = decoder.orientation().map_err(|error| error.to_string())?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    if picture.width() > MAX_SIDE || picture.height() > MAX_SIDE {
        picture = picture.thumbnail(MAX_SIDE, MAX_SIDE);
    }
    picture.apply_orientation(orientation);
    let small = picture.to_rgba8();
    let mut webp = Vec::new();
    let encoded = small.write_with_encoder(WebPEncoder::new_lossless(&mut webp));
    encoded.map_err(|error| error.to_string())?;
    Ok(webp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = DynamicImage::new_rgb8(width, height);
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_large_picture_becomes_small_and_a_small_one_stays() {
        for (given, expected) in [((1000, 500), (320, 160)), ((3, 4), (3, 4))] {
            let small = thumbnail(file(&png(given.0, given.1))).unwrap();
            let small = image::load_from_memory(&small).unwrap();
            assert_eq!((small.width(), small.height()), expected);
        }
    }

    #[test]
    fn a_bomb_is_not_read() {
        // It claims 60,000 times 60,000 pixels and has none.
        let mut bomb = png(1, 1);
        bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        let checksum = crc32fast::hash(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
        let error = thumbnail(file(&bomb)).unwrap_err();
        assert!(error.to_lowercase().contains("limit"), "{error}");
        assert!(thumbnail(file(b"no picture")).is_err());
    }
}
