//! The page of the configuration file, from the list of its keys.

use super::page::{CONFIG_PAGE, DATE, ManPage, VERSION, linted};
use crate::adapter::kinds;
use crate::config::{BOT_KEYS, ConfigKey, KEYS, TOKEN_KEYS, adapter_keys};
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

const EXAMPLE: &str = r#"listen = "0.0.0.0:8080"
token_file = "/run/secrets/rechat"
public_hosts = ["chat.example.com"]

[limits]
body_bytes = 4194304

[retention]
days = 365

[[tokens]]
name = "napcat"
scope = "adapter"
file = "/run/secrets/napcat"

[[adapter]]
kind = "onebot11"
url = "ws://127.0.0.1:3001/"
rate_limit = 0.5"#;

pub(super) fn page() -> ManPage {
    let mut roff = Roff::new();
    let source = format!("rechat {VERSION}");
    roff.control("TH", [&CONFIG_PAGE.to_uppercase(), "5", DATE, &source, "rechat"]);
    section(&mut roff, "NAME", &[&format!("{CONFIG_PAGE} - the configuration of rechat")]);
    section(
        &mut roff,
        "SYNOPSIS",
        &[
            "`$XDG_CONFIG_HOME/rechat/config.toml`, else `~/.config/rechat/config.toml`",
            "`/etc/rechat/config.toml` for the service of the Debian package",
        ],
    );
    section(
        &mut roff,
        "DESCRIPTION",
        &[
            "One TOML file. It is optional. `--config` or `RECHAT_CONFIG` names another file.",
            "The value of a key comes from the first of these that sets it: a flag of the command \
         (such as `--listen`), an environment variable, the file, the default.",
            "A variable is `RECHAT_` and the key in capitals, with `__` between its parts: \
         `RECHAT_LISTEN`, `RECHAT_LIMITS__BODY_BYTES`. Its value is read as TOML, else as a string.",
            "Unknown keys and wrong values are errors that name the key and the line; an unknown \
         variable is only a warning. `rechat serve --print-config` prints every key and where its \
         value comes from.",
            "SIGHUP makes the server read the file again: tokens, adapters, bots, `mcp`, `log.level`, \
         `retention` and `media.days` change at once; the log names the keys that need a restart.",
        ],
    );
    keys(
        &mut roff,
        "KEYS",
        "A key with a dot may also stand in a table: `[log]`, then `level`.",
        KEYS,
    );
    let tokens = "`[[tokens]]` begins an entry: a further token, with a name and a scope.";
    keys(&mut roff, "TOKENS", tokens, TOKEN_KEYS);
    let endpoints = kinds().filter_map(|kind| Some((kind.title, kind.paths.first()?)));
    let endpoints: Vec<_> = endpoints.map(|(title, path)| format!("{title} at `{path}`")).collect();
    let adapters = format!(
        "`[[adapter]]` begins an entry. Implementations that connect to rechat need none: {}.",
        endpoints.join(", ")
    );
    keys(&mut roff, "ADAPTERS", &adapters, &adapter_keys());
    let bots = "`[[bot]]` begins an entry: a bot framework that plugs in as if rechat were a OneBot \
                implementation.";
    keys(&mut roff, "BOTS", bots, BOT_KEYS);
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in EXAMPLE.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    section(&mut roff, "SEE ALSO", &["rechat(1), rechat-serve(1), rechat-token(1)"]);
    ManPage { name: CONFIG_PAGE.to_owned(), section: 5, text: linted(&roff.to_roff()) }
}

fn section(roff: &mut Roff, title: &str, paragraphs: &[&str]) {
    roff.control("SH", [title]);
    for (number, paragraph) in paragraphs.iter().enumerate() {
        if number > 0 {
            roff.control("PP", []);
        }
        roff.text(inlines(paragraph));
    }
}

fn keys(roff: &mut Roff, title: &str, word: &str, keys: &[ConfigKey]) {
    section(roff, title, &[word]);
    for key in keys {
        roff.control("TP", []);
        roff.text([bold(key.name), roman(" ("), italic(key.kind), roman(")")]);
        roff.text(inlines(&format!("{}.", key.meaning)));
        roff.control("br", []);
        let mut line = match key.default {
            "" => vec![roman("Must be set. ")],
            default => [vec![roman("Default: ")], inlines(default), vec![roman(". ")]].concat(),
        };
        line.extend([roman("Example: "), bold(format!("{} = {}", key.name, key.example))]);
        roff.text(line);
    }
}

/// A text whose words between backticks are to be written as they are.
fn inlines(text: &str) -> Vec<Inline> {
    let pieces = text.split('`').enumerate().filter(|(_, piece)| !piece.is_empty());
    pieces.map(|(number, piece)| if number % 2 == 1 { bold(piece) } else { roman(piece) }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_can_be_used() {
        toml::from_str::<crate::config::Config>(super::EXAMPLE).unwrap();
    }
}
