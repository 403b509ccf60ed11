//! `/api/media`: uploads and downloads of files, and media of messages.

mod address;
mod manage;
mod parts;
mod range;
mod received;
mod serve;
mod slow_transfer;
mod store_content;
mod thumbnail;
mod upload;

pub use address::address;
pub use manage::{fetch, list, remove};
pub use parts::{append, begin, give_up, options, state};
pub use received::ReceivedFile;
pub use serve::{SIGNED, serve, serve_signed};
pub use slow_transfer::SlowTransferLimit;
pub use store_content::{hold, keep, keep_content};
pub use thumbnail::small;
pub use upload::upload;

use super::error::{ErrorResponse, Result};
use crate::media::{BlobRefused, Hash};
use hyper::StatusCode;

/// The most characters of a file's name.
const MAX_NAME: usize = 255;

impl From<BlobRefused> for ErrorResponse {
    fn from(refused: BlobRefused) -> Self {
        let (status, code) = match &refused {
            BlobRefused::Empty => (StatusCode::BAD_REQUEST, Some("empty")),
            BlobRefused::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, Some("too_large")),
            BlobRefused::Full { .. } | BlobRefused::DiskFull { .. } => {
                (StatusCode::INSUFFICIENT_STORAGE, Some("media_full"))
            }
            BlobRefused::Disk(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
        };
        Self::new(status, refused.to_string()).named(code)
    }
}

/// 404 for media.
fn no_media() -> ErrorResponse {
    ErrorResponse::new(StatusCode::NOT_FOUND, "there is no such media here").named(Some("no_media"))
}

/// The hash in a path; an invalid one is answered as an unknown file.
fn hash_of(text: &str) -> Result<Hash> {
    text.parse().map_err(|_| no_media())
}

/// A file's name in a query.
fn name_in(query: Option<&str>) -> Result<Option<String>> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == "name").map(|(_, name)| checked_name(&name)).transpose()
}

/// A file's name without the folders before it.
fn checked_name(name: &str) -> Result<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let is_fit = (1..=MAX_NAME).contains(&last.chars().count()) && !last.contains(char::is_control);
    if !is_fit {
        let text = format!("`name` must be a file's name: 1 to {MAX_NAME} printable characters");
        return Err(ErrorResponse::bad_request(text));
    }
    Ok(last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_folders_and_nothing_that_is_not_printable() {
        let name = |query: &str| name_in(Some(query)).map_err(|error| error.text().to_owned());
        assert_eq!(name("name=..%2F..%2Fetc%2Fpasswd"), Ok(Some("passwd".into())));
        assert_eq!(name("name=C%3A%5Ca%20b.png"), Ok(Some("a b.png".into())));
        assert_eq!(name("other=1"), Ok(None));
        for wrong in ["name=", "name=a%0Ab", "name=a%2F", &format!("name={}", "x".repeat(256))] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
