//! Parts that work only while this server decides: always, unless it is a node of a cluster that
//! another node leads.

use crate::adapter::AdapterConfig;
use crate::gateway::{self, BotChanges, BotConfig, Gateway};
use crate::health::supervise;
use crate::server::ServerContext;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Runs a part while this server leads, until `stop`; it is told to end when another node leads.
pub(super) async fn while_leading<Task>(
    mut leading: watch::Receiver<bool>,
    stop: CancellationToken,
    mut start: impl FnMut(CancellationToken) -> Task,
) where
    Task: Future<Output = ()>,
{
    while is_soon(&mut leading, true, &stop).await {
        let until = stop.child_token();
        let mut part = Box::pin(start(until.clone()));
        tokio::select! {
            () = &mut part => return,
            _ = is_soon(&mut leading, false, &stop) => {
                until.cancel();
                part.await;
            }
        }
    }
}

/// Waits until this server leads, or does not; `false` where it stops before.
async fn is_soon(
    leading: &mut watch::Receiver<bool>,
    wanted: bool,
    stop: &CancellationToken,
) -> bool {
    let changed = leading.wait_for(|leads| *leads == wanted);
    stop.run_until_cancelled(changed).await.is_some_and(|changed| changed.is_ok())
}

/// How long a server that lost the lead keeps its adapters connected while it sees no other leader:
/// perhaps only NATS is down.
const KEEP_ADAPTERS_TIMEOUT: Duration = Duration::from_mins(1);

/// Adapters and bots of the configuration.
pub(super) struct ConfiguredParts {
    pub(super) adapters: Vec<AdapterConfig>,
    pub(super) bots: Vec<BotConfig>,
    /// The adapters changed while they were held.
    pub(super) is_changed: bool,
}

/// Adapters and bots: they belong to the server that leads.
pub(super) struct OwnedParts {
    pub(super) context: Arc<ServerContext>,
    /// Of what bots are made.
    pub(super) gateway: gateway::GatewayContext,
    /// The ones that are configured.
    pub(super) configured: Mutex<ConfiguredParts>,
}

impl OwnedParts {
    /// Puts other settings of bots in force, and of adapters where they are given; names the bots here
    /// that changed.
    pub(super) fn configure(
        &self,
        adapters: Option<Vec<AdapterConfig>>,
        bots: Vec<BotConfig>,
    ) -> BotChanges {
        let mut configured = self.lock();
        configured.bots.clone_from(&bots);
        let is_leading = *self.context.store.leading().borrow();
        if let Some(adapters) = adapters {
            configured.adapters.clone_from(&adapters);
            configured.is_changed = !is_leading;
            if is_leading {
                let adapters = self.context.adapters.load().restart(adapters);
                self.context.adapters.store(Arc::new(adapters));
            }
        }
        if is_leading { self.context.bots.load().configure(bots) } else { BotChanges::default() }
    }

    /// Starts them when this server begins to lead, and ends them when another one does. As long as none
    /// is known that does, connections of adapters are held for a while.
    pub(super) async fn follow_role(self: Arc<Self>, was_leading: bool) {
        let stop = self.context.stop.clone();
        let mut was_leading = Some(was_leading);
        let following = move || {
            let (parts, was_leading) = (self.clone(), was_leading.take());
            async move {
                if was_leading.is_none() {
                    // How far they came before the panic is unknown.
                    parts.end();
                }
                parts.follow(was_leading.unwrap_or_default()).await;
            }
        };
        supervise("adapters and bots", stop, following).await;
    }

    async fn follow(self: Arc<Self>, was_leading: bool) {
        let mut leading = self.context.store.leading();
        let stop = self.context.stop.clone();
        if !was_leading && is_soon(&mut leading, true, &stop).await {
            self.start();
        }
        while is_soon(&mut leading, false, &stop).await {
            self.hold();
            let is_again = tokio::select! {
                is_again = is_soon(&mut leading, true, &stop) => is_again,
                () = self.another_leads() => false,
                () = sleep(KEEP_ADAPTERS_TIMEOUT) => false,
            };
            if is_again {
                self.resume();
                continue;
            }
            self.end();
            if is_soon(&mut leading, true, &stop).await {
                self.start();
            }
        }
    }

    /// Waits until another node leads; without a cluster for ever.
    async fn another_leads(&self) {
        match &self.context.cluster {
            Some(cluster) => cluster.state.another_leads().await,
            None => std::future::pending().await,
        }
    }

    fn lock(&self) -> MutexGuard<'_, ConfiguredParts> {
        self.configured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_bots(&self, bots: Vec<BotConfig>) {
        match Gateway::start(self.gateway.clone(), bots) {
            Ok(bots) => self.context.bots.store(Arc::new(bots)),
            Err(error) => tracing::error!("bots cannot be started: {error}"),
        }
    }

    fn start(&self) {
        let mut configured = self.lock();
        configured.is_changed = false;
        // Bots first: from then on the words of platforms are kept for them.
        self.start_bots(configured.bots.clone());
        let adapters = self.context.adapters.load().restart(configured.adapters.clone());
        self.context.adapters.store(Arc::new(adapters));
    }

    /// Bots end, for each has a position in the log at which another node goes on.
    fn hold(&self) {
        let _configured = self.lock();
        self.context.adapters.load().hold();
        self.context.bots.load().configure(Vec::new());
    }

    fn resume(&self) {
        let configured = self.lock();
        if configured.is_changed {
            drop(configured);
            return self.start();
        }
        self.start_bots(configured.bots.clone());
        self.context.adapters.store(Arc::new(self.context.adapters.load().resume()));
    }

    fn end(&self) {
        let _configured = self.lock();
        self.context.adapters.store(Arc::new(self.context.adapters.load().pause()));
        self.context.bots.load().configure(Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    #[tokio::test]
    async fn a_part_runs_while_the_server_leads() {
        let (lead, leading) = watch::channel(false);
        let stop = CancellationToken::new();
        let (tell, mut told) = mpsc::unbounded_channel();
        let part = move |until: CancellationToken| {
            let tell = tell.clone();
            async move {
                tell.send("began").unwrap();
                until.cancelled().await;
                tell.send("ended").unwrap();
            }
        };
        let running = tokio::spawn(while_leading(leading, stop.clone(), part));
        for _ in 0..2 {
            lead.send_replace(true);
            assert_eq!(told.recv().await, Some("began"));
            lead.send_replace(false);
            assert_eq!(told.recv().await, Some("ended"));
        }
        stop.cancel();
        running.await.unwrap();
        assert_eq!(told.recv().await, None);
    }
}
