//! OneBot 11 for frameworks: reverse WebSocket, where rechat dials them, and WebSocket and HTTP, where
//! they dial rechat (communication/README.md).

mod action;
mod answer;
mod dial;
mod endpoint;
mod event;
mod message;
mod notice;
mod own;
mod session;

pub use endpoint::{DialInRequest, Opening, SocketOpening};

use super::bot::ConfiguredBot;
use session::BotSession;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Pause before the store is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Finds the accounts of a bot as they come, and dials the framework for each where it has an address.
pub(super) async fn run(bot: Arc<ConfiguredBot>) {
    let mut changes = bot.shared.core.registry.changes();
    loop {
        match bot.find_accounts().await {
            Ok(new) => {
                for account in new {
                    let Some(url) = bot.config.load().url.clone() else { continue };
                    let session = BotSession::new(bot.clone(), account);
                    bot.shared.core.tasks.spawn(dial::keep_connected(session, url));
                }
            }
            Err(error) => {
                tracing::warn!(bot = bot.name(), "the accounts of a bot are not known: {error}");
                sleep(PAUSE).await;
                continue;
            }
        }
        if bot.stop.run_until_cancelled(changes.next()).await.is_none() {
            return;
        }
    }
}
