//! Write-ahead logs and stores that were damaged and are kept beside the store.

use crate::health::HEALTH;
use crate::store::{kept_logs, kept_stores};
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the server looks for them.
const INTERVAL: Duration = Duration::from_mins(1);

/// Reports them in the server's health for as long as they are there.
pub(super) async fn report(db: PathBuf, stop: CancellationToken) {
    const PART: &str = "write-ahead log";
    const STORE_PART: &str = "damaged store";
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
        match &kept_stores(&db)[..] {
            [] => HEALTH.recover(STORE_PART),
            [kept, ..] => HEALTH.degrade(
                STORE_PART,
                format!(
                    "{} is kept: the store was damaged and made anew from what could be read, and messages may be missing; remove the file once you have looked",
                    kept.display()
                ),
            ),
        }
        if stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
            return;
        }
    }
}
