//! How the files of the page are compressed.

use brotli::CompressorWriter;
use flate2::{Compression, write::GzEncoder};
use hyper::header::{ACCEPT_ENCODING, HeaderMap};
use std::io::{self, Write};
use std::ops::RangeInclusive;

/// How a file is compressed.
#[derive(Clone, Copy)]
pub(super) enum Coding {
    /// A tenth smaller than gzip. Browsers accept it over HTTPS, and from their own host.
    Brotli,
    Gzip,
}

impl Coding {
    /// The best of those that `Accept-Encoding` allows.
    pub(super) fn wanted(headers: &HeaderMap) -> Option<Self> {
        [Self::Brotli, Self::Gzip].into_iter().find(|coding| takes(headers, coding.name()))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// How hard brotli tries, of 11: 9 takes twice as long, and saves 0.5 %.
const BROTLI_QUALITY: u32 = 8;

/// The windows of brotli, as powers of two of bytes.
const BROTLI_WINDOWS: RangeInclusive<u32> = 10..=20;

/// A compressed text.
pub(super) fn compress(plain: &[u8], coding: Coding) -> io::Result<Vec<u8>> {
    match coding {
        Coding::Brotli => {
            let window = brotli_window(plain.len());
            let mut encoder = CompressorWriter::new(Vec::new(), 4096, BROTLI_QUALITY, window);
            encoder.write_all(plain)?;
            Ok(encoder.into_inner())
        }
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(plain)?;
            encoder.finish()
        }
    }
}

/// The smallest window with all of a file. Larger ones need 16 MB for each file, which stay in the heap.
fn brotli_window(length: usize) -> u32 {
    let fitting = usize::BITS - length.leading_zeros();
    fitting.clamp(*BROTLI_WINDOWS.start(), *BROTLI_WINDOWS.end())
}

/// Whether `Accept-Encoding` allows a coding: `*` stands for all that are not named.
fn takes(headers: &HeaderMap, wanted: &str) -> bool {
    let given = || headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let named = |name: &str| {
        let mut codings = given().flat_map(|value| value.split(','));
        codings.find_map(|coding| {
            let (coding, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let weight = weight.trim().strip_prefix(['q', 'Q']).and_then(|q| q.strip_prefix('='));
            let weight = weight.and_then(|weight| weight.parse::<f32>().ok());
            coding.trim().eq_ignore_ascii_case(name).then_some(weight != Some(0.0))
        })
    };
    named(wanted).or_else(|| named("*")).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use std::io::Read;

    #[test]
    fn what_is_compressed_goes_only_to_those_who_take_it() {
        for (value, wanted) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip, deflate", Some("gzip")),
            ("br;q=0, gzip;q=0.8", Some("gzip")),
            ("*", Some("br")),
            ("br;q=0, *", Some("gzip")),
            ("*, br;q=0, gzip;q=0", None),
            ("*;q=0, GZIP", Some("gzip")),
            ("gzip;Q=0", None),
            ("identity", None),
            ("", None),
        ] {
            let coding = Coding::wanted(&HeaderMap::from_iter([(
                ACCEPT_ENCODING,
                HeaderValue::from_static(value),
            )]));
            assert_eq!(coding.map(Coding::name), wanted, "{value}");
        }
    }

    #[test]
    fn what_is_compressed_is_read_back_the_same() {
        let plain = include_bytes!("../../../spa/page/app.js").repeat(20);
        let mut read = Vec::new();
        let brotli = compress(&plain, Coding::Brotli).unwrap();
        brotli::Decompressor::new(&brotli[..], 4096).read_to_end(&mut read).unwrap();
        assert_eq!(read, plain);
        assert!(brotli.len() < compress(&plain, Coding::Gzip).unwrap().len());
    }
}
