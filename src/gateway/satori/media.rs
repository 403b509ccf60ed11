//! Internal links of files that are kept here (advanced/resource.md, "内部链接").
//!
//! `internal:<platform>/<account>/media/<sha256>/<until>/<signature>/<name>`: the signature lets
//! frameworks fetch the file without a token, as most of them do.

use crate::clock::now;
use crate::gateway::bot::ServedAccount;
use crate::media::Hash;
use crate::media::sign::Signer;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Begins an internal link.
pub(super) const SCHEME: &str = "internal:";

/// The link of a kept file.
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

/// The SHA-256 and the name of the file that a link stands for.
pub(super) fn hash_in(link: &str) -> Option<(String, Option<String>)> {
    let InternalLink { hash, name, .. } = InternalLink::parse(link.strip_prefix(SCHEME)?)?;
    Some((hash.to_string(), Some(name).filter(|name| name != "file")))
}

/// The path and query at which the file behind a link is served.
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
        let link = format!("internal:{path}");
        assert_eq!(hash_in(&link), Some((hash.clone(), Some("季/.png".into()))));
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
}
