//! The accounts of a bot, as they appear and disappear.

use super::bot::{ConfiguredBot, ServedAccount};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Pause before the store is read again.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows the accounts of a bot until the bot ends; calls `begin` for each new one.
pub(super) async fn find(bot: &ConfiguredBot, mut begin: impl FnMut(Arc<ServedAccount>)) {
    let mut changes = bot.shared.core.registry.changes();
    loop {
        match bot.find_accounts().await {
            Ok(new) => new.into_iter().for_each(&mut begin),
            Err(error) => {
                tracing::warn!(bot = bot.name(), "the accounts of a bot cannot be read: {error}");
                sleep(PAUSE).await;
                continue;
            }
        }
        bot.accounts_changed.send_replace(());
        tokio::select! {
            _ = changes.next() => {}
            () = bot.look_again.notified() => {}
            () = bot.stop.cancelled() => return,
        }
    }
}
