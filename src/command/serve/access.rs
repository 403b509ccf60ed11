//! Access settings with which a server refuses to start.

use crate::adapter::Transport;
use crate::config::{self, Config, Secret};
use crate::error::{Error, Result};
use crate::gateway::BotKind;

/// Refuses to serve strangers by mistake (contract, Part 2, item 21).
pub(super) fn check_access(config: &Config) -> Result<()> {
    if config.listen.ip().is_loopback() || config.allow_no_token {
        return Ok(());
    }
    let listen = config.listen;
    if !config.tokens.is_empty() {
        return check_strength(config);
    }
    Err(Error::usage(format!("{listen} can be reached by others, and no token is set")).hint(
        format!(
            "rechat serve --listen {listen} --token \"$(rechat token)\"\n  \
         or, if everybody who reaches it may read and send: --allow-no-token"
        ),
    ))
}

/// Refuses tokens that can be guessed, where strangers can try them.
fn check_strength(config: &Config) -> Result<()> {
    let dialled = config
        .adapter
        .iter()
        .filter(|adapter| matches!(adapter.settings.transport, Transport::Accept(_)));
    let own = dialled.filter_map(|adapter| {
        let token = adapter.settings.token.as_deref()?;
        Some((
            format!("the token of the adapter `{}`", adapter.settings.kind.name),
            Secret::new(token),
        ))
    });
    let tokens = config.tokens.iter();
    let tokens = tokens.map(|token| (format!("the token `{}`", token.name), token.secret.clone()));
    // One that is dialled has the token of the other side, which a guess here does not open.
    let bots = config.bot.iter().filter(|bot| bot.url.is_none() || bot.kind == BotKind::Satori);
    let bots = bots.filter_map(|bot| {
        Some((format!("the token of the bot `{}`", bot.name), Secret::new(bot.token.as_deref()?)))
    });
    for (name, secret) in tokens.chain(own).chain(bots) {
        if let Some(why) = config::weakness(&secret) {
            let listen = config.listen;
            return Err(Error::usage(format!(
                "{name} can be guessed: {why}; {listen} can be reached by others"
            ))
            .hint("`rechat token` makes a strong one"));
        }
    }
    Ok(())
}
