//! The parts of the core that the gateway works with.

use super::ids::IdNumbers;
use crate::actions::Actions;
use crate::adapter::{Registry, is_fallback};
use crate::media::Blobs;
use crate::media::sign::Signer;
use crate::model::routing::StoreFacts;
use crate::outbox::Outcomes;
use crate::raw_events::RawEventRetention;
use crate::store::{Result, Store};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The parts of the core that the gateway works with.
#[derive(Clone)]
pub struct GatewayContext {
    /// The store whose log the bots follow.
    pub store: Arc<Store>,
    /// The accounts that the bots speak for.
    pub registry: Registry,
    /// Carries out recalls, edits and reactions.
    pub actions: Actions,
    /// Tells how attempts to send ended.
    pub outcomes: Arc<Outcomes>,
    /// Where the bytes of files are kept.
    pub blobs: Blobs,
    /// Signs the addresses of files.
    pub signer: Signer,
    /// How long events of platforms are kept as they came.
    pub raw_events: Arc<RawEventRetention>,
    /// Stops the gateway.
    pub stop: CancellationToken,
    /// The tasks of connections.
    pub tasks: TaskTracker,
}

/// The parts that all bots share.
pub(super) struct BotsShared {
    pub(super) core: GatewayContext,
    pub(super) ids: IdNumbers,
}

impl BotsShared {
    /// Whether an account's program speaks OneBot 11, as far as is known.
    pub(super) fn speaks_onebot11(&self, platform: &str, account: &str) -> bool {
        let adapters = self.core.registry.platforms();
        let of_platform = || adapters.iter().filter(|adapter| adapter.platform == platform);
        let its = of_platform().find(|adapter| adapter.account.as_deref() == Some(account));
        match its.or_else(|| of_platform().next()) {
            Some(adapter) => adapter.kind == "onebot11",
            None => platform == "qq",
        }
    }

    /// Whether a platform is only for trying out, while there are other platforms: configured ones,
    /// or ones that were ever connected (contract, item 6).
    pub(super) fn is_for_trial(&self, platform: &str) -> Result<bool> {
        let view = self.core.store.view()?;
        let (adapters, seen) = (self.core.registry.platforms(), view.seen_platforms()?);
        let configured = adapters.iter().map(|one| (one.platform.as_str(), one.kind.as_ref()));
        let seen = seen.iter().map(|one| (one.platform.as_str(), one.kind.as_str()));
        let mut all = configured.chain(seen);
        let is_of_it = all.clone().any(|(name, kind)| name == platform && is_fallback(kind));
        Ok(is_of_it && all.any(|(_, kind)| !is_fallback(kind)))
    }

    /// Whether an account is connected.
    pub(super) fn is_online(&self, platform: &str, account: &str) -> bool {
        let handle = self.core.registry.handle(platform, Some(account));
        handle.is_some_and(|handle| handle.account.as_deref() == Some(account))
    }
}
