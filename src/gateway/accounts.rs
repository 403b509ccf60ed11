//! The accounts of a bot, found as they come.

use super::bot::{ConfiguredBot, ServedAccount};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Pause before the store is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Finds the accounts of a bot until it ends; `begin` is told each once.
pub(super) async fn find(bot: &ConfiguredBot, mut begin: impl FnMut(Arc<ServedAccount>)) {
    let mut changes = bot.shared.core.registry.changes();
    loop {
        match bot.find_accounts().await {
            Ok(new) => new.into_iter().for_each(&mut begin),
            Err(error) => {
                tracing::warn!(bot = bot.name(), "the accounts of a bot are not known: {error}");
                sleep(PAUSE).await;
                continue;
            }
        }
        bot.accounts_changed.send_replace(());
        if bot.stop.run_until_cancelled(changes.next()).await.is_none() {
            return;
        }
    }
}
