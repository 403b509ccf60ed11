//! Satori 1 for frameworks, which dial rechat: a WebSocket for events, and HTTP for calls
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
mod methods;
mod people;
mod request;
mod roles;
mod session;
mod sn;
mod talk;

pub use call::{CallOpening, UploadedFile};
pub(super) use endpoint::{OpenedSatori, open, token_place};
pub use session::{EventsOpening, Identified, small_socket_config};

use super::accounts;
use super::bot::ConfiguredBot;
use std::sync::Arc;

/// Finds the accounts of a bot as they come; the framework dials for them all.
pub(super) async fn run(bot: Arc<ConfiguredBot>) {
    accounts::find(&bot, drop).await;
}
