//! Small versions of pictures, within bounds of pixels and memory.

use crate::picture::fitted;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{Rgb, RgbImage};
use std::fs::File;
use std::io::{BufReader, Cursor, Seek};

/// Pixels of the longer side.
pub const MAX_SIDE: u32 = 320;

/// Pixels of the longer side of a preview: enough to read a photographed page.
const PREVIEW_SIDE: u32 = 1024;

/// Quality of a preview, from 1 to 100.
const PREVIEW_QUALITY: u8 = 80;

/// The first image of a file as WebP; the error is the reason why it cannot be made.
///
/// # Errors
///
/// It is no picture that can be read, or is too large to be decoded.
pub fn thumbnail(mut file: File) -> Result<Vec<u8>, String> {
    file.rewind().map_err(|error| error.to_string())?;
    let small = fitted(BufReader::new(file), MAX_SIDE)?.to_rgba8();
    let mut webp = Vec::new();
    let encoded = small.write_with_encoder(WebPEncoder::new_lossless(&mut webp));
    encoded.map_err(|error| error.to_string())?;
    Ok(webp)
}

/// The first image of some bytes as JPEG, at most 1024 pixels wide and high, on a white background.
///
/// # Errors
///
/// It is no picture that can be read within the bounds; the text says why.
pub fn preview(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let picture = fitted(Cursor::new(bytes), PREVIEW_SIDE)?.to_rgba8();
    let on_white = RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        let alpha = u16::from(alpha);
        // At most 255, because the weights add up to 255.
        let mixed = |color: u8| ((u16::from(color) * alpha + 255 * (255 - alpha)) / 255) as u8;
        Rgb([red, green, blue].map(mixed))
    });
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, PREVIEW_QUALITY);
    on_white.write_with_encoder(encoder).map_err(|error| error.to_string())?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::png;
    use image::DynamicImage;
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
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
    fn a_preview_is_a_jpeg_on_white() {
        let jpeg = preview(&png(3000, 1500)).unwrap();
        let read = image::load_from_memory_with_format(&jpeg, image::ImageFormat::Jpeg).unwrap();
        assert_eq!((read.width(), read.height()), (1024, 512));
        let mut clear = Cursor::new(Vec::new());
        DynamicImage::new_rgba8(8, 8).write_to(&mut clear, image::ImageFormat::Png).unwrap();
        let jpeg = preview(&clear.into_inner()).unwrap();
        let pixel = image::load_from_memory(&jpeg).unwrap().to_rgb8().get_pixel(4, 4).0;
        assert!(pixel.iter().all(|&part| part > 250), "{pixel:?}");
    }

    #[test]
    fn what_is_no_picture_is_an_error() {
        assert!(thumbnail(file(b"no picture")).is_err());
        assert!(preview(b"no picture").is_err());
    }
}
