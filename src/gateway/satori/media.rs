//! Internal links of stored files (advanced/resource.md, "内部链接").
//!
//! `internal:<platform>/<account>/media/<sha256>/<until>/<signature>/<name>`: the signature lets
//! frameworks fetch the file without a token, as most of them do.

use crate::clock::now;
use crate::gateway::bot::ServedAccount;
use crate::media::Hash;
use crate::media::sign::Signer;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Prefix of an internal link.
pub(super) const SCHEME: &str = "internal:";

/// The link of a stored file.
pub(super) fn link(
    signer: &Signer,
    account: &ServedAccount,
    hash: Hash,
    name: Option<&str>,
) -> String {
    let ServedAccount { platform, account, .. } = account;
    let [platform, account, name] = [platform.as_str(), account, name.unwrap_or("file")]
        .map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string());
    let (until, signature) = signer.signature_at(hash, now());
    format!("{SCHEME}{platform}/{account}/media/{hash}/{until}/{signature}/{name}")
}

/// A stored file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LinkedFile {
    pub(super) hash: Hash,
    pub(super) name: Option<String>,
}

/// The file for a link; `None` if rechat did not make the link, because somebody may know the
/// SHA-256 of files that they may not see.
pub(super) fn kept_file(signer: &Signer, link: &str) -> Option<LinkedFile> {
    let InternalLink { hash, until, signature, name } =
        InternalLink::parse(link.strip_prefix(SCHEME)?)?;
    // A program that got the file may send it later, too.
    signer.holds(hash, until, &signature, until).then_some(())?;
    Some(LinkedFile { hash, name: Some(name).filter(|name| name != "file") })
}

/// The path and query at which the file of a link is served.
pub(super) fn path_of(path: &str) -> Option<String> {
    let InternalLink { hash, until, signature, name } = InternalLink::parse(path)?;
    let name = utf8_percent_encode(&name, NON_ALPHANUMERIC);
    Some(format!("/media/{hash}?until={until}&sig={signature}&name={name}"))
}

struct InternalLink {
    hash: Hash,
    until: u64,
    signature: String,
    name: String,
}

impl InternalLink {
    /// Reads a link without its scheme.
    fn parse(path: &str) -> Option<Self> {
        let mut parts = path.split('/').skip(2);
        (parts.next()? == "media").then_some(())?;
        let hash = parts.next()?.parse().ok()?;
        let until = parts.next()?.parse().ok()?;
        let signature = parts.next()?;
        let is_hex = signature.bytes().all(|byte| byte.is_ascii_hexdigit());
        let name = percent_decode_str(parts.next()?).decode_utf8().ok()?.into_owned();
        (is_hex && parts.next().is_none()).then(|| Self {
            hash,
            until,
            signature: signature.to_owned(),
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_file() {
        let hash = "ab".repeat(32);
        let path = format!("qq/1/media/{hash}/9/0f/%E5%AD%A3%2F.png");
        let served = format!("/media/{hash}?until=9&sig=0f&name=%E5%AD%A3%2F%2Epng");
        assert_eq!(path_of(&path), Some(served));
        for wrong in [
            format!("qq/1/media/{hash}"),
            format!("qq/1/media/{hash}/9/0f&x=1/n"),
            format!("qq/1/other/{hash}/9/0f/n"),
            "qq/1/media/zz/9/0f/n".into(),
            format!("qq/1/media/{hash}/9/0f/n/../m"),
        ] {
            assert_eq!(path_of(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_a_link_that_was_given_stands_for_a_file() {
        let signer = Signer::new().unwrap();
        let hash: Hash = "ab".repeat(32).parse().unwrap();
        let (until, signature) = signer.signature_at(hash, 0);
        let link = |signature: &str| {
            format!("internal:qq/1/media/{hash}/{until}/{signature}/%E5%AD%A3%2F.png")
        };
        let kept = LinkedFile { hash, name: Some("季/.png".into()) };
        assert_eq!(kept_file(&signer, &link(&signature)), Some(kept));
        let last = if signature.ends_with('0') { '1' } else { '0' };
        let forged = format!("{}{last}", &signature[..signature.len() - 1]);
        for wrong in [&*forged, "0", ""] {
            assert_eq!(kept_file(&signer, &link(wrong)), None, "{wrong}");
        }
        assert_eq!(kept_file(&Signer::new().unwrap(), &link(&signature)), None, "another server");
    }
}
