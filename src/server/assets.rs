//! The web page's files: read from `spa/` in debug builds, else carried in the program, each
//! compressed once.
//!
//! The modules of the page go out as one script, its style sheets as one; the words of each language
//! are modules of their own.
//!
//! The page asks for its parts below `/page/<version>/`, where the version is a hash over all of
//! them, so browsers may keep a part for ever; only `/` itself is asked for anew each time.

use super::body::{HttpResponse, JSON, whole};
use super::bundle::{Bundle, shortened, style_sheet};
use super::context::Incoming;
use super::error::{ErrorResponse, Result};
use super::operation::Call;
use crate::low_priority;
use brotli::CompressorWriter;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use hyper::StatusCode;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, HeaderMap,
    HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use rust_embed::RustEmbed;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::collections::HashMap;
use std::hash::Hash;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

#[derive(RustEmbed)]
#[folder = "spa"]
struct Files;

/// The file for `/`.
const INDEX: &str = "index.html";

/// The module with which the page begins.
const SCRIPT: &str = "page/app.js";

/// The script that runs before it.
const EARLY: &str = "page/early.js";

/// Where the modules are that the page loads when it needs them.
const LATER: &str = "page/words/";

/// The style sheet that imports the others.
const STYLE: &str = "page/all.css";

/// The path of the parts in `index.html`, which the version is inserted into.
const PARTS: &str = "\"page/";

/// Only the page's own files and API; media from any host, once the user asks for them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    manifest-src 'self'; img-src 'self' blob: http: https:; media-src blob: http: https:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Sent with every file of the page.
const HEADERS: [(HeaderName, &str); 5] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (VARY, "accept-encoding"),
];

/// All files of one state of the page.
struct PageFiles {
    version: String,
    files: HashMap<String, PageFile>,
}

struct PageFile {
    media_type: &'static str,
    /// With its quotation marks.
    etag: String,
    plain: Bytes,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

/// How a file is compressed.
#[derive(Clone, Copy)]
enum Coding {
    /// A tenth smaller than gzip; browsers take it by HTTPS and on their own host.
    Brotli,
    Gzip,
}

impl Coding {
    /// The best of those that `Accept-Encoding` allows.
    fn wanted(headers: &HeaderMap) -> Option<Self> {
        [Self::Brotli, Self::Gzip].into_iter().find(|coding| takes(headers, coding.name()))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// How hard brotli tries, of 11: 9 takes twice as long, and saves 0.5 %.
const BROTLI_QUALITY: u32 = 8;

/// The window of brotli, as a power of two of bytes: more than the script has.
const BROTLI_WINDOW: u32 = 20;

/// `GET /`; below a prefix only with a slash at the end, because the page uses relative addresses.
pub fn index(request: &Incoming) -> Result<HttpResponse> {
    let path = request.uri().path();
    if path.ends_with('/') {
        return answer(&PageFiles::current(), INDEX, "no-cache", request);
    }
    let mut answer = whole(StatusCode::PERMANENT_REDIRECT, JSON, Bytes::new());
    if let Ok(place) = HeaderValue::from_str(&format!("{path}/")) {
        answer.headers_mut().insert(LOCATION, place);
    }
    Ok(answer)
}

/// `GET /page/{version}/{file}`
pub fn part(call: &Call<'_>) -> Result<HttpResponse> {
    let parameter = |name| call.parameters.get(name).unwrap_or_default();
    let (version, file) = (parameter("version"), parameter("file"));
    let page = PageFiles::current();
    // A page that was opened before an update may still request parts of the older version.
    let is_current = version == page.version;
    let caching = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
    answer(&page, &format!("page/{file}"), caching, &call.request)
}

/// Begins to compress the page: messages that wait are not to wait for it, nor the first visitor.
pub fn compress_page_ahead() {
    if let Err(error) = low_priority::spawn("page", compress_page) {
        tracing::debug!("the page is compressed at the first request: {error}");
    }
}

fn compress_page() {
    for file in PageFiles::current().files.values() {
        file.compressed(Coding::Brotli);
    }
}

fn answer(
    page: &PageFiles,
    name: &str,
    caching: &'static str,
    request: &Incoming,
) -> Result<HttpResponse> {
    let headers = request.headers();
    let file = page.files.get(name).ok_or_else(|| {
        ErrorResponse::new(StatusCode::NOT_FOUND, format!("the page has no file `{name}`"))
    })?;
    let is_known = is_known(headers, &file.etag);
    let coding = Coding::wanted(headers).filter(|_| !is_known);
    let (status, body) = match (is_known, coding) {
        (true, _) => (StatusCode::NOT_MODIFIED, Bytes::new()),
        (false, Some(coding)) => (StatusCode::OK, file.compressed(coding)),
        (false, None) => (StatusCode::OK, file.plain.clone()),
    };
    let mut answer = whole(status, HeaderValue::from_static(file.media_type), body);
    let fields = answer.headers_mut();
    fields.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Some(coding) = coding {
        fields.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    if let Ok(etag) = HeaderValue::from_str(&file.etag) {
        fields.insert(ETAG, etag);
    }
    fields.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    Ok(answer)
}

impl PageFiles {
    /// The present page: in debug builds, the files on the disk at this moment.
    fn current() -> Arc<Self> {
        static LAST: Mutex<Option<Arc<PageFiles>>> = Mutex::new(None);
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = |page: &&Arc<Self>| !cfg!(debug_assertions) || page.version == version();
        if let Some(page) = last.as_ref().filter(is_current) {
            return Arc::clone(page);
        }
        let page = Arc::new(Self::load());
        *last = Some(Arc::clone(&page));
        page
    }

    fn load() -> Self {
        let mut files = HashMap::new();
        for name in Files::iter() {
            let Some(file) = Files::get(&name) else { continue };
            let digest = file.metadata.sha256_hash();
            let plain = if is_module_of_its_own(&name) {
                shortened(&String::from_utf8_lossy(&file.data)).into()
            } else {
                Bytes::from(file.data.into_owned())
            };
            let begin = digest.first_chunk().copied().map_or(0, u64::from_be_bytes);
            let etag = format!("\"{begin:016x}\"");
            files.insert(name.to_string(), PageFile::new(&name, etag, plain));
        }
        let version = version();
        let read = |path: &str| {
            files.get(path).map(|file: &PageFile| String::from_utf8_lossy(&file.plain).into_owned())
        };
        let script = Bundle::of(SCRIPT, &read).script();
        let style = style_sheet(STYLE, &read);
        // The modules are in the script, and the style sheets in the one.
        files.retain(|name, _| is_module_of_its_own(name) || !is_source(name));
        for (name, text) in [(SCRIPT, script), (STYLE, style)] {
            files.insert(name.into(), PageFile::new(name, format!("\"{version}\""), text.into()));
        }
        if let Some(index) = files.get_mut(INDEX) {
            let text = String::from_utf8_lossy(&index.plain);
            let plain = text.replace(PARTS, &format!("{PARTS}{version}/"));
            *index = PageFile::new(INDEX, format!("\"{version}\""), plain.into());
        }
        Self { version, files }
    }
}

/// Whether a module is no part of the script.
fn is_module_of_its_own(name: &str) -> bool {
    name == EARLY || name.starts_with(LATER)
}

fn is_source(name: &str) -> bool {
    matches!(name.rsplit_once('.'), Some((_, "js" | "css")))
}

/// A hash over all files.
fn version() -> String {
    let mut hasher = SipHasher13::new();
    for name in Files::iter() {
        let digest = Files::get(&name).map(|file| file.metadata.sha256_hash());
        (&*name, digest).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish128().h1)
}

impl PageFile {
    fn new(name: &str, etag: String, plain: Bytes) -> Self {
        let (gzip, brotli) = (OnceLock::new(), OnceLock::new());
        Self { media_type: media_type(name), etag, plain, gzip, brotli }
    }

    /// The compressed file. Compressed here where nobody has done it yet: waiting for a thread of low
    /// priority, which may be at it, could take far longer.
    fn compressed(&self, coding: Coding) -> Bytes {
        let kept = match coding {
            Coding::Brotli => &self.brotli,
            Coding::Gzip => &self.gzip,
        };
        if let Some(kept) = kept.get() {
            return kept.clone();
        }
        // Writing to memory does not fail.
        let compressed = compress(&self.plain, coding).unwrap_or_default();
        kept.get_or_init(|| compressed.into()).clone()
    }
}

fn compress(plain: &[u8], coding: Coding) -> io::Result<Vec<u8>> {
    match coding {
        Coding::Brotli => {
            let mut encoder =
                CompressorWriter::new(Vec::new(), 4096, BROTLI_QUALITY, BROTLI_WINDOW);
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

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// Whether `If-None-Match` names the present version of the file.
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut tags = known.unwrap_or_default().split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// Whether `Accept-Encoding` allows a coding.
fn takes(headers: &HeaderMap, wanted: &str) -> bool {
    let given = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = given.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
        (name.trim() == wanted || name.trim() == "*") && weight != Some(0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::io::Read;
    use std::path::Path;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn what_is_compressed_goes_only_to_those_who_take_it() {
        for (value, wanted) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip, deflate", Some("gzip")),
            ("br;q=0, gzip;q=0.8", Some("gzip")),
            ("*", Some("br")),
            ("gzip;q=0", None),
            ("identity", None),
            ("", None),
        ] {
            let coding = Coding::wanted(&headers(ACCEPT_ENCODING, value));
            assert_eq!(coding.map(Coding::name), wanted, "{value}");
        }
    }

    #[test]
    fn what_is_compressed_is_read_back_the_same() {
        let plain = Files::get(SCRIPT).unwrap().data.repeat(20);
        let mut read = Vec::new();
        let brotli = compress(&plain, Coding::Brotli).unwrap();
        brotli::Decompressor::new(&brotli[..], 4096).read_to_end(&mut read).unwrap();
        assert_eq!(read, plain);
        assert!(brotli.len() < compress(&plain, Coding::Gzip).unwrap().len());
    }

    #[test]
    fn a_known_file_is_known_by_any_form_of_its_tag() {
        for (value, known) in
            [("\"a\"", true), ("\"b\", W/\"a\"", true), ("*", true), ("\"b\"", false)]
        {
            assert_eq!(is_known(&headers(IF_NONE_MATCH, value), "\"a\""), known, "{value}");
        }
    }

    #[test]
    fn every_module_of_the_page_is_used_and_every_import_is_known() {
        let read = |path: &str| {
            let file = Files::get(path)?;
            Some(String::from_utf8_lossy(&file.data).into_owned())
        };
        let bundle = Bundle::of(SCRIPT, &read);
        let mut used: Vec<_> = bundle.modules().map(str::to_owned).collect();
        let is_module = |name: &String| {
            Path::new(name).extension().is_some_and(|end| end == "js")
                && name != "page/types.js"
                && !is_module_of_its_own(name)
        };
        let renames = |name: &String| {
            let text = read(name).unwrap();
            text.lines().any(|line| line.starts_with("import {") && line.contains(" as "))
        };
        let renaming: Vec<_> = used.iter().filter(|name| renames(name)).collect();
        assert_eq!(renaming, Vec::<&String>::new(), "a name is known as it is exported");
        let mut there: Vec<_> =
            Files::iter().map(|name| name.to_string()).filter(is_module).collect();
        used.sort();
        there.sort();
        assert_eq!(used, there);
        let script = bundle.script();
        let exports =
            script.lines().filter_map(|line| line.strip_prefix("const{")?.split_once("}=(()"));
        let names: Vec<_> = exports.flat_map(|(names, _)| names.split(',')).collect();
        let unique: HashSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "an exported name is one module's alone: {names:?}");
        let left = script
            .lines()
            .find(|line| ["import ", "export ", "*"].iter().any(|begins| line.starts_with(begins)));
        assert_eq!(left, None);
    }
}
