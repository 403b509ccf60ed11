//! Records which platforms were ever connected (contract, item 6).

use super::commits::ChangeQueue;
use crate::adapter::Registry;
use crate::model::routing::StoreFacts;
use crate::store::{Command, Store};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause before the disk is tried again.
const DISK_PAUSE: Duration = Duration::from_secs(1);

/// Notes each platform once an adapter of it is connected, until `stop`.
pub(super) async fn note(
    store: Arc<Store>,
    registry: Registry,
    changes: Arc<ChangeQueue>,
    stop: CancellationToken,
) {
    let mut states = registry.changes();
    let mut noted = HashSet::new();
    loop {
        let mut has_failed = false;
        for (platform, kind) in registry.connected() {
            let is_new = !kind.is_fallback && !noted.contains(&(platform.clone(), kind.name));
            if !is_new {
                continue;
            }
            match see(&store, &platform, kind.name).await {
                Ok(is_first) => {
                    noted.insert((platform, kind.name));
                    if is_first {
                        // Messages without a platform may have one now.
                        changes.look_at_everything();
                    }
                }
                Err(error) => {
                    tracing::error!("cannot record that {platform} was connected: {error}");
                    has_failed = true;
                }
            }
        }
        let pause = async {
            if has_failed {
                tokio::time::sleep(DISK_PAUSE).await;
            } else {
                states.next().await;
            }
        };
        if stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

/// Notes a connected platform; returns whether it was new to the store.
async fn see(store: &Store, platform: &str, kind: &str) -> crate::store::Result<bool> {
    let view = store.view()?;
    if view.seen_platforms()?.iter().any(|seen| seen.platform == platform && seen.kind == kind) {
        return Ok(false);
    }
    let (platform, kind) = (platform.to_owned(), kind.to_owned());
    store.write(Command::SeePlatform { platform, kind }).await?;
    Ok(true)
}
