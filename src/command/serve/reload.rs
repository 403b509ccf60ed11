//! SIGHUP: reads the configuration again, and applies the settings that can change while the server runs.

use super::access::check_access;
use super::leading::OwnedParts;
use super::log::LogLevel;
use crate::config::{self, Loaded, Sources};
use crate::error::Result;
use crate::retention::RetentionPolicy;
use crate::server::ServerContext;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::signal::unix::Signal;
use tokio::sync::watch;

/// Settings that a reload can change.
pub(super) struct Reloadable {
    pub(super) context: Arc<ServerContext>,
    pub(super) owned: Arc<OwnedParts>,
    pub(super) log: LogLevel,
    pub(super) retention: watch::Sender<RetentionPolicy>,
}

/// Keys that take effect at once; everything else needs a restart.
const RELOADED_KEYS: [&str; 7] =
    ["adapter", "bot", "log.level", "mcp.", "media.days", "retention.", "token"];

impl Reloadable {
    /// Reads the configuration again on each signal, until the server stops. One with an
    /// error changes nothing.
    pub(super) async fn reload_on(self, mut hangups: Signal, sources: Sources, loaded: Loaded) {
        let mut in_force = loaded;
        let stop = self.context.stop.clone();
        while let Some(Some(())) = stop.run_until_cancelled(hangups.recv()).await {
            match config::load(&sources).and_then(|new| self.apply(&in_force, new)) {
                Ok(new) => in_force = new,
                Err(error) => {
                    tracing::error!("the configuration stays as it was: {error}");
                }
            }
        }
    }

    /// Applies the settings that can change now; logs the names of those that need a restart.
    fn apply(&self, old: &Loaded, new: Loaded) -> Result<Loaded> {
        check_access(&new.config)?;
        (self.log)(&new.config.log.level)?;
        self.context.access.replace(new.config.tokens.clone());
        self.retention.send_replace(new.config.retention());
        let has_new_adapters = old.adapters() != new.adapters();
        self.context.agents.replace(new.config.mcp.clone());
        let adapters = has_new_adapters.then(|| new.config.adapter.clone());
        let bots = self.owned.configure(adapters, new.config.bot.clone());
        let (mine, theirs) = (&old.config.tokens, &new.config.tokens);
        let changed = [
            (has_new_adapters, "adapter"),
            (old.bots() != new.bots(), "bot"),
            (mine != theirs, "tokens"),
        ];
        let changed = changed.into_iter().filter(|(is_new, _)| *is_new);
        let changed = changed.map(|(_, key)| key.to_owned());
        let changed: BTreeSet<_> = old.differences(&new).into_iter().chain(changed).collect();
        let at_once = |key: &String| RELOADED_KEYS.iter().any(|known| key.starts_with(known));
        let (done, later): (Vec<_>, Vec<_>) = changed.into_iter().partition(at_once);
        let changed = if done.is_empty() { "nothing".to_owned() } else { done.join(", ") };
        tracing::info!(
            changed,
            adapters = if has_new_adapters { "restarted" } else { "unchanged" },
            %bots,
            "the configuration was read again"
        );
        if mine.is_empty() && !theirs.is_empty() {
            tracing::warn!(
                "every client needs a token now, also OneBot implementations that connect to rechat; \
                 connections without one were closed"
            );
        }
        if !later.is_empty() {
            tracing::warn!("these take effect with a restart: {}", later.join(", "));
        }
        Ok(new)
    }
}
