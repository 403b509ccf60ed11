//! Parts that work only while this server decides: always, unless it is a node of a cluster that
//! another node leads.

use crate::adapter::AdapterConfig;
use crate::gateway::{self, BotChanges, BotConfig, Gateway};
use crate::server::ServerContext;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
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

/// Adapters and bots: they belong to the server that leads.
pub(super) struct OwnedParts {
    pub(super) context: Arc<ServerContext>,
    /// Of what bots are made.
    pub(super) gateway: gateway::GatewayContext,
    /// The ones that are configured.
    pub(super) configured: Mutex<(Vec<AdapterConfig>, Vec<BotConfig>)>,
}

impl OwnedParts {
    /// Puts other settings of bots in force, and of adapters where they are given; names the bots here
    /// that changed.
    pub(super) fn configure(
        &self,
        adapters: Option<Vec<AdapterConfig>>,
        bots: Vec<BotConfig>,
    ) -> BotChanges {
        let mut configured = self.configured.lock().unwrap_or_else(PoisonError::into_inner);
        configured.1.clone_from(&bots);
        let is_leading = *self.context.store.leading().borrow();
        if let Some(adapters) = adapters {
            configured.0.clone_from(&adapters);
            if is_leading {
                let adapters = self.context.adapters.load().restart(adapters);
                self.context.adapters.store(Arc::new(adapters));
            }
        }
        if is_leading { self.context.bots.load().configure(bots) } else { BotChanges::default() }
    }

    /// Starts them when this server begins to lead, and ends them when it does no longer.
    pub(super) async fn follow_role(self: Arc<Self>, mut was_leading: bool) {
        let mut leading = self.context.store.leading();
        let stop = self.context.stop.clone();
        while is_soon(&mut leading, !was_leading, &stop).await {
            was_leading = !was_leading;
            if was_leading { self.start() } else { self.end() }
        }
    }

    fn start(&self) {
        let configured = self.configured.lock().unwrap_or_else(PoisonError::into_inner);
        // Bots first: from then on the words of platforms are kept for them.
        match Gateway::start(self.gateway.clone(), configured.1.clone()) {
            Ok(bots) => self.context.bots.store(Arc::new(bots)),
            Err(error) => tracing::error!("bots cannot be started: {error}"),
        }
        let adapters = self.context.adapters.load().restart(configured.0.clone());
        self.context.adapters.store(Arc::new(adapters));
    }

    fn end(&self) {
        let _configured = self.configured.lock().unwrap_or_else(PoisonError::into_inner);
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
