//! Duration of a sound or video, if a few bytes of its file give it.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::time::Duration;

/// The most boxes or chunks that are read; files have far fewer before the one with the duration.
const MAX_PARTS: usize = 256;

/// Bytes of a voice message whose frames are counted: more than ten minutes.
const MAX_VOICE_BYTES: u64 = 1 << 20;

/// One frame of a voice message (AMR and SILK).
const FRAME: Duration = Duration::from_millis(20);

/// Duration in seconds of a file of this media type; `None` if the file does not give it, or if
/// finding it takes long.
pub(super) fn duration(mut file: impl Read + Seek, mime: &str) -> Option<f64> {
    let told = match mime {
        "video/mp4" | "video/quicktime" | "video/x-m4v" | "audio/m4a" => of_mp4(&mut file),
        "audio/x-wav" => of_wav(&mut file),
        "audio/amr" => of_amr(file),
        "audio/silk" => of_silk(file),
        _ => return None,
    };
    // A file that ends early gives no duration.
    told.ok().flatten().filter(|told| !told.is_zero()).map(|told| told.as_secs_f64())
}

/// The duration of `units` at a rate, to the millisecond.
fn lasting(units: u64, a_second: u32) -> Option<Duration> {
    units.saturating_mul(1000).checked_div(a_second.into()).map(Duration::from_millis)
}

fn bytes<const N: usize>(file: &mut (impl Read + ?Sized)) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The movie header of ISO base media (ISO/IEC 14496-12, section 8.2.2), in the box `moov`.
fn of_mp4(file: &mut (impl Read + Seek)) -> io::Result<Option<Duration>> {
    let mut at = 0;
    for _ in 0..MAX_PARTS {
        file.seek(SeekFrom::Start(at))?;
        let size = u64::from(u32::from_be_bytes(bytes(file)?));
        let name: [u8; 4] = bytes(file)?;
        let (head, size) = match size {
            1 => (16, u64::from_be_bytes(bytes(file)?)),
            size => (8, size),
        };
        match &name {
            b"moov" => at += head,
            b"mvhd" => return movie_header(file),
            _ if size < head => return Ok(None),
            _ => at = at.saturating_add(size),
        }
    }
    Ok(None)
}

fn movie_header(file: &mut impl Read) -> io::Result<Option<Duration>> {
    let [version, ..]: [u8; 4] = bytes(file)?;
    // The times of creation and modification come before it.
    let (scale, units) = if version == 1 {
        bytes::<16>(file)?;
        (u32::from_be_bytes(bytes(file)?), u64::from_be_bytes(bytes(file)?))
    } else {
        bytes::<8>(file)?;
        let scale = u32::from_be_bytes(bytes(file)?);
        let units = u32::from_be_bytes(bytes(file)?);
        // All ones if it is unknown.
        (scale, if units == u32::MAX { 0 } else { u64::from(units) })
    };
    Ok(lasting(if units == u64::MAX { 0 } else { units }, scale))
}

/// The bytes of the samples divided by the bytes a second (RIFF WAVE).
fn of_wav(file: &mut (impl Read + Seek)) -> io::Result<Option<Duration>> {
    let length = file.seek(SeekFrom::End(0))?;
    let (mut at, mut rate) = (12, 0);
    for _ in 0..MAX_PARTS {
        file.seek(SeekFrom::Start(at))?;
        let name: [u8; 4] = bytes(file)?;
        let size = u64::from(u32::from_le_bytes(bytes(file)?));
        match &name {
            b"fmt " => {
                bytes::<8>(file)?;
                rate = u32::from_le_bytes(bytes(file)?);
            }
            b"data" => {
                let there = size.min(length.saturating_sub(at + 8));
                return Ok(lasting(there, rate));
            }
            _ => {}
        }
        // Chunks begin at even offsets.
        at += 8 + size + size % 2;
    }
    Ok(None)
}

/// Counts the frames of a voice message by their lengths; `None` if the file is longer than what is
/// read.
fn frames(
    file: impl Read,
    head: u64,
    mut length: impl FnMut(&mut dyn Read) -> io::Result<Option<u64>>,
) -> io::Result<Option<Duration>> {
    let mut file = BufReader::new(file.take(MAX_VOICE_BYTES));
    io::copy(&mut (&mut file).take(head), &mut io::sink())?;
    let mut count = 0_u32;
    while !file.fill_buf()?.is_empty() {
        let Some(length) = length(&mut file)? else { break };
        count += 1;
        io::copy(&mut (&mut file).take(length), &mut io::sink())?;
    }
    let is_all = file.into_inner().limit() > 0;
    Ok(is_all.then_some(FRAME * count))
}

/// Adaptive multi-rate speech in a file of its own (RFC 4867, section 5).
fn of_amr(mut file: impl Read + Seek) -> io::Result<Option<Duration>> {
    /// Bytes of a frame after its first byte, by type.
    const LENGTHS: [u64; 9] = [12, 13, 15, 17, 19, 20, 26, 31, 5];
    file.rewind()?;
    frames(file, "#!AMR\n".len() as u64, |file| {
        let [first] = bytes(file)?;
        Ok(Some(LENGTHS.get(usize::from(first >> 3 & 15)).copied().unwrap_or(0)))
    })
}

/// Voice messages of QQ and `WeChat`: SILK, each frame with its length in two bytes before it.
fn of_silk(mut file: impl Read + Seek) -> io::Result<Option<Duration>> {
    file.rewind()?;
    let [first] = bytes(&mut file)?;
    file.rewind()?;
    let head = "#!SILK_V3".len() as u64 + u64::from(first == 2);
    frames(file, head, |file| {
        let length = u16::from_le_bytes(bytes(file)?);
        Ok((length != u16::MAX).then_some(u64::from(length)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    const MIMES: [&str; 4] = ["video/mp4", "audio/x-wav", "audio/amr", "audio/silk"];

    fn lasts(file: &[u8], mime: &str) -> Option<f64> {
        duration(Cursor::new(file), mime)
    }

    fn part(name: &[u8], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes()[..], name, content].concat()
    }

    fn mp4(version: u8, scale: u32, units: &[u8]) -> Vec<u8> {
        let times = vec![0; if version == 1 { 16 } else { 8 }];
        let header = [&[version, 0, 0, 0][..], &times, &scale.to_be_bytes(), units].concat();
        let movie = part(b"moov", &[part(b"udta", b"x"), part(b"mvhd", &header)].concat());
        [part(b"ftyp", b"isom"), part(b"mdat", &[7; 99]), movie].concat()
    }

    #[test]
    fn the_movie_header_tells_wherever_it_is() {
        assert_eq!(lasts(&mp4(0, 1000, &2500_u32.to_be_bytes()), "video/mp4"), Some(2.5));
        assert_eq!(lasts(&mp4(1, 4, &10_u64.to_be_bytes()), "video/quicktime"), Some(2.5));
        for nothing in [0, u32::MAX] {
            assert_eq!(lasts(&mp4(0, 1000, &nothing.to_be_bytes()), "video/mp4"), None);
        }
        assert_eq!(lasts(&mp4(0, 0, &5_u32.to_be_bytes()), "video/mp4"), None);
    }

    #[test]
    fn voices_and_waves_tell() {
        let format = [&[0; 8][..], &8000_u32.to_le_bytes(), &[0; 4]].concat();
        let mut wave = [&b"RIFF\0\0\0\0WAVEfmt "[..], &16_u32.to_le_bytes(), &format].concat();
        wave.extend([&b"data"[..], &99_999_u32.to_le_bytes(), &[0; 4000]].concat());
        assert_eq!(lasts(&wave, "audio/x-wav"), Some(0.5), "only what is there counts");
        let frame = [&[0x3C][..], &[0; 31]].concat();
        assert_eq!(lasts(&[&b"#!AMR\n"[..], &frame.repeat(50)].concat(), "audio/amr"), Some(1.0));
        let frame = [&3_u16.to_le_bytes()[..], b"abc"].concat();
        let silk = [&b"\x02#!SILK_V3"[..], &frame.repeat(100), b"\xff\xff"].concat();
        assert_eq!(lasts(&silk, "audio/silk"), Some(2.0));
        assert_eq!(lasts(&silk[1..], "audio/silk"), Some(2.0));
        let long = [&b"\x02#!SILK_V3"[..], &frame.repeat(300_000)].concat();
        assert_eq!(lasts(&long, "audio/silk"), None);
        assert_eq!(lasts(b"%PDF", "application/pdf"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(file in prop::collection::vec(any::<u8>(), 0..300)) {
            for mime in MIMES {
                lasts(&file, mime);
                lasts(&[&b"\0\0\0\x08moov"[..], &file].concat(), mime);
            }
        }
    }
}
