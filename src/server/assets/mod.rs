//! The web page's files: read from `spa/` in debug builds, else carried in the program, each
//! compressed once.
//!
//! The modules of the page go out as one script, its style sheets as one; the words of each language
//! are modules of their own.
//!
//! The page asks for its parts below `/page/<version>/`, where the version is a hash over all of
//! them, so browsers may keep a part for ever; only `/` itself is asked for anew each time.

mod coding;
mod page_files;

use super::body::{HttpResponse, JSON, whole};
use super::context::Incoming;
use super::error::{ErrorResponse, Result};
use super::operation::Call;
use crate::low_priority;
use bytes::Bytes;
use coding::Coding;
use hyper::StatusCode;
use hyper::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use page_files::{INDEX, PageFiles};

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

/// Begins to compress the page. It takes about 40 ms of a processor, for which neither waiting messages nor
/// the first visitor wait.
pub fn compress_page_ahead() {
    if let Err(error) = low_priority::spawn("page", compress_page) {
        tracing::debug!("the page is compressed at the first request: {error}");
    }
}

fn compress_page() {
    PageFiles::current().compress();
}

fn answer(
    page: &PageFiles,
    name: &str,
    caching: &'static str,
    request: &Incoming,
) -> Result<HttpResponse> {
    let headers = request.headers();
    let file = page.get(name).ok_or_else(|| {
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

/// Whether `If-None-Match` names the present version of the file.
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut tags = known.unwrap_or_default().split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_file_is_known_by_any_form_of_its_tag() {
        for (value, known) in
            [("\"a\"", true), ("\"b\", W/\"a\"", true), ("*", true), ("\"b\"", false)]
        {
            assert_eq!(
                is_known(
                    &HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))]),
                    "\"a\""
                ),
                known,
                "{value}"
            );
        }
    }
}
