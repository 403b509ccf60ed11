//! Messages that cannot be read, and so are not sent.

use crate::health::HEALTH;
use crate::store;

/// Reports that something cannot be read and so is not sent. While the store is away nothing is
/// reported: everything is checked again once it is back.
pub(super) fn cannot_read(what: &str, error: &store::StoreError) {
    if *error != store::StoreError::Absent {
        tracing::error!("the outbox cannot read {what}: {error}");
        HEALTH.degrade("outbox", format!("{what} cannot be read, and is not sent: {error}"));
    }
}
