//! Access: tokens, each with a name and a scope.

use super::Secret;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The most bytes of a file with a token.
const MAX_TOKEN_FILE_BYTES: u64 = 4096;

/// The rights of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// Look at messages, counts and platforms, and watch them live.
    Read,
    /// Read; and make messages, send them again, cancel them.
    Send,
    /// Dial in as an implementation of a chat platform, and nothing else.
    Adapter,
    /// Ask as an agent at `/mcp`, within the bounds of `[mcp]`, and nothing else.
    Mcp,
    /// Everything.
    Admin,
}

/// The right that a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredScope {
    /// Read messages and what belongs to them.
    Read,
    /// Make and change messages.
    Send,
    /// Connect as an adapter or a bot.
    Handshake,
    /// Speak the Model Context Protocol.
    Mcp,
    /// Everything else: backups, imports, logins.
    Admin,
}

impl TokenScope {
    /// Whether this scope covers a need.
    pub fn covers(self, need: RequiredScope) -> bool {
        match self {
            Self::Admin => true,
            Self::Send => matches!(need, RequiredScope::Read | RequiredScope::Send),
            Self::Read => need == RequiredScope::Read,
            Self::Adapter => need == RequiredScope::Handshake,
            Self::Mcp => need == RequiredScope::Mcp,
        }
    }

    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Send => "send",
            Self::Adapter => "adapter",
            Self::Mcp => "mcp",
            Self::Admin => "admin",
        }
    }
}

impl RequiredScope {
    /// The least scope that covers it.
    pub fn scope(self) -> TokenScope {
        match self {
            Self::Read => TokenScope::Read,
            Self::Send => TokenScope::Send,
            Self::Handshake => TokenScope::Adapter,
            Self::Mcp => TokenScope::Mcp,
            Self::Admin => TokenScope::Admin,
        }
    }
}

/// A token as it is configured: itself, or the file it is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenEntry {
    /// The name in the log and in errors.
    pub name: String,
    /// The requests that the token allows.
    pub scope: TokenScope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// The token itself; `file` names a file with it instead.
    pub token: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// A file that contains the token, and nothing else.
    pub file: Option<PathBuf>,
}

/// A token that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name in the configuration, for the log.
    pub name: String,
    /// The rights that it gives.
    pub scope: TokenScope,
    /// The text that a client sends.
    pub secret: Secret,
}

/// The tokens of a configuration, those in files read.
pub(super) fn tokens(
    token: Option<&Secret>,
    file: Option<&Path>,
    entries: &[TokenEntry],
) -> Result<Vec<Token>> {
    let main = (token.is_some() || file.is_some()).then(|| TokenEntry {
        name: "token".into(),
        scope: TokenScope::Admin,
        token: token.cloned(),
        file: file.map(Path::to_owned),
    });
    let mut tokens: Vec<Token> = Vec::new();
    for entry in main.iter().chain(entries) {
        if tokens.iter().any(|known| known.name == entry.name) {
            return Err(Error::failed(format!("two tokens are named `{}`", entry.name)));
        }
        tokens.push(Token {
            name: entry.name.clone(),
            scope: entry.scope,
            secret: entry.secret()?,
        });
    }
    Ok(tokens)
}

impl TokenEntry {
    fn secret(&self) -> Result<Secret> {
        let name = &self.name;
        let secret = match (&self.token, &self.file) {
            (Some(secret), None) => secret.clone(),
            (None, Some(file)) => {
                let text = read_token_file(file).map_err(|error| {
                    Error::failed(format!(
                        "cannot read {}, the file of token `{name}`: {error}",
                        file.display()
                    ))
                })?;
                Secret::new(text)
            }
            _ => {
                return Err(Error::failed(format!(
                    "token `{name}` needs either `token` or `file`"
                )));
            }
        };
        if secret.is_empty() {
            return Err(Error::failed(format!("token `{name}` is empty"))
                .hint("`rechat token` makes a strong one; or leave it out"));
        }
        Ok(secret)
    }
}

/// The fewest bytes of a token that strangers may try.
const MIN_TOKEN_BYTES: usize = 16;

/// The fewest different characters of such a token.
const MIN_TOKEN_CHARACTERS: usize = 6;

/// Words that attackers try first; a token must not consist of these.
const WELL_KNOWN: [&str; 14] = [
    "what rechat token printed",
    "what the implementation has",
    "0123456789abcdef",
    "1234567890",
    "changeme",
    "example",
    "password",
    "qwerty",
    "rechat",
    "secret",
    "access",
    "token",
    "admin",
    "123456",
];

/// Why a token can be guessed; `None` where it cannot.
pub fn weakness(secret: &Secret) -> Option<&'static str> {
    let token = secret.reveal().to_lowercase();
    if token.len() < MIN_TOKEN_BYTES {
        return Some("it has fewer than 16 characters");
    }
    if token.chars().collect::<BTreeSet<_>>().len() < MIN_TOKEN_CHARACTERS {
        return Some("it repeats a few characters");
    }
    let rest = WELL_KNOWN.iter().fold(token, |rest, known| rest.replace(known, ""));
    (rest.len() < MIN_TOKEN_BYTES / 2).then_some("it is made of well-known words")
}

/// The token in a file, without a byte order mark and the spaces around it.
fn read_token_file(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(file)?.take(MAX_TOKEN_FILE_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_TOKEN_FILE_BYTES {
        return Err(io::Error::other(format!("it has more than {MAX_TOKEN_FILE_BYTES} bytes")));
    }
    Ok(text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_is_below_it() {
        let needs = [
            RequiredScope::Read,
            RequiredScope::Send,
            RequiredScope::Handshake,
            RequiredScope::Mcp,
            RequiredScope::Admin,
        ];
        let covered = |scope: TokenScope| needs.map(|need| scope.covers(need));
        assert_eq!(covered(TokenScope::Read), [true, false, false, false, false]);
        assert_eq!(covered(TokenScope::Send), [true, true, false, false, false]);
        assert_eq!(covered(TokenScope::Adapter), [false, false, true, false, false]);
        assert_eq!(covered(TokenScope::Mcp), [false, false, false, true, false]);
        assert_eq!(covered(TokenScope::Admin), [true; 5]);
        assert!(needs.iter().all(|need| need.scope().covers(*need)));
    }

    #[test]
    fn a_token_that_can_be_guessed_is_weak() {
        for weak in [
            "short",
            "tttttttttttttttttttttttttttttttt",
            "abababababababababab",
            "what rechat token printed",
            "changeme-changeme-changeme",
            "Password1234567890",
            "rechat-secret-token-2026",
            "0123456789abcdef0123456789ABCDEF",
        ] {
            assert!(weakness(&Secret::new(weak)).is_some(), "{weak}");
        }
        for strong in
            ["dYzz3kq0mS8vJc1aWn4XhQ", "9f86d081884c7d659a2feaa0c55ad015", "correct horse battery"]
        {
            assert_eq!(weakness(&Secret::new(strong)), None, "{strong}");
        }
    }

    #[test]
    fn tokens_come_from_files_too_and_mistakes_are_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\u{feff}from-a-file\r\n").unwrap();
        let entry = |name: &str, token: Option<&str>, file: Option<&Path>| TokenEntry {
            name: name.into(),
            scope: TokenScope::Read,
            token: token.map(Secret::new),
            file: file.map(Path::to_owned),
        };
        let found = tokens(
            Some(&Secret::new("main")),
            None,
            &[entry("phone", None, Some(file.path())), entry("bot", Some("b"), None)],
        );
        let names: Vec<_> = found.unwrap().iter().map(|t| t.secret.reveal().to_owned()).collect();
        assert_eq!(names, ["main", "from-a-file", "b"]);
        for (entries, named) in [
            (vec![entry("a", None, None)], "`a`"),
            (vec![entry("a", Some(""), None)], "empty"),
            (vec![entry("a", Some("x"), None), entry("a", Some("y"), None)], "two tokens"),
            (vec![entry("a", None, Some(Path::new("/nowhere")))], "/nowhere"),
        ] {
            let error = tokens(None, None, &entries).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
