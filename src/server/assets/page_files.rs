//! The files of the page, from `spa/`: its modules as one script, its style sheets as one.

use super::coding::{Coding, compress};
use crate::server::bundle::{Bundle, shortened, style_sheet};
use bytes::Bytes;
use rust_embed::RustEmbed;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

#[derive(RustEmbed)]
#[folder = "spa"]
struct Files;

/// The file for `/`.
pub(super) const INDEX: &str = "index.html";

/// The module with which the page begins.
const SCRIPT: &str = "page/app.js";

/// The script that runs before it.
const EARLY: &str = "page/early.js";

/// Where the modules are that the page loads when it needs them.
const LAZY_MODULES: &str = "page/words/";

/// The style sheet that imports the others.
const STYLE: &str = "page/all.css";

/// The path of the parts in `index.html`, which the version is inserted into.
const PARTS: &str = "\"page/";

/// All files of one state of the page.
pub(super) struct PageFiles {
    /// A hash over all of them.
    pub(super) version: String,
    files: HashMap<String, PageFile>,
}

pub(super) struct PageFile {
    pub(super) media_type: &'static str,
    /// With its quotation marks.
    pub(super) etag: String,
    pub(super) plain: Bytes,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

impl PageFiles {
    /// The present page: in debug builds, the files on the disk at this moment.
    pub(super) fn current() -> Arc<Self> {
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

    /// The file with this path.
    pub(super) fn get(&self, name: &str) -> Option<&PageFile> {
        self.files.get(name)
    }

    /// Compresses all files.
    pub(super) fn compress(&self) {
        for file in self.files.values() {
            file.compressed(Coding::Brotli);
        }
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
    name == EARLY || name.starts_with(LAZY_MODULES)
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
    pub(super) fn compressed(&self, coding: Coding) -> Bytes {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::path::Path;

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
