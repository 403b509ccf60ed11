//! Options of the command line as settings; they count before the file and the environment.

use crate::cli::{LoopbackMode, Serve};
use crate::config::{LogFormat, Sources};

/// Adds the options that are given.
pub(super) fn add(sources: &mut Sources, serve: Serve) {
    let log_format = serve.log_format.map(|format| match format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    });
    let words = [
        ("listen", "--listen", serve.listen.map(|address| address.to_string())),
        ("db", "--db", serve.db.map(|path| path.display().to_string())),
        ("token", "--token", serve.token),
        ("token_file", "--token-file", serve.token_file.map(|path| path.display().to_string())),
        ("log.level", "--log", serve.log),
        ("log.format", "--log-format", log_format.map(str::to_owned)),
    ];
    for (key, flag, value) in words {
        sources.flags.extend(value.map(|value| (key, flag, value.into())));
    }
    if let Some(how) = serve.loopback {
        let mut entry = toml::Table::from_iter([("kind".to_owned(), "loopback".into())]);
        if how == LoopbackMode::Echo {
            entry.insert("echo".to_owned(), true.into());
        }
        sources.more_adapters.push(entry);
    }
    if serve.allow_no_token {
        sources.flags.push(("allow_no_token", "--allow-no-token", true.into()));
    }
}
