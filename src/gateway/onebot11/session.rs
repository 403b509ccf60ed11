//! One connection of a bot for one account.

use super::{action, event};
use crate::clock::now;
use crate::gateway::bot::{ConfiguredBot, ServedAccount};
use crate::gateway::connection::{HEARTBEAT, serve};
use crate::gateway::follow::begin;
use crate::gateway::framework::BotPeer;
use crate::gateway::socket::BotSocket;
use crate::store::{BotEvent, Result, View};
use serde_json::json;
use std::iter;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Reason of the end of a connection whose account the bot does not use any more.
const LOST_ACCOUNT: &str = "there is another platform now, so this bot speaks for the account for trying out no more; name it in \
     `accounts` to keep it";

/// One connection of a bot for one account.
pub(super) struct BotSession {
    pub(super) bot: Arc<ConfiguredBot>,
    pub(super) account: Arc<ServedAccount>,
    /// The connection carries actions.
    pub(super) has_actions: bool,
    /// The connection carries events.
    pub(super) has_events: bool,
}

impl BotSession {
    /// A connection for both.
    pub(super) fn new(bot: Arc<ConfiguredBot>, account: Arc<ServedAccount>) -> Self {
        Self { bot, account, has_actions: true, has_events: true }
    }

    /// Serves a connection until it ends; returns the reason.
    pub(super) async fn serve(&self, socket: BotSocket, stop: CancellationToken) -> String {
        let core = &self.bot.shared.core;
        let cursor = &self.account.cursor;
        let name = self.bot.name();
        let (mut following, mut turn) = (None, None);
        if self.has_events {
            let new = cursor.take_over(stop.clone());
            turn = Some(new);
            let seconds = self.bot.config.load().catch_up_seconds;
            let start = || cursor.start(&*core.store.view()?, seconds, None);
            following = match begin(core, cursor, new, &name, start).await {
                Ok(following) => Some(following),
                Err(error) => return format!("the store cannot be read: {error}"),
            };
        }
        let connected = self.bot.connected();
        tracing::info!(bot = name, account = self.account.account, "a bot is connected");
        let reason = serve(socket, self, following, &stop).await;
        drop(connected);
        let reason = if self.account.stop.is_cancelled() && !self.bot.stop.is_cancelled() {
            LOST_ACCOUNT.to_owned()
        } else {
            reason
        };
        let Some(turn) = turn else { return reason };
        cursor.write().await;
        cursor.reason(turn, reason)
    }

    /// A meta event (event/meta.md).
    fn meta(&self, kind: &str, rest: &serde_json::Value) -> String {
        let mut event = json!({
            "time": now(), "self_id": self.account.self_id, "post_type": "meta_event",
            "meta_event_type": kind,
        });
        if let (Some(event), Some(rest)) = (event.as_object_mut(), rest.as_object()) {
            event.extend(rest.clone());
        }
        event.to_string()
    }

    /// Whether the account is connected, for events and `get_status`.
    fn is_online(&self) -> bool {
        self.bot.shared.is_online(&self.account.platform, &self.account.account)
    }
}

impl BotPeer for BotSession {
    async fn answer(&self, frame: &str) -> Option<String> {
        if !self.has_actions {
            return None;
        }
        Some(action::answer(&self.bot, &self.account, frame).await)
    }

    async fn tell(&self, view: &View, entry: &BotEvent) -> Result<Vec<String>> {
        let frame = event::frame(&self.bot, &self.account, view, entry).await?;
        let Some(frame) = frame else { return Ok(Vec::new()) };
        let recall = event::recall_behind(&self.bot, &self.account, view, entry).await?;
        Ok(iter::once(frame).chain(recall).collect())
    }

    fn hello(&self) -> Option<String> {
        self.has_events.then(|| self.meta("lifecycle", &json!({"sub_type": "connect"})))
    }

    fn heartbeat(&self) -> Option<String> {
        let milliseconds = HEARTBEAT.as_millis() as u64;
        let status = json!({"online": self.is_online(), "good": true});
        let beat = json!({"interval": milliseconds, "status": status});
        self.has_events.then(|| self.meta("heartbeat", &beat))
    }
}
