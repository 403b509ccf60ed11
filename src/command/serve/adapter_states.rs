//! Sessions are told how adapters are connected, at each node of a cluster.

use crate::adapter::Registry;
use crate::cluster::{ClusterHandle, StatusFeed};
use crate::health;
use crate::hub::Hub;
use crate::store::Store;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tells sessions of adapters here, and in a cluster of those at the leader, until `stop`.
pub(super) fn start(
    registry: &Registry,
    hub: &Arc<Hub>,
    store: &Arc<Store>,
    cluster: Option<&ClusterHandle>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let feed = cluster.map(|cluster| cluster.states.clone());
    tasks.spawn(health::supervise("adapter states", stop.clone(), {
        let (registry, hub, store) = (registry.clone(), hub.clone(), store.clone());
        let (feed, stop) = (feed.clone(), stop.clone());
        move || tell(registry.clone(), hub.clone(), store.clone(), feed.clone(), stop.clone())
    }));
    let Some(cluster) = cluster.cloned() else { return };
    let (hub, end) = (hub.clone(), stop.clone());
    tasks.spawn(health::supervise("adapters of other nodes", stop.clone(), move || {
        let (cluster, hub, stop) = (cluster.clone(), hub.clone(), end.clone());
        async move {
            let following = cluster.states.follow(|change| {
                // A client that is told of the change asks for the reasons of now.
                cluster.waiting.forget();
                hub.adapter_status(change);
            });
            let _ = stop.run_until_cancelled(following).await;
        }
    }));
}

async fn tell(
    registry: Registry,
    hub: Arc<Hub>,
    store: Arc<Store>,
    feed: Option<StatusFeed>,
    stop: CancellationToken,
) {
    let mut changes = registry.throttled_changes();
    let leading = store.leading();
    while let Some(change) = stop.run_until_cancelled(changes.next()).await {
        if let Some(feed) = feed.as_ref().filter(|_| *leading.borrow()) {
            feed.report(&change).await;
        }
        hub.adapter_status(change);
    }
}
