//! Write-ahead logs that were damaged and are kept beside the store.

use crate::health::HEALTH;
use crate::store::kept_logs;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the server looks for them.
const INTERVAL: Duration = Duration::from_mins(1);

/// Reports them in the server's health for as long as they are there.
pub(super) async fn report(db: PathBuf, stop: CancellationToken) {
    const PART: &str = "write-ahead log";
    loop {
        match &kept_logs(&db)[..] {
            [] => HEALTH.recover(PART),
            [kept, ..] => HEALTH.degrade(
                PART,
                format!(
                    "{} is a write-ahead log that was damaged, missing or of another store; messages may be missing; remove the file after you have checked",
                    kept.display()
                ),
            ),
        }
        if stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
            return;
        }
    }
}
