//! Files in elements.

use super::reader::ElementReader;
use crate::gateway::satori::elements::token::ElementTag;
use crate::gateway::satori::media::SCHEME;
use crate::model::content::{Media, Segment};

impl ElementReader<'_> {
    /// Adds the file of an element: by its address, its bytes, or its link to a stored file.
    pub(super) fn media(
        &mut self,
        tag: &ElementTag<'_>,
        segment: fn(Media) -> Segment,
    ) -> Result<(), String> {
        let src = tag.text("src").or_else(|| tag.text("url")).unwrap_or_default();
        let src = src.trim();
        let kept = if src.starts_with(SCHEME) { (self.targets.file)(src) } else { None };
        if kept.is_none() && !is_address(src) {
            return Err(format!(
                "`src` of <{}> must be an address (http:// or https://), bytes (data:…), or a link \
                 that this server gave since it was started; a path of the bot's host is not read",
                tag.name
            ));
        }
        let url = kept.is_none().then(|| src.to_owned());
        let (hash, name) = kept.map(|kept| (kept.hash.to_string(), kept.name)).unzip();
        self.push(segment(Media {
            name: tag.text("title").or(name.flatten()),
            url,
            media: hash,
            width: tag.number("width"),
            height: tag.number("height"),
            duration: tag.number("duration").filter(|seconds: &f64| seconds.is_finite()),
            ..Media::default()
        }));
        Ok(())
    }
}

/// Whether an address is one that rechat accepts, or contains the bytes.
fn is_address(src: &str) -> bool {
    let schemes = ["http://", "https://", "data:", "base64://"];
    let is_it = |scheme: &&str| {
        src.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    schemes.iter().any(is_it)
}
