//! OneBot 11 for frameworks: reverse WebSocket, where rechat connects to them, and WebSocket and
//! HTTP, where they connect to rechat (communication/README.md).

mod action;
mod answer;
mod dial;
mod endpoint;
mod event;
mod forward;
mod members;
mod message;
mod notice;
mod own_actions;
mod session;
mod unnamed_account;

pub(super) use action::{carry_out, params_of};
pub(super) use answer::ActionAnswer;
pub use endpoint::{ActionOpening, SocketOpening};
pub(super) use endpoint::{OpenedOneBot11, open};

use super::accounts;
use super::bot::ConfiguredBot;
use crate::health::supervise;
use session::BotSession;
use std::sync::Arc;

/// Follows the accounts of a bot, and connects to the framework for each of them if the bot has an
/// address. Each account has a connection of its own, so that an error of one does not end the
/// others.
pub(super) async fn run(bot: Arc<ConfiguredBot>) {
    accounts::find(&bot, |account| {
        let Some(url) = bot.config.load().url.clone() else { return };
        let (stop, tasks) = (account.stop.clone(), bot.shared.core.tasks.clone());
        let bot = bot.clone();
        let keeping = move || {
            let session = BotSession::new(bot.clone(), account.clone());
            dial::keep_connected(session, url.clone())
        };
        tasks.spawn(supervise("bots", stop, keeping));
    })
    .await;
}
