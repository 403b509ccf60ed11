//! Sign-in of the page with a code, so that no address, list of processes or history contains a
//! token.

use super::{Accepted, AccessControl, AccessGrant};
use crate::config::{RequiredScope, Token};
use crate::server::error::{ErrorResponse, Result};
use crate::server::peer::Peer;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::header::HeaderMap;
use hyper::{StatusCode, Uri};
use std::time::Instant;

/// Random bytes of a code.
const CODE_BYTES: usize = 32;

impl AccessControl {
    /// A code that stands for the token of a request, or over the Unix socket for the one with the
    /// widest scope; `None` where no token is needed.
    ///
    /// # Errors
    /// 409 where no token may read, 500 where the system gives no random bytes.
    pub fn make_code(&self, granted: &AccessGrant) -> Result<Option<String>> {
        let accepted = self.accepted.load();
        if accepted.tokens.is_empty() {
            return Ok(None);
        }
        let token = match &granted.token {
            Some(name) => Some(name.to_string()),
            None => widest(&accepted).map(|token| token.name.clone()),
        };
        let token = token.ok_or_else(|| {
            let text = "no token here may read; add one with the scope `admin`, `send` or `read`";
            ErrorResponse::new(StatusCode::CONFLICT, text).named(Some("no_token"))
        })?;
        let mut bytes = [0; CODE_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| {
            let text = format!("the system gives no random bytes: {error}");
            ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, text)
        })?;
        let code = URL_SAFE_NO_PAD.encode(bytes);
        self.codes.add(&code, &token, Instant::now());
        Ok(Some(code))
    }

    /// The token for a code; the code does not work again.
    ///
    /// # Errors
    /// 401 where it is not good, 429 where this address showed too many such.
    pub fn redeem(&self, peer: Peer, headers: &HeaderMap, uri: &Uri, code: &str) -> Result<String> {
        let token = self.codes.take(code, Instant::now());
        let accepted = self.accepted.load();
        // The token may have been removed by a reload.
        let token = token.and_then(|name| {
            accepted.tokens.iter().map(|(token, _)| token).find(|token| token.name == name)
        });
        if let Some(token) = token {
            return Ok(token.secret.reveal().to_owned());
        }
        let text = "this code was used, or is too old; `rechat open` makes a new one";
        Err(match peer {
            Peer::Tcp(address) => self.count_wrong(address, headers, uri, text),
            Peer::Unix => ErrorResponse::unauthorized(text),
        })
    }
}

/// The token with the widest scope that a page can use.
fn widest(accepted: &Accepted) -> Option<&Token> {
    let reading = accepted.tokens.iter().map(|(token, _)| token);
    reading.filter(|token| token.scope.covers(RequiredScope::Read)).max_by_key(|token| {
        let needs = [RequiredScope::Read, RequiredScope::Send, RequiredScope::Admin];
        needs.into_iter().filter(|need| token.scope.covers(*need)).count()
    })
}
