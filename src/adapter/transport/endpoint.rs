//! The paths at which implementations dial in.

use super::connection::{Connection, ConnectionEnd, Handshake, ServeConnection};
use super::socket::{Socket, socket_config};
use crate::adapter::api::Settings;
use crate::adapter::context::Context;
use crate::adapter::registry::ConfiguredEntry;
use crate::model::message::check_name;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;

/// A path at which implementations of one kind dial in.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub(in crate::adapter) path: String,
    pub(in crate::adapter) settings: Arc<Settings>,
    pub(in crate::adapter) service: Arc<dyn ServeConnection>,
    /// The configured adapter behind it, if one is configured.
    pub(in crate::adapter) entry: Option<ConfiguredEntry>,
    pub(in crate::adapter) context: Context,
}

impl Endpoint {
    /// The token wanted here in place of the server's own.
    pub fn token(&self) -> Option<&str> {
        self.settings.token.as_deref()
    }

    /// Checks the platform and the account that a handshake names: they must be usable names and,
    /// where the configuration binds this endpoint to some, among those. The error is for a 400.
    ///
    /// # Errors
    ///
    /// The path is wrong, or taken; the text is for people.
    pub fn check(&self, handshake: &Handshake) -> Result<(), String> {
        if let Some(platform) = handshake.parameter("platform") {
            check_name("platform", platform)?;
            if let Some(own) = self.settings.platform.as_ref().filter(|own| *own != platform) {
                return Err(format!(
                    "this adapter is for the platform `{own}`, but the implementation reports `{platform}`"
                ));
            }
        }
        match handshake.header("x-self-id") {
            // Some say 0 as long as they are not logged in.
            Some("0") | None => Ok(()),
            Some(account) => {
                check_name("X-Self-ID", account)?;
                self.settings.check_account(account)
            }
        }
    }

    /// The limits to open the WebSocket with.
    pub fn config(&self) -> WebSocketConfig {
        socket_config(self.settings.max_frame)
    }

    /// A token of its own for one connection; cancelling it ends that connection alone.
    pub fn for_one_connection(mut self) -> (Self, CancellationToken) {
        let stop = self.context.stop.child_token();
        self.context.stop = stop.clone();
        (self, stop)
    }

    /// Serves one connection that was dialled in here, until it ends.
    ///
    /// [`Self::check`] was asked before, and the server has checked the token.
    pub async fn accept(self, handshake: Handshake, socket: Socket) {
        let Self { path, settings, service, entry, context } = self;
        let kind = settings.kind.name;
        let connection =
            Connection { socket, handshake: Some(handshake), settings, entry, context };
        let ConnectionEnd { reason, .. } = service.serve(connection).await;
        tracing::info!(kind, path, reason, "a connection ended");
    }
}
