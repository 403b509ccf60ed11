//! Bot frameworks connect here as if rechat were the OneBot implementation or Satori server that they know
//! (contract, item 35).
//!
//! A bot reads the log from its own cursor, which the store keeps, so that nothing is missed while it
//! is away. What it sends is a message like any other.

mod accounts;
mod acknowledgements;
mod backoff;
mod bot;
mod bot_changes;
mod bot_status;
mod connection;
mod conversation;
mod cursor_keeper;
mod endpoint;
mod filter;
mod follow;
mod framework;
mod hidden_content;
mod ids;
mod onebot11;
mod opening;
mod raw_object;
mod satori;
mod saved_state;
mod send;
mod settings;
mod shared;
mod socket;
#[cfg(test)]
mod tests;

pub use bot_changes::BotChanges;
pub use endpoint::{BotEndpoint, BotRefusals, DialInRequest, TokenSource};
pub use onebot11::{ActionOpening, SocketOpening};
pub use opening::Opening;
pub use satori::{CallOpening, EventsOpening, Identified, UploadedFile, small_socket_config};
pub use settings::{BotConfig, BotKind};
pub use shared::GatewayContext;
pub use socket::{BotSocket, socket_config};

use crate::health::supervise;
use crate::protocol::bots;
use crate::store::Result;
use bot::{BotCursors, ConfiguredBot};
use ids::IdNumbers;
use shared::BotsShared;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Seconds for which raw events are kept beyond what bots may miss: for bots that are slow.
const SLOW_SECONDS: u64 = 60 * 60;

/// All bots.
pub struct Gateway {
    shared: Arc<BotsShared>,
    bots: Mutex<BotList>,
}

#[derive(Default)]
struct BotList {
    configured: Vec<Arc<ConfiguredBot>>,
    /// Cursors of bots that are not configured any more, by name.
    left: HashMap<String, BotCursors>,
}

impl Gateway {
    /// Starts the configured bots.
    ///
    /// # Errors
    ///
    /// The settings of a bot are wrong, or the store cannot be read or written.
    pub fn start(core: GatewayContext, configs: Vec<BotConfig>) -> Result<Self> {
        let kept = core.store.view()?.adapter_state(saved_state::OWNER)?;
        let ids = IdNumbers::new(core.store.clone(), &kept);
        let gateway = Self { shared: Arc::new(BotsShared { core, ids }), bots: Mutex::default() };
        gateway.configure(configs);
        Ok(gateway)
    }

    /// Applies new settings, and names the bots that changed. If only the filter of a bot changed,
    /// the bot stays connected.
    pub fn configure(&self, configs: Vec<BotConfig>) -> BotChanges {
        let longest =
            configs.iter().map(|config| config.catch_up_seconds.saturating_add(SLOW_SECONDS)).max();
        self.shared.core.raw_events.keep(longest.unwrap_or_default());
        let mut bots = self.lock();
        let BotList { configured, left } = &mut *bots;
        let mut old = std::mem::take(configured);
        let mut changes = BotChanges::default();
        for config in configs {
            let known = old.iter().position(|bot| bot.config.load().name == config.name);
            let known = known.map(|index| old.swap_remove(index));
            match &known {
                None => changes.added.push(config.name.clone()),
                Some(bot) if **bot.config.load() != config => {
                    changes.changed.push(config.name.clone());
                }
                Some(_) => {}
            }
            configured.push(match known {
                Some(bot) if !bot.config.load().needs_restart(&config) => {
                    bot.config.store(Arc::new(config));
                    // There may also be other platforms now.
                    bot.look_again.notify_one();
                    bot
                }
                known => {
                    let before = known.map(|bot| bot.end());
                    let before = before.or_else(|| left.remove(&config.name));
                    self.begin(config, before.unwrap_or_default())
                }
            });
        }
        for bot in old {
            changes.removed.push(bot.name());
            left.insert(bot.name(), bot.end());
        }
        changes
    }

    fn begin(&self, config: BotConfig, before: BotCursors) -> Arc<ConfiguredBot> {
        let bot = Arc::new(ConfiguredBot::new(self.shared.clone(), config, before));
        let (run, stop) = (bot.clone(), bot.stop.clone());
        let run = move || {
            let bot = run.clone();
            async move {
                match bot.config.load().kind {
                    BotKind::OneBot11 => onebot11::run(bot.clone()).await,
                    BotKind::Satori => satori::run(bot.clone()).await,
                }
            }
        };
        self.shared.core.tasks.spawn(supervise("bots", stop, run));
        bot
    }

    /// The status of every bot.
    pub fn bots(&self) -> Vec<bots::Bot> {
        let bots = self.lock().configured.clone();
        bots.iter().map(|bot| bot.shown()).collect()
    }

    /// The endpoint at a path, if there is one.
    pub fn endpoint(&self, path: &str) -> Option<BotEndpoint> {
        let (name, rest) = path.strip_prefix("/bots/")?.split_once('/')?;
        let bots = self.lock();
        let bot = bots.configured.iter().find(|bot| bot.config.load().name == name)?.clone();
        Some(BotEndpoint::new(bot, rest))
    }

    fn lock(&self) -> MutexGuard<'_, BotList> {
        self.bots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
