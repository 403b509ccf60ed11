//! Satori 1 for frameworks that connect to rechat: a WebSocket for events, and HTTP for calls
//! (protocol/index.md).

mod call;
mod channel;
mod elements;
mod endpoint;
mod event;
mod frame;
mod history;
mod implementation;
mod login;
mod media;
mod message;
mod message_methods;
mod methods;
mod people;
mod request;
mod roles;
mod session;
mod sn;
mod webhook;

pub use call::{CallOpening, UploadedFile};
pub(super) use endpoint::{OpenedSatori, open, token_source};
pub use session::{EventsOpening, Identified, small_socket_config};

use super::accounts;
use super::bot::ConfiguredBot;
use crate::health::supervise;
use std::sync::Arc;

/// Follows the accounts of a bot. The framework opens one connection for all of them, or has a
/// webhook.
pub(super) async fn run(bot: Arc<ConfiguredBot>) {
    let Some(url) = bot.config.load().url.clone() else { return accounts::find(&bot, drop).await };
    let posting = {
        let (bot, stop) = (bot.clone(), bot.stop.clone());
        supervise("bots", stop, move || webhook::keep_posting(bot.clone(), url.to_string()))
    };
    tokio::join!(accounts::find(&bot, drop), posting);
}
